import { expect } from 'chai';
import { ScratchSimpleRNNClassifier, SimpleRNN, zeros, type SimpleRNNClassifier } from '../../scratch/index';
import {
  evaluateWithGraph,
  evaluateWithTfjs,
  GraphSimpleRNNClassifier,
  TfSimpleRNN,
  TfSimpleRNNClassifier,
  type LoadedBackend,
} from '../../src/index';
import { describeOnBackends, testedBackends } from '../support/backends';
import { layerProblem } from '../support/layer-problem';

const sizes = { features: 2, units: 3, classes: 4 };
const { inputs, weights, upstream } = layerProblem(3, { B: 2, T: 3, F: 2, U: 3 }, 0.5, false);
const labels = [0, 3];
const five = new ScratchSimpleRNNClassifier(sizes).getWeights();

/** An array with a hole in place of its element `at`. */
function holed<T>(values: readonly T[], at: number): T[] {
  const sparse = values.slice();
  Reflect.deleteProperty(sparse, at);
  return sparse;
}

const ring: unknown[] = [];
ring.push(ring);

/** Mistakes that every network refuses, in the same words. */
const mistakes: Record<string, (model: SimpleRNNClassifier) => unknown> = {
  'ragged inputs': (m) => m.predict([[[1, 2]], [[1]]]),
  'inputs of rank 2': (m) => m.predict([[1, 2]]),
  'other features': (m) => m.predictProbabilities([[[1, 2, 3]]]),
  'an empty batch': (m) => m.loss([], []),
  'no time steps': (m) => m.predict({ data: [], shape: [4, 0, 2] }),
  'NaN in the inputs': (m) => m.trainOnBatch([[[1, NaN]]], [0]),
  'infinity in the inputs': (m) => m.lossAndGradients([[[Infinity, 1]]], [0]),
  'a string in the inputs': (m) => m.predict([[[1, '2']]] as never),
  'nothing for inputs': (m) => m.predict(undefined as never),
  'too few labels': (m) => m.trainOnBatch(inputs, [0]),
  'a label beyond the classes': (m) => m.loss(inputs, [0, 4]),
  'a negative label': (m) => m.lossAndGradients(inputs, [0, -1]),
  'a fractional label': (m) => m.trainOnBatch(inputs, [0, 0.5]),
  'no labels': (m) => m.trainOnBatch(inputs, undefined as never),
  'an initial state of another batch': (m) => m.predict(inputs, { initialState: zeros(3, 3) }),
  'an initial state of other units': (m) => m.trainOnBatch(inputs, labels, { initialState: zeros(2, 4) }),
  'a mask of other steps': (m) => m.predict(inputs, { mask: zeros(2, 4) }),
  'a fractional mask': (m) =>
    m.loss(inputs, labels, {
      mask: [
        [1, 0.5, 1],
        [1, 1, 1],
      ],
    }),
  'a batch size of none': (m) => m.evaluate(inputs, labels, { batchSize: 0 }),
  'weights of another shape': (m) => m.setWeights({ ...five, kernel: zeros(3, 3) }),
  'a missing weight': (m) => m.setWeights({ ...five, outputBias: undefined as never }),
  'weights of NaN': (m) => m.setWeights({ ...five, bias: [NaN, 0, 0] }),
  'an unknown optimizer': (m) => m.compile({ optimizer: 'rmsprop' as never }),
  'a negative learning rate': (m) => m.compile({ learningRate: -1 }),
  'a momentum of 1': (m) => m.compile({ optimizer: { name: 'sgd', momentum: 1 } }),
  'a clipNorm of 0': (m) => m.compile({ clipNorm: 0 }),
  'a form of Adam that there is not': (m) =>
    m.compile({ optimizer: { name: 'adam', form: 'torch' as never } }),
  'an optimizer state without its slots': (m) =>
    m.setOptimizerState({ config: { name: 'adam' }, step: 3, slots: { m: five } }),
  'an optimizer state with slots of another shape': (m) =>
    m.setOptimizerState({
      config: { name: 'sgd', momentum: 0.9 },
      step: 1,
      slots: { velocity: { ...five, bias: zeros(4) } },
    }),
  'a fractional step': (m) => m.setOptimizerState({ config: { name: 'sgd' }, step: 0.5, slots: {} }),

  'a hole in a row': (m) => m.predict([[holed([1, 2], 1)]]),
  'a hole among the rows': (m) =>
    m.predict([
      holed(
        [
          [1, 2],
          [3, 4],
        ],
        0,
      ),
    ]),
  'a hole in flat inputs': (m) => m.predict({ data: holed([1, 2], 0), shape: [1, 1, 2] }),
  'a hole in a shape': (m) => m.predict({ data: [1, 2], shape: holed([1, 1, 2], 1) }),
  'a hole in the labels': (m) => m.loss(inputs, holed(labels, 1)),
  'a hole in a mask': (m) =>
    m.predict(
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      { mask: [holed([1, 1], 0)] },
    ),
  'a hole in an initial state': (m) => m.predict([[[1, 2]]], { initialState: [holed([1, 2, 3], 2)] }),
  'a hole in a weight': (m) => m.setWeights({ ...five, bias: holed([1, 2, 3], 1) }),
  'a hole in an optimizer slot': (m) =>
    m.setOptimizerState({
      config: { name: 'sgd', momentum: 0.9 },
      step: 1,
      slots: { velocity: { ...five, bias: holed([1, 2, 3], 1) as never } },
    }),
  'an option of predict that there is not': (m) => m.predict(inputs, { initialstate: zeros(2, 3) } as never),
  'an option of predictProbabilities that there is not': (m) =>
    m.predictProbabilities(inputs, { masks: [] } as never),
  'an option of evaluate that there is not': (m) => m.evaluate(inputs, labels, { batchsize: 1 } as never),
  'an option of trainOnBatch that there is not': (m) => m.trainOnBatch(inputs, labels, { lr: 5 } as never),
  'an option of lossAndGradients that there is not': (m) =>
    m.lossAndGradients(inputs, labels, { batchSize: 1 } as never),
  'an option of compile that there is not': (m) => m.compile({ clipnorm: 1 } as never),
  'an option of SGD that there is not': (m) =>
    m.compile({ optimizer: { name: 'sgd', learningRat: 1 } as never }),
  'an option of Adam that SGD has': (m) => m.compile({ optimizer: { name: 'adam', momentum: 0.9 } as never }),
  'a part of the optimizer state that there is not': (m) =>
    m.setOptimizerState({ config: { name: 'sgd' }, step: 0, slots: {}, steps: 3 } as never),
  'options that are none': (m) => m.predict(inputs, 3 as never),
  'an optimizer of null': (m) => m.compile({ optimizer: null as never }),
  'a Map of options': (m) => m.predict(inputs, new Map([['mask', 1]]) as never),
  'a mask of null': (m) => m.predict(inputs, { mask: null as never }),
  'an initial state of null': (m) => m.predict(inputs, { initialState: null as never }),
  'an initial state of 0': (m) => m.predict(inputs, { initialState: 0 as never }),
  'an array that holds itself': (m) => m.predict(ring as never),
  'labels of 64 bits': (m) => m.loss(inputs, BigInt64Array.of(0n, 3n) as never),
  'labels that are rows': (m) => m.loss(inputs, [[0], [3]] as never),
  'weights of null': (m) => m.setWeights(null as never),
  'a weight that there is not': (m) => m.setWeights({ ...five, bais: five.bias } as never),
  'a learning rate of null': (m) => m.compile({ learningRate: null as never }),
  'an optimizer state without its settings': (m) => m.setOptimizerState({ step: 0, slots: {} } as never),
  'an optimizer state without slots': (m) =>
    m.setOptimizerState({ config: { name: 'sgd' }, step: 0 } as never),
  'weights that went through JSON': (m) => m.setWeights(JSON.parse(JSON.stringify(five)) as never),
  'nesterov as text': (m) =>
    m.compile({ optimizer: { name: 'sgd', momentum: 0.9, nesterov: 'no' as never } }),
};

