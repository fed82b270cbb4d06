import type * as tfjs from '@tensorflow/tfjs';
import {
  makeTensor,
  type LayerConfig,
  type RecurrentConfig,
  type StackWeights,
} from '../../../scratch/index';
import { repeatExamples, type BenchEngine, type EngineProblem, type Scores } from '../process/engine';
import { networkOf } from '../size';
import { quantile } from '../statistics';
import { taskNames } from '../task';

type Tf = typeof tfjs;

/**
 * The baseline: what a user of TensorFlow.js writes today. A sequential model of tf.layers, one training step by optimizer.minimize, an epoch by model.fit. Nothing is done to slow it down: the
 * batch of the training step is a tensor already, and only the loss comes back to JavaScript.
 */
export class LayersEngine implements BenchEngine {
  readonly tasks = taskNames;
  readonly scores = 'logits';
  private problem!: EngineProblem;
  private model: tfjs.Sequential | undefined;
  private optimizer!: tfjs.Optimizer;
  private batch!: { readonly inputs: tfjs.Tensor; readonly labels: tfjs.Tensor };
  private questions!: Readonly<Record<1 | 256, tfjs.Tensor>>;

  constructor(
    private readonly tf: Tf,
    readonly versions: Readonly<Record<string, string>>,
  ) {}

  open(problem: EngineProblem): void {
    this.release();
    const { tf } = this;
    this.problem = problem;
    const { model, optimizer } = this.build();
    this.model = model;
    this.optimizer = optimizer;
    const { batch, timeSteps, features, classes } = problem.size;
    const inputs = tf.tensor3d(problem.inputs.data.slice(0, batch * timeSteps * features), [
      batch,
      timeSteps,
      features,
    ]);
    this.batch = { inputs, labels: this.oneHot(problem.labels.slice(0, batch), classes) };
    const question = (count: number) =>
      tf.tensor3d(repeatExamples(problem, count), [count, timeSteps, features]);
    this.questions = { 1: question(1), 256: question(256) };
  }

  trainStep(): number {
    return this.stepOn(this.opened(), this.optimizer);
  }

  forward(examples: 1 | 256): Scores {
    const logits = this.opened().predict(this.questions[examples]) as tfjs.Tensor;
    const scores = logits.dataSync();
    logits.dispose();
    return scores;
  }

  async epoch(): Promise<number> {
    const { size, inputs, labels } = this.problem;
    const [count, timeSteps, features] = inputs.shape;
    const x = this.tf.tensor3d(inputs.data, [count, timeSteps, features]);
    const y = this.oneHot(labels, size.classes);
    const history = await this.opened().fit(x, y, {
      epochs: 1,
      batchSize: size.batch,
      shuffle: true,
    });
    x.dispose();
    y.dispose();
    return Number(history.history['loss'][0]);
  }

  setUp(): () => void {
    const { model, optimizer } = this.build();
    this.stepOn(model, optimizer);
    return () => {
      model.dispose();
      optimizer.dispose();
    };
  }

  weights(): StackWeights {
    const values = this.opened().getWeights();
    let next = 0;
    return this.problem.weights.map((layer) =>
      Object.fromEntries(
        Object.keys(layer).map((name) => {
          const weight = values[next++];
          return [name, makeTensor(Float64Array.from(weight.dataSync()), weight.shape)];
        }),
      ),
    );
  }

  readonly product = (): number => {
    const { tf } = this;
    const [a, b] = [1, 2].map((seed) => tf.randomUniform([1024, 1024], -1, 1, 'float32', seed));
    const times: number[] = [];
    for (const begin = performance.now(); performance.now() - begin < 500;) {
      const before = performance.now();
      tf.matMul(a, b).dispose();
      times.push(performance.now() - before);
    }
    tf.dispose([a, b]);
    return quantile(times, 0.5);
  };

  tensors(): number {
    return this.tf.memory().numTensors;
  }

  private build(): { model: tfjs.Sequential; optimizer: tfjs.Optimizer } {
    const { tf } = this;
    const { size, weights, learningRate } = this.problem;
    const { timeSteps, features } = size;
    const model = tf.sequential();
    networkOf(size).layers.forEach((config, i) => {
      const layer = layerOf(tf, config, i === 0 ? { inputShape: [timeSteps, features] } : {});
      model.add(layer);
    });
    tf.tidy(() => {
      const flat = weights.flatMap((layer) => Object.values(layer));
      model.setWeights(flat.map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape])));
    });
    const optimizer = tf.train.sgd(learningRate);
    model.compile({ optimizer, loss: (labels, logits) => tf.losses.softmaxCrossEntropy(labels, logits) });
    return { model, optimizer };
  }

  private stepOn(model: tfjs.Sequential, optimizer: tfjs.Optimizer): number {
    const { inputs, labels } = this.batch;
    const loss = optimizer.minimize(
      () =>
        this.tf.losses.softmaxCrossEntropy(labels, model.apply(inputs, { training: true }) as tfjs.Tensor),
      true,
    );
    if (loss === null) throw new Error('optimizer.minimize returned no cost.');
    const [value] = loss.dataSync();
    loss.dispose();
    return value;
  }

  private oneHot(labels: Int32Array, classes: number): tfjs.Tensor {
    return this.tf.tidy(() => this.tf.oneHot(this.tf.tensor1d(labels, 'int32'), classes).toFloat());
  }

  private release(): void {
    if (this.model === undefined) return;
    this.model.dispose();
    this.optimizer.dispose();
    this.tf.dispose([this.batch, this.questions]);
    this.model = undefined;
  }

  private opened(): tfjs.Sequential {
    if (this.model === undefined) throw new Error('No problem is open; call open first.');
    return this.model;
  }
}

/** A layer of tf.layers as a user writes it; weights follow. */
function layerOf(tf: Tf, config: LayerConfig, first: { readonly inputShape?: number[] }): tfjs.layers.Layer {
  if (config.layer === 'dense') {
    const { units, activation = 'linear', useBias = true } = config;
    return tf.layers.dense({ ...first, units, activation: activation as 'linear', useBias });
  }
  if (config.layer === 'bidirectional') {
    const { wrapped, mergeMode = 'concat' } = config;
    return tf.layers.bidirectional({ ...first, layer: recurrentOf(tf, wrapped), mergeMode });
  }
  if (config.layer === 'simpleRNN' || config.layer === 'lstm' || config.layer === 'gru') {
    return recurrentOf(tf, config, first);
  }
  throw new Error(`tf.layers: the bench has no ${config.layer} here; leave the engine out.`);
}

function recurrentOf(
  tf: Tf,
  config: RecurrentConfig,
  first: { readonly inputShape?: number[] } = {},
): tfjs.RNN {
  const { units, activation = 'tanh', useBias = true, returnSequences = false } = config;
  const options = {
    ...{ ...first, units, useBias, returnSequences, goBackwards: config.goBackwards ?? false },
    activation: activation as 'tanh',
    // zeros because the weights are set afterwards
    recurrentInitializer: 'zeros' as const,
  };
  if (config.layer === 'simpleRNN') return tf.layers.simpleRNN(options);
  // the default of TensorFlow.js is hardSigmoid
  const recurrentActivation = (config.recurrentActivation ?? 'sigmoid') as 'sigmoid';
  if (config.layer === 'lstm') return tf.layers.lstm({ ...options, recurrentActivation });
  if (config.resetAfter ?? true) {
    throw new Error(
      'tf.layers.gru has no reset after the matrix (tfjs#5728); measure it with gru:128:resetAfter=false.',
    );
  }
  return tf.layers.gru({ ...options, recurrentActivation });
}
