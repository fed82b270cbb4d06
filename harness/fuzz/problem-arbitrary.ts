import * as fc from 'fast-check';
import { createRandom, type Random } from '../../scratch/index';
import {
  adversarialLayered,
  adversarialProblem,
  type GeneratedOptions,
  type LayeredNetworks,
} from '../problems/index';
import { mapProblem, type AnyProblem, type Problem } from '../base/problem';
import { partMoves, sizeMoves } from './simpler-form';
import { modelMoves } from './simpler-model';
import { choiceMoves, numberMoves, tensorMoves, type Move } from './simpler-values';

export type ProblemArbitraryOptions = Pick<GeneratedOptions, 'kinds' | 'largest' | 'scales' | 'shapes'>;

/**
 * fast-check's arbitrary for problems: every kind of `problemKinds`, sizes up to B 8, T 24 (occasionally 120), F 16, U 32, C 10, with
 * or without initial state, mask, labels, output layer, and either or both upstream gradients. Every number is exact in float32.
 *
 * It shrinks as a person would: it leaves parts out, reduces sizes (the tensors lose rows and columns, and are not drawn again),
 * then replaces numbers by 0, 1, 1/2, -1 or shorter ones. Every step is simpler than the one before by an order without endless descents, so
 * shrinking ends. The shape of one tensor depends on that of the others, so this is one arbitrary and not a chain of many, which
 * would draw all values again whenever a size shrinks, and so lose the failure.
 *
 * @example
 * ```ts
 * fc.assert(fc.property(problemArbitrary(), (problem) => problem.inputs.data.every(Number.isFinite)));
 * ```
 */
export function problemArbitrary(options: ProblemArbitraryOptions = {}): fc.Arbitrary<Problem> {
  return new ProblemArbitrary((seed, index) => drawProblem(seed, index, options));
}

/** The same for problems about networks of layers: it also leaves layers and their options out. */
export function layeredArbitrary(networks: LayeredNetworks): fc.Arbitrary<AnyProblem> {
  return new ProblemArbitrary((seed, index) => {
    const { kind, ...problem } = adversarialLayered(seed, index, networks);
    return withoutNegativeZeros({ ...problem, id: kind });
  });
}

/** The attempts in their order; after a success the search continues at the same attempt and wraps around. */
const stages: readonly ((problem: AnyProblem) => Iterable<Move>)[] = [
  modelMoves,
  partMoves,
  sizeMoves,
  tensorMoves,
  choiceMoves,
  numberMoves,
];

/** Where the last success was. */
interface Position {
  readonly stage: number;
  readonly move: number;
}

class ProblemArbitrary<P extends AnyProblem> extends fc.Arbitrary<P> {
  constructor(private readonly draw: (seed: number, index: number) => P) {
    super();
  }

  override generate(source: fc.Random): fc.Value<P> {
    const [seed, index] = [source.nextInt(0, 2 ** 31 - 1), source.nextInt(0, 999_999)];
    return new fc.Value(this.draw(seed, index), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is P {
    return typeof value === 'object' && value !== null && 'inputs' in value && 'weights' in value;
  }

  override shrink(problem: P, context: unknown): fc.Stream<fc.Value<P>> {
    return new fc.Stream(simplerProblems(problem, context as Position | undefined));
  }
}

function* simplerProblems<P extends AnyProblem>(
  problem: P,
  { stage, move }: Position = { stage: 0, move: 0 },
): Generator<fc.Value<P>> {
  for (let round = 0; round <= stages.length; round++) {
    const current = (stage + round) % stages.length;
    let at = -1;
    for (const simpler of stages[current](problem)) {
      at++;
      // the stage of the last success is entered where it was, and its beginning comes last
      if (round === 0 && at < move) continue;
      if (round === stages.length && at >= move) break;
      // a move keeps the kind of its problem: plain or layered
      const value = simpler() as P | undefined;
      if (value !== undefined) yield new fc.Value(value, { stage: current, move: at } satisfies Position);
    }
  }
}

/** Problem `index` of `seed`, with forms that the generator of problems lacks: long, only forward, one gradient at the end. */
function drawProblem(seed: number, index: number, options: ProblemArbitraryOptions): Problem {
  const random = createRandom(seed * 1_000_000 + index);
  const long =
    random.uniform() < 0.03 && options.largest?.timeSteps === undefined && options.shapes === undefined;
  const largest = long ? { batch: 3, timeSteps: 120, features: 6, units: 12 } : {};
  const { kind, ...problem } = adversarialProblem(seed, index, {
    ...options,
    largest: { ...largest, ...options.largest },
  });
  return withoutNegativeZeros({ ...thinned(problem, random), id: kind });
}

/** -0 would not survive JSON. */
function withoutNegativeZeros<P extends AnyProblem>(problem: P): P {
  return mapProblem(problem, (x) => x + 0);
}

function thinned(problem: Problem, random: Random): Problem {
  const share = random.uniform();
  const { labels, upstream, ...forward } = problem;
  if (share < 0.05) return forward;
  if (share < 0.2 && upstream?.finalState) {
    const { finalState } = upstream;
    return { ...forward, ...(labels && { labels }), upstream: { finalState } };
  }
  return problem;
}
