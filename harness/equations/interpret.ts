import type { Tensor } from '../../scratch/index';
import { dualArithmetic } from './arithmetics/dual';
import { errorArithmetic } from './arithmetics/errors';
import { exactArithmetic } from './arithmetics/exact';
import { roundedArithmetic } from './arithmetics/rounded';
import { runForward, type Place, type RunOptions } from './forward';
import { largest } from '../base/magnitude';
import type { Matrix } from './matrix';
import { tensorsOf, type Network, type NetworkProblem } from './network';
import type { Block, Uncertain } from './operations/index';
import { operations as table } from './operations/index';
import { numbersOf, runNetwork, tensorsOfOutcome, type Outcome } from './outcome';
import { makeRounding, type RoundingOptions } from './rounding';
import { varianceOfRounding, type Charges, type RoundingModel } from './rounding-model';

/** What a network answers in float64. */
export function evaluateNetwork(
  network: Network,
  problem: NetworkProblem,
  options: RunOptions<Block> = {},
): ReadonlyMap<string, Tensor> {
  return tensorsOfOutcome(runNetwork(network, problem, exactArithmetic(), options));
}

/** The largest |number| of a run in float64, every product with a matrix by itself included. */
export function largestNumber(network: Network, problem: NetworkProblem): number {
  const exact = exactArithmetic();
  let found = 0;
  const see = (block: Block): Block => {
    found = Math.max(found, largest(block.value));
    return block;
  };
  const outcome = runNetwork(network, problem, {
    ...exact,
    sum(terms, factor) {
      for (const term of terms) see(exact.sum([term], factor));
      return see(exact.sum(terms, factor));
    },
    apply: (name, operands, f) => see(exact.apply(name, operands, f)),
  });
  for (const { blocks } of outcome.values()) blocks.forEach(see);
  return found;
}

/** What an honest implementation in rounded arithmetic answers. */
export function emulateNetwork(
  network: Network,
  problem: NetworkProblem,
  kappa: RoundingModel['kappa'],
  rounding: RoundingOptions = {},
): ReadonlyMap<string, Tensor> {
  return tensorsOfOutcome(runNetwork(network, problem, roundedArithmetic(kappa, makeRounding(rounding))));
}

/** A tensor, and what rounding can have done to each of its numbers. */
export interface Estimate {
  readonly shape: readonly number[];
  readonly value: Matrix;
  /** largest possible |error| */ readonly bound: Matrix;
  /** standard deviation of the error */ readonly sigma: Matrix;
}

/** Error budgets of everything that a network answers. */
export function estimateNetwork(
  network: Network,
  problem: NetworkProblem,
  model: RoundingModel,
  operations = table,
): ReadonlyMap<string, Estimate> {
  const { charges, observe } = chargesOf(problem, model);
  const outcome = runNetwork(network, problem, errorArithmetic(charges, operations), { observe });
  return estimates(outcome, charges);
}

export function estimates(
  outcome: Outcome<Uncertain>,
  { model, floor }: Charges,
): ReadonlyMap<string, Estimate> {
  return new Map(
    [...outcome].map(([name, answered]) => {
      const value = numbersOf(answered, (block) => block.value);
      // where the mean divides last, every gradient is rounded once more
      const last = model.forms !== undefined && name.startsWith('gradients.') ? 1 : 0;
      const k = last * varianceOfRounding(model);
      const bound = numbersOf(answered, (block) => block.bound).map(
        (e, i) => (e + last * model.unit * (Math.abs(value[i]) + e)) * model.sides + floor,
      );
      // the floor keeps both above zero where nothing is computed, or a square underflows
      const sigma = numbersOf(answered, ({ variance }) => variance).map(
        (v, i) => Math.sqrt((v + k * value[i] ** 2) * model.sides) + floor,
      );
      return [name, { shape: answered.shape, value, bound, sigma }];
    }),
  );
}

/**
 * η = tiny (1 + Σ of the largest number of every tensor of the problem + the largest gradient so far): what is lost where a product, or one
 * of its factors, is flushed to zero. The run shows every quantity to `observe`, so that η covers the factors of each product.
 */
export function chargesOf(
  problem: NetworkProblem,
  model: RoundingModel,
): { readonly charges: Charges; readonly observe: <V extends Block>(place: Place, one: V) => V } {
  let sum = 1;
  for (const [path, { data }] of tensorsOf(problem)) if (path !== 'mask') sum += largest(data);
  let gradient = 0;
  const charges = { model, floor: model.tiny * sum };
  return {
    charges,
    observe: (place, one) => {
      if (!place.name.startsWith('d')) return one;
      const found = largest(one.value);
      // a side may show gradients that are no numbers
      if (found > gradient && Number.isFinite(found)) {
        gradient = found;
        charges.floor = model.tiny * (sum + gradient);
      }
      return one;
    },
  };
}

/**
 * The derivative of the loss, and of upstream gradients times states, along a direction: by dual numbers, without any backward equation.
 *
 * @param direction how fast numbers of the problem move, by path: `rnn.kernel`, `inputs`, `initialStates.rnn.h`
 */
export function derivativeAlong(
  network: Network,
  problem: NetworkProblem,
  direction: ReadonlyMap<string, Matrix>,
): number {
  const forward = runForward(
    network,
    problem,
    dualArithmetic((path) => direction.get(path)),
  );
  let sum = 0;
  if (problem.labels !== undefined || problem.targets !== undefined) sum += forward.loss?.loss.rate[0] ?? 0;
  const dot = (rates: Matrix, by: Matrix): void => rates.forEach((rate, i) => (sum += rate * by[i]));
  for (const [name, { sequence, final }] of Object.entries(problem.upstream ?? {})) {
    const ran = forward.layers.get(name);
    if (ran === undefined) continue;
    if (sequence !== undefined)
      dot(
        numbersOf({ shape: [], blocks: ran.sequence }, ({ rate }) => rate),
        sequence.data,
      );
    for (const [carry, { data }] of Object.entries(final ?? {})) dot(ran.final[carry].rate, data);
  }
  return sum;
}
