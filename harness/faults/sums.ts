import type { Fault } from './fault';
import { faultIn, outcomeName, type Way } from './faulty';

const biasAxis = faultIn('bias-axis', 'backward');

/** dBias [B]: of every example the sum over steps and units */
const overUnits: Way = (given) => {
  const { batch, layer } = given;
  const seen = new Map<number, Float64Array>();
  return {
    observe: ({ name, t = 0 }, block) => {
      if (name === 'dz') seen.set(t, block.value);
      return block;
    },
    finish: (outcome) => {
      const name = outcomeName('bias', given);
      const own = outcome.get(name);
      if (own === undefined) return outcome;
      const sums = new Float64Array(batch);
      for (const dz of seen.values()) dz.forEach((x, i) => (sums[Math.floor(i / layer.units)] += x));
      const block = { ...own.blocks[0], value: sums, columns: batch };
      return new Map([...outcome, [name, { shape: [batch], blocks: [block] }]]);
    },
  };
};

/** Faults of the sums over time and batch that the gradients of the weights are. */
export const sumFaults: readonly Fault[] = [
  biasAxis(
    'sums/bias-gradient-over-wrong-axis',
    'the bias gradient is summed over the units instead of the examples',
    overUnits,
  ),
];