const seen = { examples: 0, loss: 0, correct: 0 };
const positionWith = (more: object) => ({
  ...{ epoch: 0, batch: 0, randomState: [1, 2, 3, 4], partial: seen },
  ...more,
});

/** The same for `fit`, which refuses by rejecting. */
const mistakesOfFit: Record<string, [labels: number[], options: object]> = {
  'a label beyond the classes': [[0, 9], {}],
  'no epochs': [labels, { epochs: 0 }],
  'half an example a batch': [labels, { batchSize: 1.5 }],
  'a negative seed': [labels, { seed: -1 }],
  'a negative clipNorm': [labels, { clipNorm: -1 }],
  'lr for learningRate': [labels, { epochs: 1, lr: 5 }],
  'batchsize for batchSize': [labels, { epochs: 1, batchsize: 5 }],
  'a typo in an optimizer': [labels, { epochs: 1, optimizer: { name: 'adam', epsilom: 1 } }],
  'a typo in the validation data': [labels, { epochs: 1, validationData: { inputs, labels, maks: [] } }],
  'a hole in the labels': [holed(labels, 0), {}],
  'a callback that is none': [labels, { epochs: 1, onEpochEnd: 3 }],
  'a verbose that is none': [labels, { epochs: 1, verbose: 'yes' }],
  'a mask of false': [labels, { epochs: 1, mask: false }],
  'validation data of null': [labels, { epochs: 1, validationData: null }],
  'a learning rate of null': [labels, { epochs: 1, learningRate: null }],
  'an optimizer of null': [labels, { epochs: 1, optimizer: null }],
  'a position that is none': [labels, { epochs: 1, position: {} }],
  'a position of NaN': [labels, { epochs: 1, position: positionWith({ partial: { ...seen, loss: NaN } }) }],
  'a position behind the last epoch': [labels, { epochs: 1, position: positionWith({ epoch: 2 }) }],
  'a position without a random state': [labels, { epochs: 1, position: positionWith({ randomState: 0 }) }],
};

