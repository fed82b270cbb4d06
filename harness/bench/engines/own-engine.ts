import {
  weightsByLayer,
  weightsOfLayers,
  type LayersNetwork,
  type NetworkOptions,
  type SimpleRNNClassifier,
  type StackWeights,
  type TensorLike,
} from '../../../scratch/index';
import { repeatExamples, type BenchEngine, type EngineProblem, type Scores } from '../process/engine';
import { networkOf } from '../size';
import { taskNames } from '../task';

/** How to make one of our models, and what to say about it. */
export interface OwnMaker {
  readonly versions: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** for the plain simple RNN, which has a class of its own */
  classifier(options: ConstructorOptions): SimpleRNNClassifier;
  /** for any layers */ network(options: NetworkOptions): LayersNetwork;
  tensors?(): number;
}

type ConstructorOptions = Pick<EngineProblem['size'], 'features' | 'units' | 'classes'> & {
  readonly weights: ReturnType<SimpleRNNClassifier['getWeights']>;
};

/**
 * Any of our own models as an engine: plain arrays in, plain arrays out, inputs checked and copied on every call. (The peers
 * and tf.layers hold the batch in their own tensors beforehand.)
 */
export class OwnEngine implements BenchEngine {
  readonly tasks = taskNames;
  readonly scores = 'probabilities';
  readonly versions: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly tensors?: () => number;
  private problem!: EngineProblem;
  private model: SimpleRNNClassifier | LayersNetwork | undefined;
  private batch!: Labelled;
  private all!: Labelled;
  private questions!: Readonly<Record<1 | 256, TensorLike>>;

  constructor(private readonly maker: OwnMaker) {
    this.versions = maker.versions;
    if (maker.settings !== undefined) this.settings = maker.settings;
    if (maker.tensors !== undefined) this.tensors = () => maker.tensors?.() ?? NaN;
  }

  open(problem: EngineProblem): void {
    this.model?.dispose();
    this.problem = problem;
    this.model = this.build();
    const [, timeSteps, features] = problem.inputs.shape;
    // Each takes the array type it computes in, so that none pays for a conversion that a user would avoid.
    const own = (data: Float32Array, count: number): TensorLike => ({
      data: this.model?.precision === 'float64' ? Float64Array.from(data) : data,
      shape: [count, timeSteps, features],
    });
    const { batch } = problem.size;
    const { data, shape } = problem.inputs;
    const first = data.slice(0, batch * timeSteps * features);
    this.batch = { inputs: own(first, batch), labels: problem.labels.slice(0, batch) };
    this.all = { inputs: own(data, shape[0]), labels: problem.labels };
    this.questions = { 1: own(repeatExamples(problem, 1), 1), 256: own(repeatExamples(problem, 256), 256) };
  }

  trainStep(): number {
    return this.opened().trainOnBatch(this.batch.inputs, this.batch.labels).loss;
  }

  forward(examples: 1 | 256): Scores {
    const model = this.opened();
    const inputs = this.questions[examples];
    return 'config' in model ? model.predict(inputs).outputs.data : model.predictProbabilities(inputs).data;
  }

  async epoch(): Promise<number> {
    const { batch } = this.problem.size;
    const history = await this.opened().fit(this.all.inputs, this.all.labels, {
      epochs: 1,
      batchSize: batch,
      seed: 1,
    });
    return history.epochs[0].loss;
  }

  setUp(): () => void {
    const model = this.build();
    model.trainOnBatch(this.batch.inputs, this.batch.labels);
    return () => model.dispose();
  }

  weights(): StackWeights {
    const model = this.opened();
    return 'config' in model ? model.getWeights() : weightsByLayer(model.getWeights());
  }

  private build(): SimpleRNNClassifier | LayersNetwork {
    const { size, weights, learningRate } = this.problem;
    const { features, units, classes } = size;
    const model =
      size.layers === undefined
        ? this.maker.classifier({ features, units, classes, weights: weightsOfLayers(weights) })
        : this.maker.network({ ...networkOf(size), weights });
    model.compile({ optimizer: 'sgd', learningRate });
    return model;
  }

  private opened(): SimpleRNNClassifier | LayersNetwork {
    if (this.model === undefined) throw new Error('No problem is open; call open first.');
    return this.model;
  }
}

interface Labelled {
  readonly inputs: TensorLike;
  readonly labels: Int32Array;
}
