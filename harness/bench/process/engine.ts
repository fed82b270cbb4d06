import type { StackWeights } from '../../../scratch/index';
import type { BenchSize } from '../size';
import type { Task } from '../task';

/** The problem as an engine in JavaScript gets it: decoded, float32 values throughout. */
export interface EngineProblem {
  readonly size: BenchSize;
  /** [N, T, F] */ readonly inputs: { readonly shape: readonly number[]; readonly data: Float32Array };
  /** N class indices */ readonly labels: Int32Array;
  /** by layer, the output layer last */ readonly weights: StackWeights;
  readonly learningRate: number;
}

/** Class scores [n, C], row-major. */
export type Scores = ArrayLike<number>;

/** A number or array now, or a promise of it; the server awaits only promises, so that tiny calls stay tiny. */
export type Soon<T> = T | Promise<T>;

/** One engine in JavaScript. Its methods are what is timed, so they are written as a user would write the call. */
export interface BenchEngine {
  readonly versions: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly tasks: readonly Task[];
  readonly scores: 'logits' | 'probabilities';
  /** Builds the model and the data, releasing what an earlier call built. */
  open(problem: EngineProblem): Soon<void>;
  /** One SGD update on the batch (the first B examples); the loss before it, on the host. */
  trainStep(): Soon<number>;
  /** Class scores of 1 or 256 examples (example i mod N), on the host. */
  forward(examples: 1 | 256): Soon<Scores>;
  /** One epoch over all N examples, shuffled, in batches of B, data movement included; resolves to its loss. */
  epoch(): Soon<number>;
  /** A second model, up to the end of its first training step; returns how to release it, which is not timed. */
  setUp(): Soon<() => void>;
  weights(): Soon<StackWeights>;
  /** Milliseconds of one float32 product 1024 x 1024 x 1024, repeated until half a second is over. */
  readonly product?: () => number;
  /** Tensors that the library counts as alive. */
  tensors?(): number;
}

/** Example i mod N for i below `count`: what forward is asked about. */
export function repeatExamples(problem: EngineProblem, count: number): Float32Array {
  const { data, shape } = problem.inputs;
  const length = shape[1] * shape[2];
  const repeated = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    const from = (i % shape[0]) * length;
    repeated.set(data.subarray(from, from + length), i * length);
  }
  return repeated;
}
