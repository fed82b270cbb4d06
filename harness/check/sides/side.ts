import {
  StackPlan,
  type NetworkConfig,
  type NetworkTargets,
  type ResolvedOptimizerConfig,
  type StackWeights,
  type Tensor,
} from '../../../scratch/index';
import type { LayeredProblem } from '../../base/problem';
import type { PrecisionModel } from '../../budget/index';
import type { ModelDescription, Source } from '../../models/index';
import type { ModelInputs } from '../reference';

/** What a side showed of a layer; absent where it does not show it. */
export interface Shown {
  readonly output?: Tensor;
  readonly states?: readonly (Tensor | undefined)[];
}

/** By layer, in our names. */
export type ShownLayers = ReadonlyMap<string, Shown>;

/** A gradient that arrives at an output of the model from elsewhere. */
export interface Upstream extends Source {
  readonly gradient: Tensor;
}

export interface SideQuestion {
  readonly model: ModelDescription;
  readonly inputs: ModelInputs;
  /** asks for the gradients of Σ output · gradient */ readonly upstream?: readonly Upstream[];
}

/** Gradients that a side showed. */
export interface ShownGradients {
  /** what the layers gave in the run that the gradients belong to, where that is another one than the answer's */
  readonly layers?: ShownLayers;
  /** by layer */ readonly weights: ReadonlyMap<string, Readonly<Record<string, Tensor>>>;
  /** what arrived at the output and the final states of each layer */ readonly outputs: ShownLayers;
  /** by the names of the inputs */ readonly inputs: Readonly<Record<string, Tensor>>;
}

export interface SideAnswer {
  readonly layers: ShownLayers;
  /** absent where it gives none */ readonly gradients?: ShownGradients;
  /** what the user should know */ readonly note?: string;
}

/** Where a training step starts. */
export interface TrainingStart {
  readonly optimizer: ResolvedOptimizerConfig;
  /** updates done before */ readonly step: number;
  /** slot name (`velocity`, `m`, `v`) to one tensor a weight; empty before the first update */
  readonly slots: Readonly<Record<string, StackWeights>>;
}

/** One training step of a chain of layers: a batch with its labels or targets, and the weights before. */
export interface ChainTraining extends TrainingStart {
  readonly problem: LayeredProblem;
  /** of a Masking layer before the first: the steps that the mask of the problem leaves out hold it */ readonly maskValue?:
    number | undefined;
}

/** One training step of a model of any form: its weights are those before, and the loss is Σ output · gradient. */
export interface ModelTraining extends TrainingStart {
  readonly model: ModelDescription;
  readonly inputs: ModelInputs;
  readonly upstream: readonly Upstream[];
}

export type TrainingQuestion = ChainTraining | ModelTraining;

/** Why our own networks do not train every model. */
export const chainsOnly = 'it trains a chain of layers that ends in a loss, and this model is none';

/** The labels or targets of a batch, in the shape that networks take. */
export function targetsOf({ labels, targets, model, inputs }: LayeredProblem): NetworkTargets {
  if (labels === undefined) return targets ?? [];
  const [batch, timeSteps] = inputs.shape;
  const shape = new StackPlan(model as NetworkConfig).outputShape({ batch, timeSteps });
  // of every time step as a tensor, else as they are
  return shape.length === 3 ? { data: Float64Array.from(labels), shape: shape.slice(0, -1) } : labels;
}

/** What one training step made, by the layers that have weights. */
export interface TrainingAnswer {
  /** of the batch, before the update; absent where the loss is Σ output · gradient */ readonly loss?:
    number | undefined;
  readonly weights: StackWeights;
  readonly slots: Readonly<Record<string, StackWeights>>;
}

/** A program that runs a user's model. */
export interface ModelSide {
  /** `tfjs:wasm`, `graph`, `keras` */ readonly name: string;
  readonly version: string;
  /** how it rounds */ readonly model: PrecisionModel;
  /**
   * @throws ProblemRefusedError when this program does not have a layer or an option of the model
   */
  run(question: SideQuestion): Promise<SideAnswer>;
  /**
   * One training step by the program's own optimizer; absent where it does not train.
   *
   * @throws ProblemRefusedError when it cannot train this network
   */
  train?(question: TrainingQuestion): TrainingAnswer | Promise<TrainingAnswer>;
  close?(): Promise<void>;
}