/** Mistakes in what a classifier is made from. */
const mistakesOfConstructors: Record<string, [options: object, message: RegExp]> = {
  'unit for units': [
    { ...sizes, unit: 3 },
    /there is no option unit; the nearest is units \(there are features, units, classes, seed/,
  ],
  'lr for learningRate': [{ ...sizes, lr: 1 }, /there is no option lr; the nearest is learningRate/],
  'one class': [
    { ...sizes, classes: 1 },
    /^classes is 1; the softmax of one number is always 1, .*pass at least 2.*2 classes with outputKernel \[0, w\]/s,
  ],
  'no units': [{ ...sizes, units: 0 }, /^units is 0; a size must be an integer of at least 1/],
  'half a class': [{ ...sizes, classes: 2.5 }, /^classes is 2\.5/],
  'a negative seed': [{ ...sizes, seed: -1 }, /the seed is -1/],
  'weights of one class': [
    { ...sizes, classes: 1, weights: { ...five, outputKernel: zeros(3, 1), outputBias: [0] } },
    /^classes is 1/,
  ],
  // (2·10^9 + 10^18 + 10^9 + 4·10^9 + 4) numbers of 8 bytes
  'more units than memory': [
    { ...sizes, units: 1e9 },
    /^units 1000000000, features 2, classes 4: numbers of shapes \[2, 1000000000\], .* need 8\.0e\+18 bytes, more than the 4,294,967,296 that there may be/,
  ],
  'more features than memory': [{ ...sizes, features: 1e9 }, /need 24,000,000,\d+ bytes/],
};

describe('what every network refuses', () => {
  it('scratch refuses in three parts: what came, what was expected, how to fix it', () => {
    const model = new ScratchSimpleRNNClassifier(sizes);
    const before = model.getWeights();
    for (const [mistake, make] of Object.entries(mistakes)) {
      expect(
        messageOf(() => make(model)),
        mistake,
      ).to.match(/;|must|expected/);
    }
    expect(model.getWeights()).to.deep.equal(before);
  });

  it('names the option that does not exist and the nearest one that does', () => {
    const model = new ScratchSimpleRNNClassifier(sizes);
    const names = (options: object) => messageOf(() => model.evaluate(inputs, labels, options));
    expect(names({ batchsize: 1 })).to.equal(
      'evaluate: there is no option batchsize; the nearest is batchSize (there are initialState, mask, batchSize), so correct the name or leave it out.',
    );
    for (const [word, nearest] of [
      ['bs', 'batchSize'],
      ['h0', 'mask'],
      ['initial_state', 'initialState'],
      ['maks', 'mask'],
    ]) {
      expect(names({ [word]: 1 })).to.contain(`no option ${word}; the nearest is ${nearest} `);
    }
    expect(() => model.evaluate(inputs, labels, { lr: 1 } as never)).to.throw(RangeError);
    expect(() => model.evaluate(inputs, labels, null as never)).to.throw(TypeError, 'options is null');
  });

  it('takes a hole for undefined: a TypeError where a number is missing', () => {
    const model = new ScratchSimpleRNNClassifier(sizes);
    expect(() => model.predict([[holed([1, 2], 1)]])).to.throw(
      TypeError,
      'inputs holds undefined at [0, 0, 1]',
    );
    const layer = new SimpleRNN({ features: 2, units: 3 });
    expect(() => layer.forward(inputs, [holed([1, 2, 3], 0), [1, 2, 3]])).to.throw(
      TypeError,
      'initialState holds undefined at [0, 0]',
    );
    expect(() =>
      layer.backward(layer.forward(inputs).cache, { finalState: [[1, 2, 3], holed([1, 2, 3], 0)] }),
    ).to.throw(TypeError, 'upstream.finalState holds undefined at [1, 0]');
    expect(() => layer.backward(layer.forward(inputs).cache, { finalstate: zeros(2, 3) } as never)).to.throw(
      RangeError,
      'upstream: there is no option finalstate; the nearest is finalState',
    );
  });

  it('allocates by the examples that there are, not by the batch size', async () => {
    const model = new ScratchSimpleRNNClassifier(sizes);
    const { epochs } = await model.fit(inputs, labels, { epochs: 1, batchSize: 1e9 });
    expect(epochs).to.have.length(1);
    expect(model.evaluate(inputs, labels, { batchSize: 1e9 })).to.deep.equal(model.evaluate(inputs, labels));
  });

  for (const [name, Layer] of [['SimpleRNN', SimpleRNN]] as const) {
    it(`${name}: an unknown option, units that no memory holds`, () => {
      expect(() => new Layer({ features: 2, units: 3, seeds: 1 } as never)).to.throw(
        RangeError,
        `${name}: there is no option seeds; the nearest is seed`,
      );
      expect(() => new Layer({ features: 2, units: 1e9 })).to.throw(RangeError, 'need 8.0e+18 bytes');
    });
  }
});

describe('one training at a time', () => testOneFit(() => new ScratchSimpleRNNClassifier(sizes)));

function describeEngine(
  engine: string,
  backend: () => LoadedBackend,
  make: (options?: object) => SimpleRNNClassifier,
): void {
  it(`${engine}: refuses what the scratch classifier refuses, in its words, and works on afterwards`, async () => {
    const scratch = new ScratchSimpleRNNClassifier(sizes);
    const model = make();
    const expected = model.lossAndGradients(inputs, labels);
    const tensors = backend().tf.memory().numTensors;
    for (const [mistake, act] of Object.entries(mistakes)) {
      const message = messageOf(() => act(scratch));
      expect(
        messageOf(() => act(model)),
        mistake,
      ).to.equal(message);
      expect(backend().tf.memory().numTensors, mistake).to.equal(tensors);
    }
    for (const [mistake, [theirs, options]] of Object.entries(mistakesOfFit)) {
      const message = await rejectionOf(scratch.fit(inputs, theirs, options));
      expect(message, mistake).to.match(/;/);
      expect(await rejectionOf(model.fit(inputs, theirs, options)), mistake).to.equal(message);
    }
    expect(model.lossAndGradients(inputs, labels)).to.deep.equal(expected);
    model.dispose();
  });

  it(`${engine}: bad options of the constructor, before any work`, () => {
    for (const [mistake, [options, message]] of Object.entries(mistakesOfConstructors)) {
      expect(() => make(options), mistake).to.throw(RangeError, message);
      expect(() => new ScratchSimpleRNNClassifier(options as never), mistake).to.throw(RangeError, message);
    }
  });

  describe(`${engine}: one training at a time`, () => testOneFit(make));
}

describeOnBackends('what every network refuses', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    describeEngine(gradients, backend, (options = {}) => {
      return new TfSimpleRNNClassifier({ ...sizes, ...options, backend: backend(), gradients });
    });
  }

  it('unknown options of layers and problems', () => {
    const make = (more: object) => () =>
      new TfSimpleRNN({ backend: backend(), features: 2, units: 3, ...more });
    expect(make({ gradient: 'bptt' })).to.throw(
      RangeError,
      'TfSimpleRNN: there is no option gradient; the nearest is gradients',
    );
    expect(make({ units: 1e9 })).to.throw(RangeError, 'need 8.0e+18 bytes');
    const problem = { inputs, weights, upstream };
    expect(() => evaluateWithTfjs(backend(), problem, { gradient: 'bptt' } as never)).to.throw(
      RangeError,
      'no option gradient',
    );
    expect(() =>
      evaluateWithTfjs(backend(), { ...problem, initialState: [holed([1, 2, 3], 1), [1, 2, 3]] }),
    ).to.throw(TypeError, 'holds undefined at [0, 1]');
  });
});

