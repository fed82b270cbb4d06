import type { ClassifierWeights, SimpleRNNClassifier, Tensor, TensorLike } from '../../../scratch/index';
import { repeatExamples, type BenchEngine, type EngineProblem, type Scores } from '../process/engine';
import { taskNames } from '../task';

/** How to make one of our classifiers, and what to say about it. */
export interface ClassifierMaker {
  readonly versions: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  make(options: {
    readonly features: number;
    readonly units: number;
    readonly classes: number;
    readonly weights: ClassifierWeights;
  }): SimpleRNNClassifier;
  tensors?(): number;
}

/**
 * Any of our own classifiers as an engine, through its public methods: plain arrays in, plain arrays out, inputs
 * checked and copied on every call. (The peers and tf.layers hold the batch in their own tensors beforehand.)
 */
export class ClassifierEngine implements BenchEngine {
  readonly tasks = taskNames;
  readonly scores = 'probabilities';
  readonly versions: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly tensors?: () => number;
  private problem!: EngineProblem;
  private model: SimpleRNNClassifier | undefined;
  private batch!: Labelled;
  private all!: Labelled;
  private questions!: Readonly<Record<1 | 256, TensorLike>>;

  constructor(private readonly maker: ClassifierMaker) {
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
    return this.opened().predictProbabilities(this.questions[examples]).data;
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

  weights(): { readonly [K in keyof ClassifierWeights]: Tensor } {
    return this.opened().getWeights();
  }

  private build(): SimpleRNNClassifier {
    const { size, weights, learningRate } = this.problem;
    const { features, units, classes } = size;
    const model = this.maker.make({ features, units, classes, weights });
    model.compile({ optimizer: 'sgd', learningRate });
    return model;
  }

  private opened(): SimpleRNNClassifier {
    if (this.model === undefined) throw new Error('No problem is open; call open first.');
    return this.model;
  }
}

interface Labelled {
  readonly inputs: TensorLike;
  readonly labels: Int32Array;
}
