import { largest, rootMeanSquare } from '../base/magnitude';
import { budgetFor, precisionModelOf } from '../budget/index';
import {
  expectedNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import type { Ratio } from './diagnosis';
import { sizesByLetter, sketchOf } from './in-common';

/** A ratio may vary by so much from number to number: more than float32 rounds, less than a mistake moves. */
const even = 1e-3;
const none = new Float64Array();

/**
 * The one factor between what a side gave and what it should have given, in all tensors that are wrong.
 *
 * @param names tensors that are wrong
 * @returns undefined where they are not multiples of the right ones, or of different factors; a single number only where the factor
 * is one that sizes or logarithms explain, as two single numbers have a ratio always
 */
export function ratioOf(
  problem: AnyProblem,
  given: Evaluation,
  expected: Evaluation,
  names: readonly string[],
): Ratio | undefined {
  let numbers = 0;
  let [both, square] = [0, 0];
  const pairs = names.map((name) => [tensorOf(given, name)?.data, tensorOf(expected, name)?.data] as const);
  for (const [g, e] of pairs) {
    if (g === undefined || e?.length !== g.length) return undefined;
    const size = e.reduce((sum, x) => sum + x * x, 0) || 1;
    // every tensor counts alike, however small its numbers are
    e.forEach((x, i) => {
      both += (x * g[i]) / size;
      square += (x * x) / size;
      numbers += Number(x !== 0);
    });
  }
  const times = both / square;
  if (!Number.isFinite(times) || Math.abs(times - 1) < 10 * even) return undefined;
  const isEven = pairs.every(([g = none, e = none]) => {
    const off = rootMeanSquare(e.map((x, i) => g[i] - times * x));
    return off <= even * Math.abs(times) * rootMeanSquare(e);
  });
  const equals = meanings(problem, times);
  return isEven && (numbers > 1 || equals.length > 0) ? { times, equals } : undefined;
}

/** What such a factor may be, in letters: `B`, `1/T`, `1/ln 2`. */
function meanings(problem: AnyProblem, times: number): string[] {
  const { B = 1, T = 1, F, U, C } = sizesByLetter(sketchOf(problem));
  const sizes: Record<string, number | undefined> = { B, T, C, U, F, 'B T': B * T, 'B C': C && B * C };
  const known = Object.entries(sizes).flatMap(([letter, n]): [string, number][] =>
    n === undefined || n === 1
      ? []
      : [
          [letter, n],
          [`1/${letter.includes(' ') ? `(${letter})` : letter}`, 1 / n],
        ],
  );
  const constants: [string, number][] = [
    ['ln 2', Math.LN2],
    ['1/ln 2', 1 / Math.LN2],
    ['ln 10', Math.LN10],
    ['1/ln 10', 1 / Math.LN10],
  ];
  return [...known, ...constants]
    .filter(([, n]) => Math.abs(times / n - 1) < even)
    .map(([letters]) => letters);
}

/** Whether two answers of a side to the same problem are further apart than its rounding: it is random, or it remembers. */
export function differsFromItself(
  problem: AnyProblem,
  one: Evaluation,
  other: Evaluation,
  side: Pick<Implementation, 'name' | 'precision'>,
): boolean {
  const budget = budgetFor(problem, precisionModelOf(side));
  return expectedNames(problem).some((name) => {
    const [a, b] = [tensorOf(one, name)?.data, tensorOf(other, name)?.data];
    if (a === undefined || b?.length !== a.length) return false;
    const allowed = budget.allowed(name, true);
    return a.some((x, i) => !Object.is(x, b[i]) && !(Math.abs(x - b[i]) <= 2 * allowed[i]));
  });
}

/** Formats by the bits of their significands. */
const formats = [
  [8, 'bfloat16'],
  [11, 'TF32 or half precision'],
  [24, 'float32'],
] as const;

/**
 * Where the errors of the states look like rounding, of a coarser format than the side claims: of both signs, spread over most of the
 * numbers, and of one relative size. `errors of the size of 11-bit products: TF32 or half precision?`
 */
export function roundingLike(
  given: Evaluation,
  expected: Evaluation,
  { precision }: Pick<Implementation, 'precision'>,
): string | undefined {
  const [g, e] = [given.states?.data, expected.states?.data];
  if (g === undefined || e?.length !== g.length || g.length < 16) return undefined;
  const errors = g.map((x, i) => x - e[i]);
  const rms = rootMeanSquare(errors);
  const mean = errors.reduce((sum, x) => sum + x, 0) / g.length;
  // a few wrong numbers are no rounding, nor is a bias
  if (!(largest(errors) <= 6 * rms) || Math.abs(mean) > rms / 3) return undefined;
  const bits = -Math.log2(rms / rootMeanSquare(e));
  const format = formats.find(([n]) => Math.abs(bits - n) <= 2);
  const own = precision === 'float32' ? 24 : 53;
  if (format === undefined || format[0] >= own) return undefined;
  const [digits, name] = format;
  return `errors of the size of ${digits}-bit ${digits === 24 ? 'numbers' : 'products'}: ${name}?`;
}
