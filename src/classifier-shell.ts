import {
  checkClassifierWeights,
  checkLabels,
  checkSequences,
  evaluateOptions,
  runFit,
  weightsByLayer,
  weightsOfLayers,
} from '../scratch/index';
import type {
  BatchResult,
  ClassifierSizes,
  ClassifierWeights,
  FitOptions,
  History,
  LossAndGradients,
  NetworkPlan,
  SequenceOptions,
  SimpleRNNClassifier,
  StackInputs,
  StackWeights,
  Tensor,
  TensorLike,
} from '../scratch/index';
import { argmaxOfRow } from './host-losses';
import type { CheckedBatch, NetworkEngine } from './network-engine';
import { sequenceInputs } from './problem';
import { Shell } from './shell';

type GivenClassifierWeights = { readonly [K in keyof ClassifierWeights]: TensorLike };

interface OfClassifier {
  readonly options: SequenceOptions;
  readonly targets: ArrayLike<number>;
  readonly weights: ClassifierWeights;
  readonly givenWeights: GivenClassifierWeights;
  readonly result: BatchResult;
}

/** A network of two layers, a SimpleRNN and a Dense layer on its final state, under the names of the classifier. */
export abstract class ClassifierShell extends Shell<OfClassifier> implements SimpleRNNClassifier {
  readonly features: number;
  readonly units: number;
  readonly classes: number;

  protected constructor(
    sizes: ClassifierSizes,
    plan: NetworkPlan,
    engine: NetworkEngine,
    clipNorm: number | undefined,
    runsOn: { use(): void },
  ) {
    super('classifier', plan, engine, clipNorm, runsOn);
    ({ features: this.features, units: this.units, classes: this.classes } = sizes);
  }

  async fit(inputs: TensorLike, labels: ArrayLike<number>, options: FitOptions = {}): Promise<History> {
    this.begin('fit');
    return runFit(this, inputs, labels, options);
  }

  predict(inputs: TensorLike, options: SequenceOptions = {}): Int32Array {
    const { data, shape } = this.predictions(inputs, options, 'predict').logits;
    return Int32Array.from({ length: shape[0] }, (_, b) => argmaxOfRow(data, b * this.classes, this.classes));
  }

  predictProbabilities(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.predictions(inputs, options, 'predictProbabilities').outputs;
  }

  /** Logits [B, C], before the softmax. */
  predictLogits(inputs: TensorLike, options: SequenceOptions = {}): Tensor {
    return this.predictions(inputs, options, 'predictLogits').logits;
  }

  loss(inputs: TensorLike, labels: ArrayLike<number>, options: SequenceOptions = {}): number {
    return this.evaluate(inputs, labels, options).loss;
  }

  /** Pure: changes nothing in the model, and returns arrays of its own. */
  lossAndGradients(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions = {},
  ): LossAndGradients {
    const { loss, outputs, gradients } = this.differentiate(inputs, labels, options);
    const { weights, inputs: dInputs, initialStates } = gradients;
    return {
      loss,
      probabilities: outputs,
      gradients: { ...weightsOfLayers(weights), inputs: dInputs!, initialState: initialStates[0][0] },
    };
  }

  protected override check(
    inputs: TensorLike,
    options: SequenceOptions,
    name: string,
    more?: object,
  ): StackInputs {
    return sequenceInputs(checkSequences(inputs, options, this, name, more && evaluateOptions), 2);
  }

  protected override checkBatch(
    inputs: TensorLike,
    labels: ArrayLike<number>,
    options: SequenceOptions,
    name: string,
    more?: object,
  ): CheckedBatch {
    const given = this.check(inputs, options, name, more);
    return { given, targets: checkLabels(labels, `${name}: labels`, given.batch, this.classes) };
  }

  protected override checkWeights(weights: GivenClassifierWeights, name: string): StackWeights {
    return weightsByLayer(checkClassifierWeights(weights, this, name));
  }

  protected override fromLayers(weights: StackWeights): ClassifierWeights {
    return weightsOfLayers(weights);
  }
}
