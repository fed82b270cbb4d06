import { problemIdOf } from '../../examine/index';
import type { CaseVerdict } from '../../judge/index';
import type { ParityReport } from '../report';

/** A defect of TensorFlow.js that was found before: docs/browser.md has the table, and a smallest program of each. */
export interface KnownDefect {
  readonly id: string;
  /** what a user meets, as the end of "webgl: ..." */ readonly words: string;
  readonly cause: string;
  /** on GitHub; absent where it has not been reported */ readonly issue?: string;
  readonly backend: 'webgl' | 'webgpu';
  /** how it shows in the failing cases of a side */ readonly shows: (
    failing: FailingOfSide,
  ) => readonly CaseVerdict[];
}

interface FailingOfSide {
  readonly cases: readonly CaseVerdict[];
  readonly hasMask: (problemId: string) => boolean;
}

const isBad = ({ status }: { readonly status: string }): boolean =>
  ['nan', 'infinity', 'differs'].includes(status);

export const knownDefects: readonly KnownDefect[] = [
  {
    id: 'padding',
    words: 'the gradient of the output layer is NaN at odd batches of 3 or more',
    cause:
      'webgl keeps matrices in blocks of 2 x 2; the gradient of logSoftmax leaves Infinity in the padding row, and a packed product adds 0 times it',
    backend: 'webgl',
    shows: ({ cases }) =>
      cases.filter(({ tensors }) =>
        tensors.some(
          ({ tensor, status }) => tensor === 'gradients.outputKernel' && ['nan', 'infinity'].includes(status),
        ),
      ),
  },
  {
    id: 'mask',
    words: 'a layer with a mask is wrong, forward and backward',
    cause:
      'the transpose of a mask that was cast to bool makes a shader that does not compile, and tfjs goes on silently',
    issue: 'tensorflow/tfjs#8638',
    backend: 'webgpu',
    shows: ({ cases, hasMask }) =>
      cases.filter(({ caseId, tensors }) => hasMask(problemIdOf(caseId)) && tensors.some(isBad)),
  },
  {
    id: 'epsilon',
    words: "Adam's usual epsilon is 1e-4, not 1e-7",
    cause: 'floatPrecision() answers 16 where float32 works, and the epsilon of half precision is taken',
    issue: 'tensorflow/tfjs#6980',
    backend: 'webgl',
    shows: ({ cases }) => cases.filter(({ caseId }) => /^(step|trajectory)\/adam/.test(caseId)),
  },
  {
    id: 'read-back',
    words: 'dataSync() reads wrong numbers where data() reads the right ones',
    cause: 'the immediate read copies through a canvas, which gives zeros and then loses the device',
    issue: 'tensorflow/tfjs#8590 (the same symptom; no link shown)',
    backend: 'webgpu',
    shows: ({ cases }) => cases.filter(({ caseId }) => caseId.startsWith('read-back/')),
  },
];

const failingOn = (side: string, cases: readonly CaseVerdict[]): CaseVerdict[] =>
  cases.filter(({ implementation, status }) => implementation === side && status === 'fail');

/** A known defect, and the failing cases of a side that it explains. */
export interface FoundDefect {
  readonly defect: KnownDefect;
  readonly cases: readonly CaseVerdict[];
}

/**
 * Known defects on a side, and how many of its failing cases none of them explains. The twin goes around them all, so they are looked for
 * where TensorFlow.js computes as it is.
 */
export function defectsOf(
  { cases, plan }: Pick<ParityReport, 'cases' | 'plan'>,
  side: string,
): { readonly found: readonly FoundDefect[]; readonly unexplained: number } {
  const masked = new Set(
    plan.filter(({ problem }) => problem?.has.includes('mask') === true).map(({ caseId }) => caseId),
  );
  const failing = failingOn(side, cases);
  const given = { cases: failing, hasMask: (id: string) => masked.has(id) };
  const found = knownDefects
    .filter(({ backend }) => side.startsWith(`browser:${backend}:as-is`))
    .map((defect) => ({ defect, cases: defect.shows(given) }))
    .filter((one) => one.cases.length > 0);
  const explained = new Set(found.flatMap((one) => one.cases));
  return { found, unexplained: failing.filter((one) => !explained.has(one)).length };
}

/** Problems that are wrong on the device and right where small operations run on the processor instead: forwarding hides them. */
export function hiddenByForwarding(
  { cases }: Pick<ParityReport, 'cases'>,
  backend: string,
): readonly string[] {
  const failing = (side: string): Set<string> =>
    new Set(failingOn(side, cases).map(({ caseId }) => problemIdOf(caseId)));
  const ran = cases.some(({ implementation }) => implementation === `browser:${backend}:as-is:forward`);
  const shown = failing(`browser:${backend}:as-is:forward`);
  return ran ? [...failing(`browser:${backend}:as-is`)].filter((id) => !shown.has(id)) : [];
}
