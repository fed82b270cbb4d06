import type { ResolvedOptimizerConfig } from '../../../scratch/index';
import type { WireTensor } from '../../base/process/index';

/** Where a tensor comes from: the output of an input or a layer, or one of its final states. */
export interface FrameworkSource {
  readonly of: string;
  readonly state?: number;
}

/** A layer for a framework: plain data in Keras's words. */
export interface FrameworkLayer<Tensor> {
  readonly name: string;
  readonly config: { readonly layer: string };
  readonly reads: FrameworkSource;
  readonly initialStates?: readonly FrameworkSource[];
  readonly maskedRows?: string;
  /** [B, T] of 0 and 1, in the order of the steps that it reads; else it sees the mask that the framework itself passes on */
  readonly mask?: Tensor;
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** A loss of the numbers that a layer gives: the mean over examples, and over the time steps that exist. */
export interface FrameworkLoss<Tensor> extends FrameworkSource {
  readonly name: string;
  /** class indices [B] or [B, T], or numbers in the shape of the layer's output */ readonly target: Tensor;
  /** [B, T] of 0 and 1: which steps exist */ readonly mask?: Tensor;
}

/** A model, its inputs, and the gradients that arrive at its layers. */
export interface FrameworkQuestion<Tensor> {
  readonly modelInputs: readonly {
    readonly name: string;
    readonly shape: readonly (number | null)[];
    readonly vocabulary?: number;
  }[];
  readonly layers: readonly FrameworkLayer<Tensor>[];
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** asks for it and its gradients */ readonly loss?: FrameworkLoss<Tensor>;
  /** asks for the gradients of Σ output · gradient, besides those of the loss */
  readonly upstream?: readonly (FrameworkSource & { readonly gradient: Tensor })[];
  /** the user's file, which the framework opens itself where it can */ readonly file?: string;
  /** base64 of an ONNX model of it, for a runtime of such models */ readonly onnx?: string;
  /** asks for one update of the weights by the framework's own optimizer; with `loss` */
  readonly training?: FrameworkTraining<Tensor>;
}

/** By layer and weight. */
export type FrameworkWeights<Tensor> = Readonly<Record<string, Readonly<Record<string, Tensor>>>>;

/** Where an update starts. */
export interface FrameworkTraining<Tensor> {
  readonly optimizer: ResolvedOptimizerConfig;
  /** updates done before */ readonly step: number;
  /** `velocity`, or `m` and `v`; empty before the first update */
  readonly slots: Readonly<Record<string, FrameworkWeights<Tensor>>>;
}

/** What a framework shows, by layer. */
export interface FrameworkAnswer<Tensor> {
  readonly layers: Readonly<Record<string, { readonly output: Tensor; readonly states?: readonly Tensor[] }>>;
  /** [1] */ readonly loss?: Tensor;
  readonly gradients?: {
    readonly weights: FrameworkWeights<Tensor>;
    /** what arrives at each layer's output and final states */
    readonly outputs: Readonly<
      Record<string, { readonly output?: Tensor; readonly states: readonly (Tensor | null)[] }>
    >;
    readonly inputs: Readonly<Record<string, Tensor>>;
  };
  /** what the update made */
  readonly trained?: {
    readonly weights: FrameworkWeights<Tensor>;
    readonly slots: Readonly<Record<string, FrameworkWeights<Tensor>>>;
  };
  /** what the user should know */ readonly note?: string;
}

/** What each operation of harness/sides/python/serve.py takes and gives. */
export interface FrameworkOperations {
  /** loads the library; fails as absent where it is not installed */
  start: { request: object; result: { readonly version: string } };
  run: { request: { question: FrameworkQuestion<WireTensor> }; result: FrameworkAnswer<WireTensor> };
}
