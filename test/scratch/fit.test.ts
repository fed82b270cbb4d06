import { expect } from 'chai';
import {
  createRandom,
  ScratchSimpleRNNClassifier,
  TrainingDivergedError,
  type BatchLog,
  type CompileOptions,
  type EpochLog,
  type FitOptions,
  type FitPosition,
  type OptimizerState,
  type Trainable,
  runFit,
} from '../../scratch/index';
import { layerProblem, normalTensor } from '../support/layer-problem';

const sizes = { features: 2, units: 4, classes: 3 };
const [N, T] = [10, 5];
const { inputs, mask } = layerProblem(1, { B: N, T, F: 2, U: 4 }, 1, true);
const labels = Array.from({ length: N }, (_, i) => i % 3);
const make = (more: CompileOptions = {}) => new ScratchSimpleRNNClassifier({ ...sizes, seed: 1, ...more });
const validationData = { inputs: normalTensor(2, 1, 4, T, 2), labels: [0, 1, 2, 0] };

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error as Error,
  );
}

describe('scratch/fit', () => {
  it('sees every example once an epoch, in an order that the seed decides and each epoch changes', async () => {
    const orders = async (seed: number) => {
      const seen: number[][] = [[], [], []];
      let epoch = 0;
      const model: Trainable = {
        features: 1,
        classes: 1,
        compile: () => undefined,
        getOptimizerState: () => ({}) as OptimizerState,
        setOptimizerState: () => undefined,
        evaluate: () => ({ loss: 0, accuracy: 0 }),
        trainOnBatch: (batch) => {
          seen[epoch].push(...Array.from((batch as { data: ArrayLike<number> }).data));
          return { loss: 1, accuracy: 0, gradientNorm: 0 };
        },
      };
      const numbers = { data: Float64Array.from({ length: N }, (_, i) => i), shape: [N, 1, 1] };
      await runFit(model, numbers, new Int32Array(N), {
        epochs: 3,
        batchSize: 4,
        seed,
        onEpochEnd: () => {
          epoch++;
        },
      });
      return seen;
    };
    const first = await orders(5);
    for (const order of first) expect([...order].sort((a, b) => a - b)).to.deep.equal([...Array(N).keys()]);
    expect(first[0]).not.to.deep.equal(first[1]);
    expect(await orders(5)).to.deep.equal(first);
    expect(await orders(6)).not.to.deep.equal(first);
    const random = createRandom(5);
    expect(first).to.deep.equal([1, 2, 3].map(() => Array.from(random.permutation(N))));
  });

  it('gathers labels and masks with their examples', async () => {
    const direct = make();
    const order = createRandom(0).permutation(N);
    const pick = (data: Float64Array, width: number) =>
      Float64Array.from(Array.from(order).flatMap((i) => [...data.subarray(i * width, (i + 1) * width)]));
    direct.trainOnBatch(
      { data: pick(inputs.data, T * 2), shape: [N, T, 2] },
      Array.from(order, (i) => labels[i]),
      { mask: { data: pick((mask ?? inputs).data, T), shape: [N, T] } },
    );
    const fitted = make();
    await fitted.fit(inputs, labels, { epochs: 1, batchSize: N, ...(mask && { mask }) });
    expect(fitted.getWeights()).to.deep.equal(direct.getWeights());
  });

  it("logs the mean over all examples, not the last batch's loss", async () => {
    const batches: BatchLog[] = [];
    const { epochs } = await make().fit(inputs, labels, {
      epochs: 2,
      batchSize: 4,
      onBatchEnd: (log) => void batches.push(log),
    });
    expect(batches.map(({ epoch, batch, batchSize }) => [epoch, batch, batchSize])).to.deep.equal(
      [0, 1].flatMap((epoch) => [
        [epoch, 0, 4],
        [epoch, 1, 4],
        [epoch, 2, 2],
      ]),
    );
    for (const { epoch, loss, accuracy } of epochs) {
      const own = batches.filter((log) => log.epoch === epoch);
      expect(loss).to.equal(own.reduce((s, log) => s + log.loss * log.batchSize, 0) / N);
      expect(loss).not.to.equal(own[2].loss);
      expect(accuracy).to.be.closeTo(own.reduce((s, log) => s + log.accuracy * log.batchSize, 0) / N, 1e-15);
    }
  });

  it("prints the notebook's line every 10 epochs", async () => {
    const lines: string[] = [];
    const { epochs } = await make().fit(inputs, labels, {
      epochs: 25,
      verbose: (line) => void lines.push(line),
    });
    expect(lines).to.deep.equal([9, 19].map((e) => `Epoch ${e + 1}/25, Loss: ${epochs[e].loss.toFixed(4)}`));
    await make().fit(inputs, labels, {
      epochs: 10,
      validationData,
      verbose: (line) => void lines.push(line),
    });
    expect(lines[2]).to.match(/^Epoch 10\/10, Loss: \d\.\d{4}, Validation loss: \d\.\d{4}$/);
  });

  it('validates after every epoch, with the weights of that moment', async () => {
    const model = make();
    const logs: EpochLog[] = [];
    await model.fit(inputs, labels, {
      epochs: 3,
      validationData,
      onEpochEnd: (log) => {
        logs.push(log);
        const { loss, accuracy } = model.evaluate(validationData.inputs, validationData.labels);
        expect([log.validationLoss, log.validationAccuracy]).to.deep.equal([loss, accuracy]);
      },
    });
    expect(logs.length).to.equal(3);
  });

  it('awaits callbacks and stops when one answers false', async () => {
    let running = 0;
    const slowly = async (): Promise<void> => {
      expect(++running).to.equal(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    const all = await make().fit(inputs, labels, {
      epochs: 2,
      batchSize: 5,
      onBatchEnd: slowly,
      onEpochEnd: slowly,
    });
    expect(all.completed).to.equal(true);
    const byBatch = await make().fit(inputs, labels, {
      epochs: 5,
      batchSize: 4,
      onBatchEnd: ({ epoch, batch }) => !(epoch === 1 && batch === 1),
    });
    expect([byBatch.epochs.length, byBatch.completed]).to.deep.equal([1, false]);
    const byEpoch = await make().fit(inputs, labels, {
      epochs: 5,
      onEpochEnd: async ({ epoch }) => Promise.resolve(epoch < 2),
    });
    expect([byEpoch.epochs.length, byEpoch.completed]).to.deep.equal([3, false]);
  });

  it('learns: what is learnable is learned', async () => {
    const random = createRandom(1);
    const bits = Array.from({ length: 60 }, () => Array.from({ length: 4 }, () => [random.integer(2)]));
    const firsts = bits.map(([[first]]) => first);
    const model = new ScratchSimpleRNNClassifier({ features: 1, units: 8, classes: 2 });
    await model.fit(bits, firsts, { epochs: 60, batchSize: 10, optimizer: 'adam', learningRate: 0.01 });
    expect(model.evaluate(bits, firsts).accuracy).to.equal(1);
  });

  it('the same seed trains to the same bits', async () => {
    const train = async (seed: number) => {
      const model = make({ optimizer: 'adam' });
      const history = await model.fit(inputs, labels, { epochs: 4, batchSize: 3, seed });
      return { weights: model.getWeights(), history };
    };
    expect(await train(3)).to.deep.equal(await train(3));
    expect((await train(4)).weights).not.to.deep.equal((await train(3)).weights);
  });

  describe('resuming', () => {
    for (const compile of [
      { optimizer: 'adam', clipNorm: 0.5 },
      { optimizer: { name: 'sgd', momentum: 0.9, nesterov: true }, learningRate: 0.05 },
      {},
    ] as CompileOptions[]) {
      it(`ends with the same bits, stopped after any batch (${JSON.stringify(compile)})`, async () => {
        const settings: FitOptions = { ...compile, epochs: 3, batchSize: 4, seed: 9, validationData };
        const whole = make();
        const uninterrupted = await whole.fit(inputs, labels, settings);
        for (let stop = 0; stop < 9; stop++) {
          const before = make();
          let batches = 0;
          let position: FitPosition | undefined;
          const head = await before.fit(inputs, labels, {
            ...settings,
            onBatchEnd: (log) => {
              position = log.position;
              return batches++ < stop;
            },
          });
          // everything through JSON, as a checkpoint would go
          const saved = JSON.parse(
            JSON.stringify(
              { weights: before.getWeights(), state: before.getOptimizerState(), position },
              (_, value: unknown) => (value instanceof Float64Array ? Array.from(value) : value),
            ),
          ) as { weights: never; state: OptimizerState; position: FitPosition };
          const after = new ScratchSimpleRNNClassifier({ ...sizes, seed: 77 });
          after.setWeights(saved.weights);
          after.setOptimizerState(saved.state);
          const tail = await after.fit(inputs, labels, {
            ...settings,
            seed: 12345,
            position: saved.position,
          });
          expect(after.getWeights()).to.deep.equal(whole.getWeights());
          expect(after.getOptimizerState()).to.deep.equal(whole.getOptimizerState());
          expect([...head.epochs, ...tail.epochs]).to.deep.equal(uninterrupted.epochs);
        }
      });
    }

    it('refuses a position of other data, and an optimizer that contradicts the state', async () => {
      const model = make();
      let position: FitPosition | undefined;
      await model.fit(inputs, labels, {
        epochs: 1,
        batchSize: 4,
        onBatchEnd: (log) => void (position = log.position),
      });
      const from = position as unknown as FitPosition;
      const otherBatches = await failure(model.fit(inputs, labels, { batchSize: 5, position: from }));
      expect(otherBatches.message).to.match(/position is epoch 0, batch 3 .* of 2 batches of 5,/);
      const otherRate = await failure(
        model.fit(inputs, labels, { batchSize: 4, position: from, learningRate: 0.5 }),
      );
      expect(otherRate.message).to.match(
        /ask for .*"learningRate":0.5.*, but .*"learningRate":0.01.* made the state/,
      );
    });
  });

  it('optimizer settings compile anew, none continue', async () => {
    const model = make({ optimizer: 'adam' });
    await model.fit(inputs, labels, { epochs: 2 });
    await model.fit(inputs, labels, { epochs: 1 });
    expect(model.getOptimizerState().step).to.equal(3);
    await model.fit(inputs, labels, { epochs: 1, learningRate: 0.5 });
    const { config, step } = model.getOptimizerState();
    expect([config.name, config.learningRate, step]).to.deep.equal(['adam', 0.5, 1]);
  });

  it('stops at a loss that is not finite, with the place, the numbers, and the weights from before', async () => {
    const model = make();
    const weights = model.getWeights();
    weights.outputKernel.data.fill(1e308).fill(-1e308, 0, 6);
    model.setWeights(weights);
    const error = await failure(model.fit(inputs, labels, { epochs: 1, learningRate: 0.25 }));
    expect(error).to.be.instanceOf(TrainingDivergedError);
    expect(error.message).to.match(
      /epoch 1, batch 1, the loss was .* at learning rate 0.25; .* lower learningRate or set clipNorm/,
    );
    expect(model.getWeights()).to.deep.equal(weights);
  });

  it('lets timers in while it trains', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const end = Date.now() + 400;
    await make().fit(inputs, labels, { epochs: 1e9, onBatchEnd: () => Date.now() < end });
    clearInterval(timer);
    expect(ticks).to.be.at.least(2);
  });

  const bad: [string, FitOptions, RegExp][] = [
    ['no epochs', { epochs: 0 }, /epochs is 0/],
    ['half a batch', { batchSize: 0.5 }, /batchSize is 0.5/],
    ['a seed below 0', { seed: -1 }, /seed is -1/],
    ['a mask of another shape', { mask: [[1]] }, /fit: mask has shape \[1, 1\] but \[10, 5\]/],
    [
      'validation labels beyond the classes',
      { validationData: { ...validationData, labels: [0, 1, 2, 3] } },
      /fit: validationData: labels holds 3/,
    ],
    ['a clipNorm of 0', { clipNorm: 0 }, /clipNorm is 0/],
  ];
  for (const [what, options, message] of bad) {
    it(`refuses ${what}`, async () => {
      const model = make();
      const weights = model.getWeights();
      expect((await failure(model.fit(inputs, labels, options))).message).to.match(message);
      expect(model.getWeights()).to.deep.equal(weights);
    });
  }
});
