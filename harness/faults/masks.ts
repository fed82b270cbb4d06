import type { Fault } from './fault';
import { answer, faultIn } from './faulty';

/** What is wrong with the states of masked steps alone; other faults of masks follow from the formulas (`formulaFaults`). */
export const maskFaults: readonly Fault[] = [
  faultIn('masks', 'forward')(
    'masks/masked-states-returned-as-zeros',
    'the states of masked steps are returned as zeros; the carried state is correct',
    answer((tensor, { layer, problem: { mask } }) => {
      const name = `states.${layer.name}`;
      const states = tensor(name)?.data ?? new Float64Array();
      return {
        [name]: states.map((h, i) => (mask?.data[Math.floor(i / layer.units)] === 0 ? 0 : h)),
      };
    }),
  ),
];
