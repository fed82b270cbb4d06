import { expect } from 'chai';
import {
  createRandom,
  ScratchNetwork,
  type LayerConfig,
  type NetworkConfig,
  type NetworkQuestion,
  type NetworkTargets,
  type Tensor,
} from '../../../scratch/index';
import { GraphNetwork, loadBackend, openSessions, type LoadedBackend } from '../../../src/index';
import { recurrentLayers, withSequences } from '../../support/stack-problem';

/** A network by hand, and a batch with everything that can be asked of it. */
function problemOf(config: NetworkConfig, seed: number, { B = 3, T = 4 } = {}) {
  const random = createRandom(seed);
  const draw = (scale: number, ...shape: number[]): Tensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      Math.fround(scale * random.normal()),
    ),
  });
  const initial = new ScratchNetwork(config).getWeights();
  const weights = initial.map((layer) =>
    Object.fromEntries(Object.entries(layer).map(([key, { shape }]) => [key, draw(0.6, ...shape)])),
  );
  const scratch = new ScratchNetwork({ ...config, weights });
  const embedding = config.layers[0].layer === 'embedding' ? config.layers[0].inputDim : undefined;
  const integers = (below: number, ...shape: number[]): Tensor => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.integer(below)),
  });
  const inputs = embedding === undefined ? draw(1, B, T, config.features!) : integers(embedding, B, T);
  const { logits, finalStates, sequences } = scratch.run(inputs, { sequences: true });
  const width = logits.shape.at(-1)!;
  const rows = logits.shape.slice(0, -1);
  const loss = config.loss ?? 'softmaxCrossEntropy';
  const labels = integers(width, ...rows);
  const targets: NetworkTargets =
    loss !== 'softmaxCrossEntropy'
      ? { shape: logits.shape, data: draw(1, ...logits.shape).data.map((x) => 1 / (1 + Math.exp(-x))) }
      : rows.length === 1
        ? Int32Array.from(labels.data)
        : labels;
  const mask = {
    shape: [B, T],
    data: Float64Array.from({ length: B * T }, (_, i) => Number(i % T === 1 || random.integer(3) > 0)),
  };
  const like = (of: readonly (readonly Tensor[])[], scale: number) =>
    of.map((layer) => layer.map(({ shape }) => draw(scale, ...shape)));
  return {
    ...{ scratch, weights, inputs, targets, mask, initialStates: like(finalStates, 0.5) },
    upstream: {
      logits: draw(1, ...logits.shape),
      finalStates: like(finalStates, 1),
      sequences: like(sequences!, 1),
    },
  };
}

/** The largest difference between two answers, by the larger of 1 and the number; same keys and shapes. */
function distance(one: unknown, other: unknown, name = 'answer'): number {
  if (typeof one === 'number') return Math.abs(one - (other as number)) / Math.max(1, Math.abs(one));
  const keys = Object.keys(one as object);
  expect(Object.keys(other as object), name).to.have.members(keys);
  if (ArrayBuffer.isView(one)) {
    return Math.max(0, ...Array.from(one as Float64Array, (x, i) => distance(x, (other as Float64Array)[i])));
  }
  const [a, b] = [one, other] as Record<string, unknown>[];
  return Math.max(0, ...keys.map((key) => distance(a[key], b[key], `${name}.${key}`)));
}

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
    new GraphNetwork({ backend, ...stacks[0] }).dispose();
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

  const name = (layer: LayerConfig) => JSON.stringify(layer).replaceAll(/["{}]|layer:|wrapped:/g, '');
  stacks.forEach((config, i) => {
    it(`answers as the scratch network does: ${config.layers.map(name).join(' | ')}`, () => {
      const { scratch, weights, inputs, targets, mask, initialStates, upstream } = problemOf(config, i + 1);
      // every option with each form once, so that few graphs are compiled
      for (const [loop, chains] of [
        ['unrolled', 1],
        ['while', 2],
      ] as const) {
        const model = graph({ ...config, weights, loop, chains });
        const all = { targets, upstream, sequences: true, mask, initialStates };
        const questions: NetworkQuestion[] =
          loop === 'while'
            ? [all, { targets }]
            : [all, { targets }, { upstream: { finalStates: upstream.finalStates } }];
        for (const question of questions) {
          expect(distance(scratch.run(inputs, question), model.run(inputs, question))).to.be.below(2e-5);
        }
        const plain = { mask, initialStates };
        expect(distance(scratch.predict(inputs, plain), model.predict(inputs, plain))).to.be.below(1e-5);
      }
    });
  });
});
