import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import type { CompileOptions, LayerConfig, NetworkConfig } from '../../../scratch/index';
import { GraphNetwork, loadBackend, openSessions, type LoadedBackend } from '../../../src/index';
import { answerTo, cases, flattened, madeBy, titleOf } from '../../support/cell-vectors';
import { scaledDifference } from '../../support/layer-problem';
import { nameOf, questionFor, tensorsOf } from '../../support/network-cases';
import { recurrentLayers, withSequences } from '../../support/stack-problem';

/** Every cell, option and loss, in few networks: each is compiled several times. */
const [simple, sigmoid, lstm, hardLstm, gru, gruBefore, hardGru, ...bidirectional] = recurrentLayers(3);
const stacks: NetworkConfig[] = [
  { features: 2, layers: [simple, lstm, gru].map(withSequences), loss: 'meanSquaredError' },
  {
    features: 2,
    layers: [withSequences(sigmoid), withSequences(gruBefore), hardLstm, { layer: 'dense', units: 3 }],
  },
  {
    features: 2,
    layers: [...bidirectional.slice(0, 2).map(withSequences), { layer: 'dense', units: 2 }],
    loss: 'sigmoidCrossEntropy',
  },
  { features: 2, layers: [...bidirectional.slice(2, 3).map(withSequences), bidirectional[3]] },
  {
    layers: [
      { layer: 'embedding', inputDim: 5, outputDim: 2, maskZero: true },
      withSequences(hardGru),
      { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 4, activation: 'relu' } },
      { layer: 'simpleRNN', units: 2, activation: 'relu', returnSequences: true },
      { layer: 'dense', units: 3, useBias: false, activation: 'hardSigmoid' },
    ],
  },
];

