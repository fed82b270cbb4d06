import { operations } from './operations/index';
import {
  isElementwise,
  operandsOf,
  sameExpression,
  sumOf,
  withOperands,
  type Axis,
  type Equation,
  type Expression,
  type Term,
} from './expression';

/** What one use of a weight adds to its gradient: leftᵀ · right summed over time, or the sum of right over the batch and time. */
export interface WeightShare {
  readonly weight: string;
  readonly part?: Axis;
  readonly left?: Expression;
  readonly right: Expression;
}

/**
 * One step backward, in the language of the step forward: dh_t is the gradient with respect to h_t, in_h_t what arrives at it from
 * above and from step t+1.
 */
export interface BackwardStep {
  /** in the order of the computation */ readonly equations: readonly Equation[];
  /** terms of the gradient with respect to x_t */ readonly toInput: readonly Term[];
  /** terms of what is sent back to h_(t-1), for every carry */
  readonly toBefore: Readonly<Record<string, readonly Term[]>>;
  readonly shares: readonly WeightShare[];
}

/** The name of the gradient with respect to a quantity. */
export function gradientName(quantity: string): string {
  return `d${quantity}`;
}

/**
 * Derives the step backward by the adjoint rule of every operation (reverse-mode differentiation, Linnainmaa 1970): equations from the
 * last to the first, and in each the gradient of its left side goes to everything on its right side.
 */
export function deriveBackward(
  equations: readonly Equation[],
  axes: ReadonlyMap<string, Axis>,
  carries: readonly string[],
): BackwardStep {
  const arrived = new Map<string, { part?: Axis; terms: Term[] }[]>();
  const toInput: Term[] = [];
  const toBefore: Record<string, Term[]> = Object.fromEntries(carries.map((name) => [name, []]));
  const shares: WeightShare[] = [];
  const made: Equation[] = [];

  const send = (to: Expression, sign: 1 | -1, d: Expression): void => {
    if (to.op === 'number') return;
    if (to.op === 'quantity') {
      if (to.name === 'x') toInput.push({ sign, of: d });
      else if (to.when === 'before') toBefore[to.name].push({ sign, of: d });
      else arriveAt(arrived, to.name, to.part, { sign, of: d });
      return;
    }
    if (to.op === 'sum') {
      for (const term of to.terms) send(term.of, (sign * term.sign) as 1 | -1, d);
      return;
    }
    const right = sumOf([{ sign, of: d }]);
    if (to.op === 'weight') {
      shares.push({ weight: to.name, ...partOf(to), right });
      return;
    }
    if (to.op === 'times') {
      const { of, weight, transposed } = to;
      // y = a · W: dW = aᵀ · dy; y = a · Wᵀ: dW = dyᵀ · a
      shares.push({
        weight,
        ...partOf(to),
        ...(transposed ? { left: right, right: of } : { left: of, right }),
      });
      send(of, sign, { op: 'times', of: d, weight, ...partOf(to), transposed: !transposed, axis: of.axis });
      return;
    }
    if (!isElementwise(to)) return;
    const { adjoint } = operations[to.op];
    if (adjoint === undefined) throw new Error(`deriveBackward: ${to.op} has no derivative`);
    adjoint(to, to.of, d).forEach((gradient, i) => send(to.of[i], sign, gradient));
  };

  for (const { left, part, right } of equations.toReversed()) {
    const axis = axes.get(left) ?? [];
    const name = gradientName(left);
    const own = (arrived.get(left) ?? []).filter((one) =>
      (one.part ?? axis).some((block) => (part ?? axis).includes(block)),
    );
    const carried: Term[] = carries.includes(left)
      ? [{ sign: 1, of: { op: 'quantity', name: left, when: 'arriving', axis } }]
      : [];
    if (own.length === 0 && carried.length > 0) own.push({ terms: [] });
    for (const { part: used, terms } of own)
      made.push({
        left: name,
        ...(used !== undefined && { part: used }),
        right: sumOf([...carried, ...terms]),
      });
    send(right, 1, {
      op: 'quantity',
      name,
      when: 'now',
      ...(part !== undefined && { part }),
      axis: part ?? axis,
    });
  }
  return named({ equations: made, toInput, toBefore, shares }, equations, axes);
}

function partOf({ part }: { readonly part?: Axis }): { part?: Axis } {
  return part === undefined ? {} : { part };
}

function arriveAt(
  arrived: Map<string, { part?: Axis; terms: Term[] }[]>,
  name: string,
  part: Axis | undefined,
  term: Term,
): void {
  const groups = arrived.get(name) ?? [];
  arrived.set(name, groups);
  const group = groups.find((one) => one.part?.join(' ') === part?.join(' '));
  if (group === undefined) groups.push({ ...(part !== undefined && { part }), terms: [term] });
  else group.terms.push(term);
}

/** h_t instead of tanh(z_t), where an equation says that they are the same: a layer computes it once. */
function named(
  step: BackwardStep,
  equations: readonly Equation[],
  axes: ReadonlyMap<string, Axis>,
): BackwardStep {
  const known = equations.filter(({ right }) => isElementwise(right));
  const rename = (expression: Expression): Expression => {
    const found = known.find(({ right }) => sameExpression(right, expression));
    if (found === undefined) return withOperands(expression, operandsOf(expression).map(rename));
    const { left, part } = found;
    return { op: 'quantity', name: left, when: 'now', ...partOf(found), axis: part ?? axes.get(left) ?? [] };
  };
  const terms = (all: readonly Term[]): Term[] => all.map(({ sign, of }) => ({ sign, of: rename(of) }));
  return {
    equations: step.equations.map((one) => ({ ...one, right: rename(one.right) })),
    toInput: terms(step.toInput),
    toBefore: Object.fromEntries(Object.entries(step.toBefore).map(([name, all]) => [name, terms(all)])),
    shares: step.shares.map((share) => ({
      ...share,
      ...(share.left !== undefined && { left: rename(share.left) }),
      right: rename(share.right),
    })),
  };
}
