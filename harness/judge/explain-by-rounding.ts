import { rootMeanSquare } from '../base/magnitude';
import { stagesOf, whyUnclear, type Spread, type Stage } from '../budget/index';

/** Whether rounding explains some numbers, and what it may do to them. */
export interface Explanation {
  /**
   * `explained`; `beyond`: a mistake; `unclear`: beyond what sigma allows, but sigma misses what happens here (no longer linear, or far
   * too small for the emulated runs) and the rigorous bound holds: the single steps must decide
   */
  readonly status: 'explained' | 'beyond' | 'unclear';
  /** the last tolerance that was asked, `extra` included */ readonly allowed: Float64Array;
  readonly stage: Stage;
  /** why it is beyond though each number is within its tolerance, or why it is unclear */ readonly reason?: string;
}

export interface ExplainOptions {
  /** allowed to each number besides rounding */ readonly extra?: ArrayLike<number> | undefined;
  /** the numbers to look at; default all */ readonly elements?: Iterable<number>;
  /** whether the root mean square of error / sigma over all numbers is limited as well; default true without `extra` and `elements` */
  readonly mean?: boolean;
}

/**
 * Does rounding explain that these numbers were given where those were expected? Results, numbers from elsewhere, single
 * equations and the referees ask it; the check of an update asks for the gradients that it is made from.
 *
 * It asks in stages (`stagesOf`): the plain budget first; only an answer beyond it is worth the emulated float32 runs that measure how
 * far honest runs scatter here. Numbers are explained when each |given - expected| <= min(bound, 10 c sigma) + extra, and their root mean
 * square of error / sigma is at most 5 c_rms (more where errors go together).
 */
export function explainByRounding(
  expected: ArrayLike<number>,
  given: ArrayLike<number>,
  spread: Spread,
  options: ExplainOptions = {},
): Explanation {
  const { extra, mean = extra === undefined && options.elements === undefined } = options;
  const elements = [...(options.elements ?? Array.from(expected).keys())];
  const error = (i: number): number => (given[i] === expected[i] ? 0 : Math.abs(given[i] - expected[i]));
  const withExtra = (allowed: Float64Array): Float64Array =>
    extra === undefined ? allowed : allowed.map((e, i) => e + extra[i]);
  // written so that NaN is not within
  const isWithin = (allowed: Float64Array): boolean => elements.every((i) => error(i) <= allowed[i]);
  let explanation: Explanation | undefined;
  for (const stage of stagesOf(spread)) {
    const allowed = withExtra(stage.allowed);
    const isEachWithin = isWithin(allowed);
    // equal elements count as 0 even where sigma is 0
    const found = mean
      ? rootMeanSquare(elements.map((i) => (error(i) === 0 ? 0 : error(i) / stage.sigma[i])))
      : 0;
    if (isEachWithin && found <= stage.mean) return { status: 'explained', allowed, stage };
    const reason = `every element is within the tolerance, but their root mean square is ${found.toPrecision(3)} standard deviations; ${stage.mean.toPrecision(3)} are allowed`;
    explanation = { status: 'beyond', allowed, stage, ...(isEachWithin && { reason }) };
  }
  if (explanation === undefined) throw new Error('explainByRounding: no stage');
  const reason = whyUnclear(spread);
  if (reason === undefined || !isWithin(withExtra(explanation.stage.bound))) return explanation;
  return { ...explanation, status: 'unclear', reason };
}