describe('graph/network', () => {
  let backend: LoadedBackend;
  let tensors: number;
  const made: { dispose(): void }[] = [];
  before(async () => {
    backend = await loadBackend('tensorflow');
    backend.use();
    tensors = backend.tf.memory().numTensors;
  });
  afterEach(() => {
    made.splice(0).forEach((model) => model.dispose());
    expect(backend.tf.memory().numTensors, 'tensors left behind').to.equal(tensors);
    expect(openSessions(backend), 'open sessions').to.equal(0);
  });

  function graph(options: Omit<ConstructorParameters<typeof GraphNetwork>[0], 'backend'>) {
    const model = new GraphNetwork({ backend, ...options });
    made.push(model);
    return model;
  }

  /** Every expected number is there, and near: by the larger of 1 and the largest of its tensor. */
  function near(given: object, expected: object, tolerance: number): void {
    const found = tensorsOf(given as Parameters<typeof tensorsOf>[0]);
    for (const [name, { data, shape }] of tensorsOf(expected as Parameters<typeof tensorsOf>[0])) {
      expect(found.get(name)?.shape, name).to.deep.equal(shape);
      expect(scaledDifference(found.get(name)!.data, data), name).to.be.below(tolerance);
    }
  }

  stacks.forEach((config, i) => {
    it(`answers as the scratch network does: ${nameOf(config)}`, () => {
      const scratch = new ScratchNetwork({ ...config, seed: i });
      const { inputs, question } = questionFor(scratch, i, true);
      const { upstream, targets, mask, initialStates } = question;
      const partly = { upstream: { finalStates: upstream!.finalStates! } };
      for (const [options, questions] of [
        [{ loop: 'unrolled' }, [question, { targets: targets! }, partly]],
        [{ loop: 'while', chains: 2 }, [question]],
      ] as const) {
        const model = graph({ ...config, ...options, seed: i });
        for (const asked of questions) near(model.run(inputs, asked), scratch.run(inputs, asked), 1e-5);
        const given = { mask: mask!, initialStates: initialStates! };
        if (options.loop === 'unrolled')
          near(model.predict(inputs, given), scratch.predict(inputs, given), 1e-5);
      }
    });
  });

  it('answers alike where matrices are transposed once per call', () => {
    const layers: LayerConfig[] = [
      { layer: 'gru', units: 37, returnSequences: true, resetAfter: false },
      { layer: 'gru', units: 37, returnSequences: true },
      { layer: 'lstm', units: 32, returnSequences: true },
      { layer: 'simpleRNN', units: 64 },
      { layer: 'dense', units: 2 },
    ];
    const scratch = new ScratchNetwork({ features: 2, layers, seed: 1 });
    const { inputs, question } = questionFor(scratch, 1, false, { B: 2, T: 2 });
    for (const loop of ['unrolled', 'while'] as const) {
      const model = graph({ features: 2, layers, seed: 1, loop });
      near(model.run(inputs, question), scratch.run(inputs, question), 1e-5);
    }
  });

  it(`gives the numbers of ${madeBy}, for every cell and option`, () => {
    for (const one of cases) {
      const given = answerTo(one, (options) => new GraphNetwork({ backend, ...options }));
      const expected = flattened(one.expected, one.given.mask);
      expect([...given.keys()]).to.have.members([...expected.keys()]);
      for (const [name, data] of expected) {
        expect(scaledDifference(given.get(name)!, data), `${titleOf(one)}: ${name}`).to.be.below(1e-5);
      }
    }
  });

  for (const [what, config, options] of [
    [
      'LSTM and GRU with Adam, clipped, in two chains',
      {
        features: 2,
        layers: [
          { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 3, returnSequences: true } },
          { layer: 'gru', units: 4 },
          { layer: 'dense', units: 3 },
        ],
      },
      { optimizer: { name: 'adam', learningRate: 0.01, epsilon: 1e-3 }, clipNorm: 0.5 },
    ],
    [
      'a loss at every time step with momentum, in one chain',
      {
        features: 2,
        layers: [
          { layer: 'gru', units: 3, returnSequences: true, resetAfter: false },
          { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 2 } },
        ],
        loss: 'sigmoidCrossEntropy',
      },
      { optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9 } },
    ],
  ] satisfies [string, NetworkConfig, CompileOptions][]) {
    it(`trains 25 steps as the scratch network does: ${what}`, () => {
      const scratch = new ScratchNetwork({ ...config, ...options, seed: 3 });
      const model = graph({ ...config, ...options, seed: 3, chains: what.includes('two') ? 2 : 1 });
      expect(model.warmUp(4, 3)).to.be.above(0);
      for (let step = 0; step < 25; step++) {
        const { inputs, question } = questionFor(scratch, step, true, {
          B: step === 9 ? 1 : 4 - (step % 2),
          T: 3,
        });
        const { mask, initialStates, targets } = question;
        // the graph was compiled without masks and states; every fifth step has them, and one step has one example for two chains
        const extras = step % 5 === 4 ? { mask: mask!, initialStates: initialStates! } : {};
        const expected = scratch.trainOnBatch(inputs, targets!, extras);
        near(model.trainOnBatch(inputs, targets!, extras), expected, 1e-5);
      }
      near(model.getWeights(), scratch.getWeights(), 1e-5);
      const [state, reference] = [model.getOptimizerState(), scratch.getOptimizerState()];
      expect([state.config, state.step]).to.deep.equal([reference.config, 25]);
      near(state.slots, reference.slots, 1e-5);
      // the state taken over by another network, which then takes the same next step
      const other = graph({ ...config, weights: model.getWeights() });
      other.compile(options);
      other.setOptimizerState(state);
      const { inputs, question } = questionFor(scratch, 99, false, { T: 3 });
      for (const network of [model, other]) network.trainOnBatch(inputs, question.targets!);
      near(other.getWeights(), model.getWeights(), 1e-6);
    });
  }

  it('does not take a step to weights beyond single precision, and goes on', () => {
    const layers: LayerConfig[] = [
      { layer: 'lstm', units: 2 },
      { layer: 'dense', units: 1 },
    ];
    const model = graph({ features: 1, layers, loss: 'meanSquaredError', learningRate: 1e38 });
    const before = model.getWeights();
    const [inputs, targets] = [[[[3], [-2]]], [[1000]]];
    expect(model.trainOnBatch(inputs, targets).gradientNorm).to.be.NaN;
    expect(model.getWeights()).to.deep.equal(before);
    expect(model.getOptimizerState().step).to.equal(0);
    model.compile({ learningRate: 1e-3 });
    const { loss } = model.trainOnBatch(inputs, targets);
    expect(model.evaluate(inputs, targets).loss).to.be.below(loss);
  });

  it('refuses what does not fit before the call, by the words of every network', () => {
    const model = graph({
      features: 1,
      layers: [
        { layer: 'gru', units: 2 },
        { layer: 'dense', units: 2 },
      ],
    });
    expect(() => model.trainOnBatch([[[1]]], [2])).to.throw(RangeError, 'targets');
    expect(() => model.predict([[[1e39]]])).to.throw(RangeError, 'float32');
    expect(() => model.run([[[1]]], { upstream: { logits: [[1e39, 0]] } })).to.throw(RangeError, 'float32');
    expect(() => graph({ features: 1, layers: [{ layer: 'lstm', units: 2 }], chains: 0 })).to.throw('chains');
    expect(() => model.warmUp(0, 1)).to.throw(RangeError, 'batch');
    model.dispose();
    expect(() => model.predict([[[1]]])).to.throw('disposed');
  });
});
