import { formatPlace, type Place } from '../../judge/index';
import type { ParityReport, PlannedCase } from '../report';

type ProblemOf = NonNullable<PlannedCase['problem']>;

const probe = ', weight probe';

/** The sizes of the problem that a case belongs to, where the plan has them. */
export function sizesIn(
  { plan }: ParityReport,
  implementation: string,
  problemId: string,
): ProblemOf | undefined {
  return plan.find((one) => one.implementation === implementation && one.caseId === problemId)?.problem;
}

/**
 * Where a number is: `example 2, time step 4, unit 0`. An example of the weight probe does not come from the user, so it is explained by the
 * weight that it shows: `the probe of recurrentKernel[3, 0]` (see `weightProbe` for the order of the examples).
 */
export function placeInWords(
  {
    caseId,
    implementation,
    tensor,
  }: { readonly caseId: string; readonly implementation: string; readonly tensor: string },
  at: Place,
  report: ParityReport,
): string {
  const place = formatPlace(at);
  if (!caseId.endsWith(probe) || !('example' in at)) return place;
  const sizes = sizesIn(report, implementation, caseId.slice(0, -probe.length));
  if (sizes === undefined || sizes.layers !== undefined) return `${place} of the weight probe`;
  return `the probe of ${probedWeight(tensor, at, sizes)}`;
}

function probedWeight(tensor: string, at: Place, sizes: ProblemOf): string {
  const { features = 0, units = 0, has } = sizes;
  const { example, unit = 0, feature = 0, class: c = 0 } = at as Readonly<Record<string, number>>;
  const backward = has.includes('labels') || has.includes('upstream') ? units : 0;
  const column = example - features - units;
  if (column >= backward)
    return tensor === 'logits' || tensor === 'probabilities'
      ? `outputKernel[${column - backward}, ${c}]`
      : `row ${column - backward} of outputKernel`;
  if (column >= 0) {
    if (tensor === 'gradients.inputs') return `kernel[${feature}, ${column}]`;
    if (tensor === 'gradients.initialState') return `recurrentKernel[${unit}, ${column}]`;
    return `column ${column} of kernel and recurrentKernel`;
  }
  const [weight, row] = example < features ? ['kernel', example] : ['recurrentKernel', example - features];
  return tensor === 'states' || tensor === 'finalState'
    ? `${weight}[${row}, ${unit}]`
    : `row ${row} of ${weight}`;
}
