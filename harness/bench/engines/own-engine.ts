import type {
  BatchResult,
  CompileOptions,
  FitOptions,
  History,
  LayersNetwork,
  NetworkOptions,
  SimpleRNNClassifier,
  StackWeights,
  TensorLike,
} from '../../../scratch/index';
import { repeatExamples, type BenchEngine, type EngineProblem, type Scores } from '../process/engine';
import { networkOf } from '../size';
import { taskNames } from '../task';

/** What the bench asks of a model of ours, through its public methods. */
interface OwnModel {
  readonly precision: 'float64' | 'float32';
  compile(options: CompileOptions): void;
  trainOnBatch(inputs: TensorLike, labels: Int32Array): BatchResult;
  /** [N, C] */ probabilities(inputs: TensorLike): Scores;
  fit(inputs: TensorLike, labels: Int32Array, options: FitOptions): Promise<History>;
  weights(): StackWeights;
  dispose(): void;
}

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
  private model: OwnModel | undefined;
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
    return this.opened().probabilities(this.questions[examples]);
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
    return this.opened().weights();
  }

  private build(): OwnModel {
    const { size, weights, learningRate } = this.problem;
    const { features, units, classes } = size;
    const model =
      size.layers === undefined
        ? ofClassifier(
            this.maker.classifier({ features, units, classes, weights: classifierWeights(weights) }),
          )
        : ofNetwork(this.maker.network({ ...networkOf(size), weights }));
    model.compile({ optimizer: 'sgd', learningRate });
    return model;
  }

  private opened(): OwnModel {
    if (this.model === undefined) throw new Error('No problem is open; call open first.');
    return this.model;
  }
}

function ofClassifier(model: SimpleRNNClassifier): OwnModel {
  return {
    precision: model.precision,
    compile: (options) => model.compile(options),
    trainOnBatch: (inputs, labels) => model.trainOnBatch(inputs, labels),
    probabilities: (inputs) => model.predictProbabilities(inputs).data,
    fit: (inputs, labels, options) => model.fit(inputs, labels, options),
    weights() {
      const { outputKernel, outputBias, ...recurrent } = model.getWeights();
      return [{ ...recurrent }, { kernel: outputKernel, bias: outputBias }];
    },
    dispose: () => model.dispose(),
  };
}

function ofNetwork(model: LayersNetwork): OwnModel {
  return {
    precision: model.precision,
    compile: (options) => model.compile(options),
    trainOnBatch: (inputs, labels) => model.trainOnBatch(inputs, labels),
    probabilities: (inputs) => model.predict(inputs).outputs.data,
    fit: (inputs, labels, options) => model.fit(inputs, labels, options),
    weights: () => model.getWeights(),
    dispose: () => model.dispose(),
  };
}

/** The weights of a simple RNN and a dense layer under the names of the classifiers. */
export function classifierWeights([recurrent, output]: StackWeights): ConstructorOptions['weights'] {
  const { kernel, recurrentKernel, bias } = recurrent;
  return { kernel, recurrentKernel, bias, outputKernel: output['kernel'], outputBias: output['bias'] };
}

interface Labelled {
  readonly inputs: TensorLike;
  readonly labels: Int32Array;
}
