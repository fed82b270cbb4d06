import { createRandom } from '../../scratch/index';
import { rootMeanSquare } from '../base/magnitude';
import {
  budgetFor,
  type Budget,
  precisionModelOf,
  precisionModels,
  derivativeOf,
  singlePrecisionRun,
} from '../budget/index';
import { memoize } from '../base/memoize';
import { explainByRounding } from '../judge/index';
import {
  expectedNames,
  expectedShape,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Precision,
} from '../base/problem';

export interface RefereeOptions {
  /** elements that must be looked at, for example the worst of the comparison */
  readonly suspects?: Partial<Record<string, readonly number[]>>;
  /** dual-number runs at most, spread over the gradient tensors; default 200 */ readonly runs?: number;
  /** decides which entries of large gradients are looked at; default 0 */ readonly seed?: number;
}

/** What the referees say about one tensor. */
export interface TensorRuling {
  readonly tensor: string;
  /** sides whose values are not within their own budget of the referee's */ readonly wrong: readonly string[];
  /** elements looked at, and elements there are */ readonly examined: number;
  readonly elements: number;
}

export interface Ruling {
  /** name of the side that is wrong, `both`, or `undecided` when neither side can be blamed */ readonly side: string;
  readonly tensors: readonly TensorRuling[];
  /** one sentence: what was examined, by whom */ readonly note: string;
}

/** A side to be ruled on: its name, precision and answer. */
export interface Party {
  readonly name: string;
  readonly precision: Precision;
  readonly evaluation: Evaluation;
}

/**
 * Rules which side is wrong, by referees that share no arithmetic with either: the formulas in float64 give forward values, dual numbers
 * single entries of the gradients, and an emulated float32 run shows that an honest run stays within the budget. A side is blamed
 * only of a value beyond its own error budget (or of a tensor of the wrong shape), and no side for any value where
 *
 *  - the budget swallows the signal (ill-conditioned),
 *  - the budget's own float64 run does not agree with the dual numbers (a referee is wrong), or
 *  - the honest float32 run is beyond the budget as well (the budget is wrong).
 *
 * @param problem rounded to float32 when one of the sides is float32
 * @param first usually scratch
 * @param second usually the candidate
 */
export function sideAtFault(
  problem: AnyProblem,
  first: Party,
  second: Party,
  options: RefereeOptions = {},
): Ruling {
  const names = expectedNames(problem);
  const gradients = names.filter((name) => name.startsWith('gradients.'));
  const perTensor = Math.max(1, Math.floor((options.runs ?? 200) / Math.max(gradients.length, 1)));
  const parties = [first, second].map((party) => {
    const budget = budgetFor(problem, precisionModelOf(party));
    const { model } = budget;
    const honest =
      party.precision === 'float32'
        ? singlePrecisionRun(problem, { kappa: model.kappa, noise: 'functions', order: 'sequential' })
        : budget.evaluation;
    return { ...party, budget, honest };
  });
  const referee = budgetFor(problem, precisionModels.float64);

  const tensors = names.map((tensor): TensorRuling => {
    const shape = expectedShape(problem, tensor);
    const elements = shape.reduce((n, size) => n * size, 1);
    const own = tensorOf(referee.evaluation, tensor)?.data ?? new Float64Array(0);
    const values = new Map<number, number>();
    if (tensor.startsWith('gradients.')) {
      const key = tensor.slice('gradients.'.length);
      for (const i of chosen(elements, perTensor, options.suspects?.[tensor] ?? [], options.seed ?? 0))
        values.set(i, entryOf(problem, key, i, elements));
    } else tensorOf(referee.evaluation, tensor)?.data.forEach((value, i) => values.set(i, value));
    const trusted = within(own, values, referee, tensor) === 'within';
    const wrong = parties.filter(({ budget, evaluation, honest }) => {
      const given = tensorOf(evaluation, tensor);
      const emulated = tensorOf(honest, tensor)?.data;
      if (given === undefined || emulated === undefined) return false;
      // the problem alone says which shape it must have
      if (given.shape.join() !== shape.join() || given.data.length !== elements) return true;
      return (
        trusted &&
        within(given.data, values, budget, tensor) === 'beyond' &&
        within(emulated, values, budget, tensor) === 'within'
      );
    });
    return { tensor, wrong: wrong.map(({ name }) => name), examined: values.size, elements };
  });
  const blamed = new Set(tensors.flatMap(({ wrong }) => wrong));
  const side = blamed.size === 0 ? 'undecided' : blamed.size === 2 ? 'both' : [...blamed][0];
  return { side, tensors, note: noteOn(tensors) };
}

const entries = memoize<AnyProblem, Map<string, number>>(() => new Map());

/** One entry of a gradient by dual numbers, computed once: no answer enters it. */
function entryOf(problem: AnyProblem, name: string, index: number, elements: number): number {
  const known = entries(problem);
  const place = `${name} ${index}`;
  const found = known.get(place);
  if (found !== undefined) return found;
  const direction = new Float64Array(elements);
  direction[index] = 1;
  const entry = derivativeOf(problem, { [name]: direction });
  known.set(place, entry);
  return entry;
}

/** Whether rounding explains the values where the referee found others; `unclear` where the budget cannot tell. */
function within(
  given: ArrayLike<number>,
  referee: ReadonlyMap<number, number>,
  budget: Budget,
  tensor: string,
): 'within' | 'beyond' | 'unclear' {
  if (budget.overflow) return 'unclear';
  const expected = new Float64Array(given.length);
  for (const [i, value] of referee) expected[i] = value;
  const spread = budget.spread(tensor);
  const { status, allowed } = explainByRounding(expected, given, spread, { elements: referee.keys() });
  if (status !== 'beyond') return status === 'explained' ? 'within' : 'unclear';
  const isPossible = [...referee].every(([i, value]) => Math.abs(given[i] - value) <= spread.bound[i]);
  const signal = rootMeanSquare(tensorOf(budget.evaluation, tensor)?.data ?? []);
  const size = rootMeanSquare(allowed);
  const isSwallowed = !(size <= signal / 100) && size > budget.model.tiny * 1e8;
  return isPossible && isSwallowed ? 'unclear' : 'beyond';
}

/** All entries when there are few; else the suspects and a seeded sample. */
function chosen(elements: number, most: number, suspects: readonly number[], seed: number): Set<number> {
  if (elements <= most) return new Set(Array.from({ length: elements }, (_, i) => i));
  const picked = new Set(suspects.filter((i) => i >= 0 && i < elements).slice(0, most));
  const random = createRandom(seed);
  while (picked.size < most) picked.add(random.integer(elements));
  return picked;
}

function noteOn(tensors: readonly TensorRuling[]): string {
  const examined = tensors.reduce((n, t) => n + t.examined, 0);
  const elements = tensors.reduce((n, t) => n + t.elements, 0);
  const how = 'by dual numbers in float64 and an emulated float32 run';
  return examined === elements
    ? `all ${elements} numbers examined ${how}`
    : `${examined} of ${elements} numbers examined ${how}; gradients were sampled`;
}