describeOnBackends(
  'what every network refuses: the graph',
  (backend) => {
    const make = (options: object = {}) =>
      new GraphSimpleRNNClassifier({ ...sizes, ...options, backend: backend() });
    describeEngine('graph', backend, make);

    it('unknown options of graphs and problems', () => {
      const problem = { inputs, weights, upstream };
      expect(() =>
        evaluateWithGraph(backend(), { ...problem, upstream: { finalstate: 1 } } as never),
      ).to.throw(RangeError, 'evaluate: upstream: there is no option finalstate; the nearest is finalState');
      expect(
        () => new GraphSimpleRNNClassifier({ ...sizes, backend: backend(), chain: 2 } as never),
      ).to.throw(RangeError, 'no option chain; the nearest is chains');
      expect(
        () => new GraphSimpleRNNClassifier({ ...sizes, backend: backend(), loop: 'unroled' as never }),
      ).to.throw(RangeError, 'loop is unroled; the nearest is unrolled (there are unrolled, while)');
      const model = make();
      expect(() => model.warmUp(2, 3, { maks: true } as never)).to.throw(RangeError, 'no option maks');
      expect(() => model.warmUp(2, 3, { mask: 'yes' as never })).to.throw(TypeError, 'mask is "yes"');
      model.dispose();
    });
  },
  testedBackends.filter((name) => name === 'tensorflow'),
);

