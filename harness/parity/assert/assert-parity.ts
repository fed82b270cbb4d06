import { AssertionError } from 'node:assert';
import { checkOptions, describe, type OptionNames } from '../../../scratch/index';
import type { AnyCandidate } from '../../sides/candidate/index';
import type { SideSource } from '../../sides/index';
import { checkTolerance } from '../../judge/index';
import { formatFailure, runParity, worstNumbers, type ParityOptions, type ParityReport } from '../index';
import type { CellText, Problem } from '../../base/problem';
import { modelOfCell } from '../../problems/index';
import { quickSuite, sharedQuickSuite, showsEverything, type QuickSuiteOptions } from './quick-suite';

export interface AssertParityOptions
  extends
    Omit<QuickSuiteOptions, 'masks'>,
    Pick<ParityOptions, 'problems' | 'model' | 'vectors' | 'tolerance' | 'timeoutSeconds'> {
  /** problems about a layer of this cell of formulas instead of the quick suite */ readonly equations?: CellText;
}

const optionNames: OptionNames<AssertParityOptions> = {
  sizes: true,
  seed: true,
  labels: true,
  problems: true,
  model: true,
  equations: true,
  vectors: true,
  tolerance: true,
  timeoutSeconds: true,
};

/**
 * Runs a few problems on a candidate, in this process, and judges every number of its answers by a derived error budget.
 *
 * @param candidate an object { name, precision, evaluate }, as for `rnn-parity parity --candidate`, or a side (`tfjsSide('wasm', true)`)
 * @returns the whole report, when all is well
 * @throws ParityAssertionError when a number is wrong, the candidate throws, or nothing could be shown; its message is the verdict
 * @throws RangeError for an option that does not exist, UsageError when the candidate or an option is malformed
 *
 * @example
 * ```ts
 * it('is a simple RNN', () => assertParity(candidate, { sizes: { features: 3, units: 16 } }));
 * ```
 */
export async function assertParity(
  candidate: AnyCandidate | SideSource,
  options: AssertParityOptions = {},
): Promise<ParityReport> {
  const report = await parityOf(candidate, options);
  if (!isParity(report)) throw new ParityAssertionError(report);
  return report;
}

/** The report alone: nothing is asserted. */
export async function parityOf(
  candidate: AnyCandidate | SideSource,
  options: AssertParityOptions = {},
): Promise<ParityReport> {
  checkOptions(options, optionNames, 'assertParity');
  checkTolerance(options.tolerance, 'assertParity');
  const given: unknown = candidate;
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null)
    throw new TypeError(
      `assertParity: the candidate is ${describe(given)}; pass an object { name, precision, evaluate }, or a side such as tfjsSide('wasm').`,
    );
  const chosenBy = (['problems', 'model', 'equations', 'vectors'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (chosenBy.length > 1)
    throw new RangeError(`assertParity: ${chosenBy.join(' and ')} each say what is asked; give one of them.`);
  const asked = chosenBy.at(0);
  const ofNetwork = asked === 'model' || asked === 'equations';
  const idle = (ofNetwork ? (['sizes'] as const) : (['sizes', 'labels'] as const)).find(
    (name) => asked !== undefined && options[name] !== undefined,
  );
  if (idle !== undefined)
    throw new RangeError(
      `assertParity: ${idle} changes nothing with ${asked}; leave it out${ofNetwork ? ', and give units and features in a model' : ''}.`,
    );
  const { problems, equations, vectors, tolerance, timeoutSeconds, ...others } = options;
  const { model = equations && modelOfCell(equations), ...suite } = others;
  const isSide = 'open' in candidate;
  const suiteProblems = (): readonly Problem[] =>
    isSide
      ? quickSuite({ ...suite, masks: true })
      : sharedQuickSuite({ ...suite, masks: candidate.masks === true });
  return runParity({
    // what is asserted has to run, whatever a whole run would make of a side that is not there
    ...(isSide
      ? { sides: [{ name: candidate.name, required: true, open: () => candidate.open() }] }
      : { sides: [], candidate }),
    ...(vectors !== undefined
      ? { vectors }
      : model !== undefined
        ? { model, cases: 12, labels: options.labels }
        : { problems: problems ?? suiteProblems() }),
    seed: options.seed,
    power: model === undefined && ((problems ?? vectors) !== undefined || !showsEverything(suite)),
    tolerance,
    timeoutSeconds,
    // a test is waiting: the worst problem is diagnosed, the rest is reported by its numbers
    diagnoses: 1,
  });
}

/** Parity in which every tensor was shown to be right at least once: what was only ill-conditioned proves nothing. */
export function isParity({ verdict, unshown }: ParityReport): boolean {
  return verdict === 'parity' && unshown.length === 0;
}

/**
 * A candidate is not the reference's function: `message` is the verdict with the diagnosis below, `actual` and `expected` are the
 * worst number of both, where there are numbers. Test runners show it as a failed assertion.
 */
export class ParityAssertionError extends AssertionError {
  constructor(
    /** all that was found */ readonly report: ParityReport,
    options: { readonly message?: string } = {},
  ) {
    const { given, expected } = worstNumbers(report) ?? {};
    super({
      message: options.message ?? formatFailure(report),
      actual: given,
      expected,
      operator: 'parity',
    });
  }
}
