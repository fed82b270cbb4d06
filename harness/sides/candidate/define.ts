import { checkOptions, type OptionNames } from '../../../scratch/index';
import type { Model, Precision } from '../../base/problem';

/**
 * A problem as a candidate gets it: plain nested arrays, its own copy, which it may keep but not change. Letters: B, T, F, U, C as
 * everywhere.
 */
export interface CandidateProblem {
  /** [B, T, F] */ inputs: number[][][];
  /** [B, U]; zeros when absent */ initialState?: number[][];
  /**
   * [B] class indices; then the output layer and the mean softmax cross-entropy are part of the problem. Without labels the weights may
   * hold an output layer as well: logits are compared then when they are given, and never required
   */
  labels?: number[];
  /** loss gradients that arrive at the recurrent layer, besides those of the labels */
  upstream?: { /** [B, T, U] */ states?: number[][][]; /** [B, U] */ finalState?: number[][] };
  /** [B, T] of 0 and 1; a step with 0 keeps the state. Only given to candidates with `masks: true` (and by vectors) */
  mask?: number[][];
  weights: {
    /** [F, U] */ kernel: number[][];
    /** [U, U] */ recurrentKernel: number[][];
    /** [U] */ bias: number[];
    /** [U, C] */ outputKernel?: number[][];
    /** [C] */ outputBias?: number[];
  };
}

/** Nested arrays (rows may be typed arrays), or flat numbers with a shape. */
export type CandidateTensor =
  ArrayLike<number> | readonly CandidateTensor[] | { data: ArrayLike<number>; shape: readonly number[] };

/**
 * What `evaluate` returns. Everything that the problem determines must be there, unless `omits` declares it. Each answer has its own arrays:
 * the next call may not change them.
 */
export interface CandidateAnswer {
  /** [B, T, U] */ states?: CandidateTensor | undefined;
  /** [B, U] */ finalState?: CandidateTensor | undefined;
  /** [B, C], with labels; without, compared when given */ logits?: CandidateTensor | undefined;
  /** [B, C], with labels; compared when given, never required */ probabilities?: CandidateTensor | undefined;
  /** mean over the batch, nats, with labels */ loss?: number | undefined;
  gradients?:
    | {
        kernel?: CandidateTensor | undefined;
        recurrentKernel?: CandidateTensor | undefined;
        bias?: CandidateTensor | undefined;
        outputKernel?: CandidateTensor | undefined;
        outputBias?: CandidateTensor | undefined;
        inputs?: CandidateTensor | undefined;
        initialState?: CandidateTensor | undefined;
      }
    | undefined;
}

/** A user's own implementation, to be compared with the scratch network. */
export interface Candidate {
  /** for the reports */ name: string;
  /** decides the tolerances: `float32` for single precision anywhere in it */ precision: Precision;
  /** names it never gives: `logits`, `gradients.inputs`, the bare `inputs`, or `gradients` for all of them */
  omits?: readonly string[];
  /** whether it honours `problem.mask`; without it the suite's masked problems are not run on it, and the report says so */
  masks?: boolean;
  /** only of a `LayersCandidate`: tells the compiler which problem `evaluate` gets */ layers?: undefined;
  evaluate(problem: CandidateProblem): CandidateAnswer | Promise<CandidateAnswer>;
}

/** A problem about a network of layers, as a candidate with `layers` gets it: plain nested arrays, its own copy. */
export interface CandidateLayersProblem {
  /** the layers and the loss, in Keras's words */ model: Model;
  /** [B, T, F]; integers [B, T] when the first layer is an embedding */ inputs: number[][][];
  /** by layer, by the name of the state (h, c), [B, U] each; zeros when absent */ initialStates?: Record<
    string,
    number[][]
  >[];
  /** [B, T] of 0 and 1 */ mask?: number[][];
  /** softmaxCrossEntropy: [B], or example by example [B·T] where the last layer gives every step */ labels?: number[];
  /** the other losses: numbers in the shape of the outputs */ targets?: CandidateTensor;
  upstream?: {
    logits?: CandidateTensor;
    finalStates?: Record<string, number[][]>[];
    sequences?: Record<string, number[][][]>[];
  };
  /** by layer, by Keras's names: kernel, recurrentKernel, bias */ weights: Record<string, CandidateWeight>[];
}

/** Rows, or a vector. */
export type CandidateWeight = number[][] & number[];

type TensorsByLayer = readonly Readonly<Record<string, CandidateTensor | undefined>>[];

/** What `evaluate` returns to a problem about layers; `{}` for a layer without any. */
export interface CandidateLayersAnswer {
  /** h of every step [B, T, U], by layer; never required, but only with it single steps can be judged */ sequences?: TensorsByLayer;
  finalStates?: TensorsByLayer | undefined;
  logits?: CandidateTensor | undefined;
  /** probabilities, or the logits for meanSquaredError; compared when given, never required */ outputs?:
    CandidateTensor | undefined;
  loss?: number | undefined;
  gradients?:
    | {
        inputs?: CandidateTensor | undefined;
        weights?: TensorsByLayer | undefined;
        initialStates?: TensorsByLayer | undefined;
      }
    | undefined;
}

/** A user's own network of layers: it is asked problems about layers only. */
export interface LayersCandidate extends Omit<Candidate, 'evaluate' | 'layers'> {
  /** the layers that it can run: `['lstm', 'dense']`; `cell` is one of your own formulas (--equations) */
  layers: readonly string[];
  evaluate(problem: CandidateLayersProblem): CandidateLayersAnswer | Promise<CandidateLayersAnswer>;
}

/** A candidate of either kind. */
export type AnyCandidate = Candidate | LayersCandidate;

export const candidateNames: OptionNames<LayersCandidate> = {
  layers: true,
  name: true,
  precision: true,
  omits: true,
  masks: true,
  evaluate: true,
};

/**
 * Types a candidate; returns it unchanged.
 *
 * @example
 * ```ts
 * export const candidate = defineCandidate({
 *   name: 'mine',
 *   precision: 'float64',
 *   omits: ['gradients'],
 *   evaluate: (problem) => ({ states: [], finalState: [], logits: [], loss: problem.inputs.length }),
 * });
 * ```
 * @throws RangeError for a field that does not exist, with the nearest one
 */
export function defineCandidate<C extends LayersCandidate>(candidate: C): C;
export function defineCandidate<C extends Candidate>(candidate: C): C;
export function defineCandidate<C extends AnyCandidate>(candidate: C): C {
  checkOptions(candidate, candidateNames, 'defineCandidate', 'field');
  return candidate;
}