/** While `fit` runs, only its callbacks change the network. */
function testOneFit(make: () => SimpleRNNClassifier): void {
  const fit = { epochs: 2, batchSize: 1, optimizer: 'adam' } as const;

  it('refuses a second fit, and trains as if none had been tried', async () => {
    const [model, alone] = [make(), make()];
    const expected = await alone.fit(inputs, labels, fit);
    const first = model.fit(inputs, labels, fit);
    expect(await rejectionOf(model.fit(inputs, labels, { ...fit, learningRate: 1 }))).to.match(
      /^fit: this network is being trained by another fit that has not ended; await that one first/,
    );
    expect(await first).to.deep.equal(expected);
    expect(model.getWeights()).to.deep.equal(alone.getWeights());
    expect(model.getOptimizerState()).to.deep.equal(alone.getOptimizerState());
    // and the model is free again, also after a fit that was refused
    await rejectionOf(model.fit(inputs, [9, 9]));
    await model.fit(inputs, labels, { ...fit, epochs: 1 });
    for (const each of [model, alone]) each.dispose();
  });

  it('refuses other changes meanwhile, and answers questions', async () => {
    const [model, alone] = [make(), make()];
    await alone.fit(inputs, labels, fit);
    const state = model.getOptimizerState();
    const running = model.fit(inputs, labels, fit);
    for (const [method, change] of Object.entries({
      trainOnBatch: () => model.trainOnBatch(inputs, labels),
      setWeights: () => model.setWeights(five),
      setOptimizerState: () => model.setOptimizerState(state),
      compile: () => model.compile({}),
    })) {
      expect(change, method).to.throw(
        Error,
        `${method}: this network is being trained by a fit that has not ended`,
      );
    }
    expect(model.predict(inputs)).to.have.length(2);
    await running;
    expect(model.getWeights()).to.deep.equal(alone.getWeights());
    model.setWeights(five);
    for (const each of [model, alone]) each.dispose();
  });

  it('trains on what it was given, though the caller changes its arrays meanwhile', async () => {
    const [model, alone] = [make(), make()];
    const validationData = { inputs: inputs, labels };
    const settings = { ...fit, validationData };
    const expected = await alone.fit(inputs, labels, settings);
    const [mine, theirs] = [inputs.data.slice(), inputs.data.slice()];
    const running = model.fit({ ...inputs, data: mine }, labels, {
      ...settings,
      validationData: { ...validationData, inputs: { ...inputs, data: theirs } },
    });
    for (const data of [mine, theirs]) data.fill(9);
    expect(await running).to.deep.equal(expected);
    // nor are settings that were asked for the model's own
    const asked = model.getOptimizerState().config as { learningRate: number };
    asked.learningRate = 5;
    expect(model.getOptimizerState()).to.deep.equal(alone.getOptimizerState());
    for (const each of [model, alone]) each.dispose();
  });

  it('lets a callback set weights and optimizer, but not train', async () => {
    const model = make();
    const refused: string[] = [];
    await model.fit(inputs, labels, {
      ...fit,
      onEpochEnd: async () => {
        await Promise.resolve();
        model.setWeights(five);
        model.compile({ learningRate: 0.5 });
        refused.push(messageOf(() => model.trainOnBatch(inputs, labels)));
        refused.push(await rejectionOf(model.fit(inputs, labels, fit)));
      },
    });
    expect(refused).to.have.length(4);
    for (const message of refused) expect(message).to.match(/has not ended/);
    expect(model.getWeights()).to.deep.equal(five);
    model.dispose();
  });
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was refused';
}

function rejectionOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing was refused',
    (error: unknown) => (error as Error).message,
  );
}
