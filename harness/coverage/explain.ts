import { expectedNames, tensorOf, type AnyProblem } from '../base/problem';
import { listed, type BlindSpot } from './blind-spot';
import { weaknessesOfInputs } from './inputs';
import { weaknessesOfSizes } from './sizes';
import { weaknessesOfStates } from './states';
import type { Look } from './look';
import { Detectability, type Judging } from './detectability';
import type { NamedFault } from './faults';
import type { Asked, Weakness } from './weakness';
import { weaknessesOfWeights } from './weights';

/** What problems about the simple RNN, or about layers, can have. Of two reasons for the same fault the first is reported. */
export const weaknesses: readonly Weakness[] = [
  ...weaknessesOfSizes,
  ...weaknessesOfInputs,
  ...weaknessesOfWeights,
  ...weaknessesOfStates,
];

export interface Explanation {
  readonly spots: readonly BlindSpot[];
  /** faults that stay without a reason */ readonly left: readonly NamedFault[];
}

/**
 * Why a problem hides faults: its weaknesses are fixed, each alone and then one after the other. The faults that show then were hidden by
 * the last weakness that was fixed.
 *
 * @param look at the problem; weaknesses are those of the whole of it, faults are replayed on its first examples
 * @param hidden faults that do not show in it
 */
export function explain(
  look: Look,
  hidden: readonly NamedFault[],
  judging: Judging,
  reasons: readonly Weakness[],
): Explanation {
  const { asked: whole, onProblem, onTwoExamples } = look;
  if (onProblem === undefined || onTwoExamples === undefined) return { spots: [], left: hidden };
  const found = reasons.flatMap(({ what, fix, found: foundIn, fixed }): Reason[] => {
    const because = foundIn(whole, onProblem.right);
    return because === undefined ? [] : [{ what, because, fix, fixed, faults: [], tensors: new Set() }];
  });
  let left = hidden;
  const reveal = (reason: Reason, asked: Asked<AnyProblem>, how: Judging): void => {
    if (left.length === 0) return;
    const fixed = new Detectability(asked, how);
    const shown = left.filter((fault) => {
      const tensors = fixed.shows(fault);
      tensors.forEach((name) => reason.tensors.add(name));
      return tensors.length > 0;
    });
    reason.faults.push(...shown);
    left = left.filter((fault) => !shown.includes(fault));
  };
  for (const reason of found) reveal(reason, reason.fixed(onTwoExamples.asked), judging);
  let { asked } = onTwoExamples;
  for (const reason of found) {
    asked = reason.fixed(asked);
    reveal(reason, asked, judging);
  }
  const wide = wideTolerance(whole, judging);
  if (wide !== undefined) {
    found.push(wide);
    reveal(wide, wide.fixed(onTwoExamples.asked), { precision: judging.precision });
  }
  const spots = found
    .filter(({ faults }) => faults.length > 0)
    .map(({ what, because, fix, fixed, faults, tensors }): BlindSpot => ({
      what,
      caseId: whole.problem.id,
      because,
      tensors: expectedNames(fixed(onTwoExamples.asked).problem).filter((name) => tensors.has(name)),
      hides: faults.map(({ name }) => name),
      example: shortest(faults),
      fix,
    }));
  return { spots, left };
}

interface Reason extends Pick<Weakness, 'what' | 'fix' | 'fixed'> {
  readonly because: string;
  readonly faults: NamedFault[];
  readonly tensors: Set<string>;
}

/** A tolerance that the user gave: of the command, or of a vectors file. */
function wideTolerance(asked: Asked<AnyProblem>, { tolerance = {} }: Judging): Reason | undefined {
  const { absolute, relative } = tolerance;
  const given = [
    ...(absolute === undefined ? [] : [`--atol ${absolute}`]),
    ...(relative === undefined ? [] : [`--rtol ${relative}`]),
    ...[...(asked.tolerance ?? [])].map(([name, x]) => `${x} for ${name}`),
  ];
  if (given.length === 0) return undefined;
  return {
    what: 'wide tolerance',
    because: `the tolerance is given (${given.join(', ')})`,
    fix: 'give a smaller one, or none: the tolerance is then derived',
    fixed: ({ problem, names }) => ({ problem, ...(names && { names }) }),
    faults: [],
    tensors: new Set(),
  };
}

/** Tensors that are zero, or that rounding swallows; with them, or else by themselves, faults that no weakness explains. */
export function explainRest(
  { asked: { problem }, right }: Detectability,
  blind: readonly string[],
  left: readonly NamedFault[],
): BlindSpot[] {
  const isZero = (name: string): boolean => tensorOf(right, name)?.data.every((x) => x === 0) === true;
  const zero = blind.filter(isZero);
  const vanished = blind.filter((name) => !isZero(name));
  const rest = [
    { what: 'zero', because: `${listed(zero)}: nothing but zeros`, tensors: zero, fix: reach },
    {
      what: 'vanished',
      because: `${listed(vanished)}: no larger than rounding`,
      tensors: vanished,
      fix: reach,
    },
  ].filter(({ tensors }) => tensors.length > 0);
  if (rest.length === 0 && left.length > 0) {
    const because = 'in these numbers it leaves no trace beyond rounding';
    rest.push({ what: 'below rounding', because, tensors: [], fix: 'take other numbers' });
  }
  return rest.map((spot, i) => ({
    ...spot,
    caseId: problem.id,
    hides: i === 0 ? left.map(({ name }) => name) : [],
    ...(i === 0 && left.length > 0 && { example: shortest(left) }),
  }));
}

const reach =
  'let larger numbers reach them: larger weights or gradients from above, fewer steps, less saturation';

function shortest(faults: readonly NamedFault[]): string {
  return faults.map(({ words }) => words).reduce((one, other) => (other.length < one.length ? other : one));
}
