import { expect } from 'chai';
import {
  ScratchNetwork,
  ScratchSimpleRNNClassifier,
  Stack,
  StackPlan,
  type LayerConfig,
  type NetworkOptions,
} from '../../../scratch/index';
import { normalTensor, scaledDifference } from '../../support/layer-problem';

const lstm = { layer: 'lstm', units: 3 } as const;
const dense = { layer: 'dense', units: 2 } as const;
const steps = { returnSequences: true } as const;
const [B, T, F] = [3, 4, 2];
const inputs = normalTensor(1, 1, B, T, F);
const labels = [0, 1, 1];

describe('scratch/network', () => {
  it('predict gives probabilities, logits and final states, whatever the size of the chunks', () => {
    const network = new ScratchNetwork({ features: F, layers: [lstm, dense] });
    const many = normalTensor(2, 1, 300, T, F);
    const { outputs, logits, finalStates } = network.predict(many);
    expect(outputs.shape).to.deep.equal([300, 2]);
    for (let b = 0; b < 300; b++) {
      expect(outputs.data[2 * b] + outputs.data[2 * b + 1]).to.be.closeTo(1, 1e-15);
    }
    expect(finalStates.map((layer) => layer.map(({ shape }) => shape))).to.deep.equal([
      [
        [300, 3],
        [300, 3],
      ],
      [],
    ]);
    const last = network.predict({ data: many.data.slice(299 * T * F), shape: [1, T, F] });
    expect(last.logits.data).to.deep.equal(logits.data.slice(598));
    expect(last.finalStates[0][1].data).to.deep.equal(finalStates[0][1].data.slice(299 * 3));
    const all = Array.from({ length: 300 }, (_, b) => b % 2);
    const whole = network.evaluate(many, all);
    const chunks = network.evaluate(many, all, { batchSize: 7 });
    expect(chunks).to.deep.equal(whole);
    expect(network.lossAndGradients(many, all).loss).to.equal(whole.loss);
  });

  it('keeps its layers where the caller changes the descriptions afterwards', () => {
    const layer = { layer: 'embedding', inputDim: 3, outputDim: 2, maskZero: true };
    const wrapped = { ...lstm, ...steps };
    const layers = [layer, { layer: 'bidirectional', wrapped }, { ...lstm }, { ...dense }];
    const network = new ScratchNetwork({ layers: layers as unknown as LayerConfig[] });
    const before = network.predict([[1, 0, 2]]).outputs;
    layer.maskZero = false;
    Object.assign(wrapped, { units: 7 });
    layers.pop();
    expect(network.predict([[1, 0, 2]]).outputs).to.deep.equal(before);
    const targets = [1];
    expect(network.evaluate([[1, 0, 2]], targets).loss).to.be.closeTo(-Math.log(before.data[1]), 1e-12);
    expect(network.config.layers).to.have.length(4);
    expect(network.config.layers[0]).to.include({ maskZero: true });
    expect(network.config.layers[1]).to.deep.include({ wrapped: { ...lstm, ...steps } });
  });

  it('streams: one step at a time with the states handed on is the whole sequence', () => {
    const layers: LayerConfig[] = [{ ...lstm, ...steps }, { layer: 'gru', units: 2, ...steps }, dense];
    const network = new ScratchNetwork({ features: F, layers, loss: 'sigmoidCrossEntropy' });
    const whole = network.predict(inputs);
    let states: ReturnType<typeof network.predict>['finalStates'] = [];
    for (let t = 0; t < T; t++) {
      const data = Array.from({ length: B }, (_, b) => [
        ...inputs.data.slice((b * T + t) * F, (b * T + t + 1) * F),
      ]);
      const step = network.predict(
        { data: data.flat(), shape: [B, 1, F] },
        t === 0 ? {} : { initialStates: states },
      );
      states = step.finalStates;
      for (let b = 0; b < B; b++) {
        const at = (b * T + t) * 2;
        expect(step.outputs.data.slice(b * 2, b * 2 + 2)).to.deep.equal(whole.outputs.data.slice(at, at + 2));
      }
    }
    expect(states).to.deep.equal(whole.finalStates);
  });

  it('run: every step of every layer, and gradients under what arrives there', () => {
    const layers: LayerConfig[] = [
      { layer: 'bidirectional', wrapped: { ...lstm, ...steps } },
      { layer: 'gru', units: 2, goBackwards: true },
      dense,
    ];
    const network = new ScratchNetwork({ features: F, layers });
    const [h, dh] = [normalTensor(3, 1, B, 2), normalTensor(4, 1, B, T, 2)];
    const mask = [
      [1, 1, 0, 0],
      [1, 1, 1, 1],
      [0, 0, 0, 1],
    ];
    const given = { mask, initialStates: [[], [h], []] };
    const answer = network.run(inputs, { ...given, sequences: true });
    expect(answer).to.have.all.keys('outputs', 'logits', 'finalStates', 'sequences');
    expect(answer.sequences!.map((layer) => layer.map(({ shape }) => shape))).to.deep.equal([
      [
        [B, T, 3],
        [B, T, 3],
      ],
      [[B, T, 2]],
      [],
    ]);
    const weights = network.getWeights();
    const below = new Stack({ features: F, layers: layers.slice(0, 1), weights: weights.slice(0, 1) });
    const merged = below.forward(inputs, { mask }).outputs;
    // the second walk of a bidirectional layer begins at the last step
    const [there, back] = answer.sequences![0];
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++) {
        const at = (b * T + t) * 6;
        const turned = (b * T + T - 1 - t) * 3;
        expect(merged.data.slice(at, at + 3)).to.deep.equal(there.data.slice(at / 2, at / 2 + 3));
        expect(merged.data.slice(at + 3, at + 6)).to.deep.equal(back.data.slice(turned, turned + 3));
      }
    // h_T as an output and as a state is one thing: what arrives at it may arrive in any of three ways
    const atLast = { data: new Float64Array(B * T * 2), shape: [B, T, 2] };
    for (let b = 0; b < B; b++) atLast.data.set(h.data.subarray(2 * b, 2 * b + 2), (b * T + T - 1) * 2);
    const [byState, bySequence] = [{ finalStates: [[], [h], []] }, { sequences: [[], [atLast], []] }].map(
      (upstream) => network.run(inputs, { ...given, upstream }).gradients,
    );
    expect(bySequence).to.deep.equal(byState);
    // gradients add up
    const parts = [
      network.run(inputs, { ...given, upstream: { sequences: [[], [dh], []] } }),
      network.run(inputs, { ...given, upstream: { logits: h } }),
      network.run(inputs, { ...given, targets: labels }),
    ].map(({ gradients }) => gradients!);
    const whole = network.run(inputs, {
      ...given,
      targets: labels,
      upstream: { logits: h, sequences: [[], [dh], []] },
    });
    expect(whole.loss).to.equal(network.lossAndGradients(inputs, labels, given).loss);
    const sum = parts[0].inputs!.data.map((x, i) => x + parts[1].inputs!.data[i] + parts[2].inputs!.data[i]);
    expect(scaledDifference(whole.gradients!.inputs!.data, sum)).to.be.below(1e-14);
    expect(parts[0].weights[2]['kernel'].data.every((x) => x === 0)).to.equal(true);
    expect(() => network.run(inputs, { upstream: { sequences: [[], [h], []] } })).to.throw(
      /run: upstream.sequences\[1\]\[0\] has shape \[3, 2\] but \[3, 4, 2\] was expected/,
    );
    expect(() => network.run(inputs, { upstream: { outputs: h } as never })).to.throw(/no option outputs/);
  });

  it('masks by layer: embeddings add to them, a layer that walks backwards turns them', () => {
    const plan = new StackPlan({
      layers: [
        { layer: 'embedding', inputDim: 3, outputDim: 2, maskZero: true },
        { ...lstm, ...steps, goBackwards: true },
        { ...lstm, ...steps },
        dense,
      ],
    });
    const ids = [
      [1, 0, 2],
      [2, 2, 1],
    ];
    const mask = [
      [1, 1, 1],
      [0, 1, 1],
    ];
    const masks = plan.masksOf(plan.check(ids, { mask }, 'test')).map((one) => [...one!.data]);
    const [own, turned] = [
      [1, 0, 1, 0, 1, 1],
      [1, 0, 1, 1, 1, 0],
    ];
    expect(masks).to.deep.equal([mask.flat(), own, turned, turned, turned]);
    expect(plan.masksOf(plan.check(ids, {}, 'test'))[0]).to.equal(undefined);
  });

  it('masked steps have no part in the loss of every step, nor in its accuracy', () => {
    const network = new ScratchNetwork({ features: F, layers: [{ ...lstm, ...steps }, dense] });
    const mask = [
      [1, 1, 0, 0],
      [1, 1, 1, 1],
      [1, 0, 0, 0],
    ];
    const every = [
      [0, 1, 1, 0],
      [1, 1, 0, 1],
      [0, 0, 0, 0],
    ];
    const { outputs } = network.predict(inputs, { mask });
    const kept = every.flatMap((row, b) =>
      row.flatMap((label, t) => (mask[b][t] ? [[(b * T + t) * 2, label]] : [])),
    );
    const losses = kept.map(([at, label]) => -Math.log(outputs.data[at + label]));
    const right = kept.filter(([at, label]) => outputs.data[at + label] > 0.5);
    const { loss, accuracy } = network.evaluate(inputs, every, { mask });
    expect(loss).to.be.closeTo(losses.reduce((s, x) => s + x, 0) / 7, 1e-15);
    expect(accuracy).to.equal(right.length / 7);
    const changed = every.map((row, b) => row.map((label, t) => (mask[b][t] ? label : 1 - label)));
    const [one, two] = [every, changed].map((targets) => network.lossAndGradients(inputs, targets, { mask }));
    expect(one.loss).to.equal(loss);
    expect(two.gradients).to.deep.equal(one.gradients);
  });

  const tasks: [string, NetworkOptions, number[][][], number[] | number[][] | number[][][]][] = [
    // which input came first, remembered over four steps
    ...(['simpleRNN', 'lstm', 'gru'] as const).map(
      (layer): [string, NetworkOptions, number[][][], number[]] => [
        `${layer}: the first of five inputs`,
        { features: 1, layers: [{ layer, units: 6 }, dense], optimizer: 'adam', learningRate: 0.05 },
        [
          [[1], [0], [0], [0], [0]],
          [[-1], [0], [0], [0], [0]],
        ],
        [0, 1],
      ],
    ),
    [
      'bidirectional: at every step, whether both neighbours are equal (sigmoid)',
      {
        features: 1,
        layers: [
          { layer: 'bidirectional', wrapped: { layer: 'gru', units: 6, ...steps } },
          { layer: 'dense', units: 1 },
        ],
        loss: 'sigmoidCrossEntropy',
        optimizer: 'adam',
        learningRate: 0.05,
      },
      [
        [[1], [1], [1], [-1]],
        [[-1], [1], [-1], [-1]],
      ],
      [
        [[0], [1], [0], [0]],
        [[0], [1], [0], [0]],
      ],
    ],
    [
      'two layers: the sum of the inputs (mean squared error)',
      {
        features: 1,
        layers: [
          { ...lstm, ...steps },
          { layer: 'gru', units: 4 },
          { layer: 'dense', units: 1 },
        ],
        loss: 'meanSquaredError',
        optimizer: 'adam',
        learningRate: 0.02,
      },
      [
        [[1], [0.5]],
        [[0.2], [0.2]],
        [[-1], [0.3]],
      ],
      [[1.5], [0.4], [-0.7]],
    ],
  ];
  for (const [name, options, examples, targets] of tasks) {
    it(`learns ${name}`, () => {
      const network = new ScratchNetwork({ ...options, seed: 3, clipNorm: 5 });
      const before = network.evaluate(examples, targets).loss;
      for (let i = 0; i < 300; i++) network.trainOnBatch(examples, targets);
      const { loss, accuracy } = network.evaluate(examples, targets);
      expect(loss).to.be.below(before / 20);
      if (options.loss === 'meanSquaredError') expect(accuracy).to.be.NaN;
      else expect(accuracy).to.equal(1);
    });
  }

  it('training can be stopped and resumed bit for bit, and batches of changing sizes share nothing', () => {
    const options = { features: F, layers: [lstm, dense], optimizer: 'adam', seed: 4 } as const;
    const [whole, first] = [new ScratchNetwork(options), new ScratchNetwork(options)];
    const some = { data: inputs.data.slice(0, 2 * T * F), shape: [2, T, F] };
    const train = (network: ScratchNetwork, i: number) =>
      i % 2 === 0 ? network.trainOnBatch(inputs, labels) : network.trainOnBatch(some, [0, 1]);
    for (let i = 0; i < 6; i++) train(whole, i);
    for (let i = 0; i < 3; i++) train(first, i);
    const second = new ScratchNetwork({ ...options, weights: first.getWeights() });
    second.setOptimizerState(first.getOptimizerState());
    for (let i = 3; i < 6; i++) train(second, i);
    expect(second.getWeights()).to.deep.equal(whole.getWeights());
    expect(second.getOptimizerState()).to.deep.equal(whole.getOptimizerState());
    // results are copies: later batches do not change them
    const { finalStates } = whole.trainOnBatch(inputs, labels);
    const copy = structuredClone(finalStates);
    whole.trainOnBatch(inputs, labels);
    expect(finalStates).to.deep.equal(copy);
    // a mask in between, and states in
    whole.trainOnBatch(inputs, labels, {
      mask: [
        [1, 1, 1, 1],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
      ],
    });
    const again = new ScratchNetwork({ ...options, weights: whole.getWeights() });
    again.setOptimizerState(whole.getOptimizerState());
    const states = { initialStates: finalStates };
    expect(whole.trainOnBatch(inputs, labels, states)).to.deep.equal(
      again.trainOnBatch(inputs, labels, states),
    );
    expect(whole.trainOnBatch(inputs, labels)).to.deep.equal(again.trainOnBatch(inputs, labels));
  });

  it('fits as ScratchSimpleRNNClassifier does, bit for bit, callbacks, validation and all', async () => {
    const many = normalTensor(5, 1, 20, T, F);
    const classes = Array.from({ length: 20 }, (_, i) => i % 2);
    const masks = normalTensor(5, 0, 20, T);
    masks.data.forEach((_, i) => (masks.data[i] = i % 5 === 4 ? 0 : 1));
    const layers: LayerConfig[] = [{ layer: 'simpleRNN', units: 3 }, dense];
    const options = {
      epochs: 3,
      batchSize: 6,
      seed: 2,
      mask: masks,
      optimizer: 'adam',
      clipNorm: 0.5,
      validationData: { inputs, labels },
    } as const;
    const network = new ScratchNetwork({ features: F, layers, seed: 9 });
    const classifier = new ScratchSimpleRNNClassifier({ features: F, units: 3, classes: 2, seed: 9 });
    const batches: number[] = [];
    const onBatchEnd = ({ loss }: { loss: number }) => void batches.push(loss);
    const history = await network.fit(many, classes, { ...options, onBatchEnd });
    expect(history).to.deep.equal(await classifier.fit(many, classes, options));
    expect(batches).to.have.length(12);
    expect(network.getWeights()[1]['kernel']).to.deep.equal(classifier.getWeights().outputKernel);
  });

  it('fits examples of any kind: integers in, a label a step, masks; stopped and resumed bit for bit', async () => {
    const ids = Array.from({ length: 9 }, (_, b) =>
      Array.from({ length: 3 }, (__, t) => (b * 5 + t * t) % 4),
    );
    const every = ids.map((row) => row.map((id) => Number(id > 1)));
    const mask = ids.map((_, b) => [1, 1, b % 2]);
    const options = {
      layers: [
        { layer: 'embedding', inputDim: 4, outputDim: 3 },
        { layer: 'gru', units: 4, ...steps },
        dense,
      ] as LayerConfig[],
      seed: 6,
    };
    const fitting = { epochs: 40, batchSize: 4, optimizer: 'adam', learningRate: 0.05, mask } as const;
    const whole = new ScratchNetwork(options);
    const validationData = { inputs: ids, labels: every, mask };
    const { epochs } = await whole.fit(ids, every, { ...fitting, validationData });
    expect(epochs.at(-1)!.accuracy).to.equal(1);
    expect(epochs.at(-1)!.validationAccuracy).to.equal(1);
    expect(epochs.at(-1)!.validationLoss).to.equal(whole.evaluate(ids, every, { mask }).loss);
    const first = new ScratchNetwork(options);
    const stopped = await first.fit(ids, every, {
      ...fitting,
      epochs: 40,
      onEpochEnd: ({ epoch }) => epoch < 19,
    });
    expect(stopped.completed).to.equal(false);
    const second = new ScratchNetwork({ ...options, weights: first.getWeights() });
    second.setOptimizerState(first.getOptimizerState());
    await second.fit(ids, every, {
      epochs: 40,
      batchSize: 4,
      mask,
      position: stopped.epochs.at(-1)!.position,
    });
    expect(second.getWeights()).to.deep.equal(whole.getWeights());
  });

  it('refuses a second training, other changes while it runs, and data that do not fit', async () => {
    const network = new ScratchNetwork({ features: F, layers: [lstm, dense] });
    const running = network.fit(inputs, labels, { epochs: 2 });
    expect(() => network.trainOnBatch(inputs, labels)).to.throw(/being trained by a fit/);
    expect(() => network.setWeights(network.getWeights())).to.throw(/being trained by a fit/);
    const messages = await Promise.all(
      [
        network.fit(inputs, labels),
        new ScratchNetwork(network.config as NetworkOptions).fit(inputs, [0, 1]),
        new ScratchNetwork(network.config as NetworkOptions).fit(inputs, labels, { epoch: 3 } as never),
        new ScratchNetwork(network.config as NetworkOptions).fit(inputs, labels, {
          validationData: { inputs, labels: [0, 1, 2] },
        }),
      ].map((fit) => fit.then(String, String)),
    );
    await running;
    expect(messages[0]).to.match(/another fit/);
    expect(messages[1]).to.match(/fit: labels has 2 elements for 3 examples/);
    expect(messages[2]).to.match(/no option epoch; the nearest is epochs/);
    expect(messages[3]).to.match(/fit: validationData: labels holds 2/);
  });

  it('the losses are right for logits of any size', () => {
    const weights = (bias: number) => [{ kernel: [[0], [0]], bias: [bias] }];
    const at = (loss: NetworkOptions['loss'], bias: number, target: number) =>
      new ScratchNetwork({
        features: 2,
        layers: [{ layer: 'dense', units: 1 }],
        loss: loss!,
        weights: weights(bias),
      }).lossAndGradients([[[1, 1]]], [[[target]]]);
    expect(at('sigmoidCrossEntropy', 1000, 0).loss).to.equal(1000);
    expect(at('sigmoidCrossEntropy', -1000, 1).loss).to.equal(1000);
    expect(at('sigmoidCrossEntropy', 1000, 1).loss).to.equal(0);
    expect(at('sigmoidCrossEntropy', 0, 0.25).loss).to.be.closeTo(Math.LN2, 1e-15);
    expect(at('sigmoidCrossEntropy', -40, 0).loss).to.be.closeTo(Math.exp(-40), 1e-30);
    expect(at('sigmoidCrossEntropy', 1000, 0).gradients.weights[0]['bias'].data[0]).to.equal(1);
    const sure = new ScratchNetwork({
      features: 2,
      layers: [{ layer: 'dense', units: 1 }],
      loss: 'sigmoidCrossEntropy',
      weights: weights(2),
    });
    expect(
      sure.evaluate(
        [
          [
            [1, 1],
            [1, 1],
            [1, 1],
          ],
        ],
        [[[1], [0], [1]]],
      ).accuracy,
    ).to.equal(2 / 3);
    expect(at('meanSquaredError', 3, 1).loss).to.equal(4);
    expect(at('meanSquaredError', 3, 1).gradients.weights[0]['bias'].data[0]).to.equal(4);
  });
});

describe('scratch layers: initial weights, as in Keras', () => {
  const weightsOf = (layer: LayerConfig, seed = 1) =>
    new Stack({ features: 5, layers: [layer], seed }).getWeights()[0];

  it('glorotUniform kernels over all gates, orthogonal recurrent kernels, biases zero but for the forget gate', () => {
    const { kernel, recurrentKernel, bias } = weightsOf(lstm);
    const limit = Math.sqrt(6 / (5 + 12));
    const largest = Math.max(...kernel.data.map(Math.abs));
    expect(largest).to.be.within(0.9 * limit, limit);
    for (let u = 0; u < 3; u++) {
      for (let v = 0; v < 3; v++) {
        const [a, b] = [u, v].map((row) => recurrentKernel.data.subarray(row * 12, (row + 1) * 12));
        const overlap = a.reduce((sum, x, i) => sum + x * b[i], 0);
        expect(overlap).to.be.closeTo(Number(u === v), 1e-6);
      }
    }
    expect([...bias.data]).to.deep.equal([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([...weightsOf({ ...lstm, unitForgetBias: false })['bias'].data].every((x) => x === 0)).to.equal(
      true,
    );
    expect(weightsOf({ layer: 'gru', units: 2 })['bias'].shape).to.deep.equal([2, 6]);
    expect(weightsOf({ layer: 'gru', units: 2, biases: 1 })['bias'].shape).to.deep.equal([6]);
    expect(weightsOf({ layer: 'gru', units: 2, useBias: false })).to.have.all.keys(
      'kernel',
      'recurrentKernel',
    );
    const { embeddings } = new Stack({
      layers: [{ layer: 'embedding', inputDim: 40, outputDim: 5 }],
    }).getWeights()[0];
    expect(Math.max(...embeddings.data.map(Math.abs))).to.be.within(0.045, 0.05);
  });

  it('the same seed gives the same weights, another seed others; every number fits in float32', () => {
    const both = { layer: 'bidirectional', wrapped: lstm } as const;
    expect(weightsOf(both, 2)).to.deep.equal(weightsOf(both, 2));
    expect(
      scaledDifference(weightsOf(both, 2)['forwardKernel'].data, weightsOf(both, 3)['forwardKernel'].data),
    ).to.be.above(0.1);
    expect(weightsOf(both)['forwardKernel']).not.to.deep.equal(weightsOf(both)['backwardKernel']);
    for (const { data } of Object.values(weightsOf(both))) expect(data).to.deep.equal(data.map(Math.fround));
  });

  it('a description is plain data: JSON gives it back', () => {
    const layers: LayerConfig[] = [{ layer: 'bidirectional', wrapped: { ...lstm, ...steps } }, dense];
    const { config } = new ScratchNetwork({ features: F, layers });
    const again = JSON.parse(JSON.stringify(config)) as typeof config;
    expect(again).to.deep.equal({ features: F, layers, loss: 'softmaxCrossEntropy' });
    expect(new ScratchNetwork(again).predict(inputs)).to.deep.equal(
      new ScratchNetwork({ features: F, layers }).predict(inputs),
    );
  });
});

describe('scratch layers: bad input gets an error that says what is wrong and how to fix it', () => {
  const build =
    (layers: unknown, features: number | null = F) =>
    () =>
      new ScratchNetwork({ ...(features && { features }), layers } as unknown as NetworkOptions);
  const network = new ScratchNetwork({ features: F, layers: [lstm, dense] });
  const regression = new ScratchNetwork({ features: F, layers: [lstm, dense], loss: 'sigmoidCrossEntropy' });
  const everyStep = new ScratchNetwork({ features: F, layers: [{ ...lstm, ...steps }, dense] });
  const ids = new ScratchNetwork({
    layers: [{ layer: 'embedding', inputDim: 4, outputDim: 2 }, lstm, dense],
  });
  const anyArray = (x: unknown) => x as number[];
  const cases: [string, () => unknown, RegExp][] = [
    ['no layers', build([]), /layers is empty; pass an array of layer descriptions/],
    ['no array', build('lstm'), /layers is a string/],
    [
      'an unknown layer',
      build([{ layer: 'lsmt', units: 3 }]),
      /layers\[0\].layer is lsmt; the nearest is lstm/,
    ],
    ['a layer that is no object', build([3]), /layers\[0\] is a number; pass the description of a layer/],
    ['undefined', build([undefined]), /layers\[0\] is undefined; pass the description of a layer/],
    [
      'a hole',
      build(Object.assign(new Array(2), { 1: lstm })),
      /layers\[0\] is undefined; pass the description of a layer/,
    ],
    [
      'an unknown option',
      build([{ ...lstm, unit: 3 }]),
      /layers\[0\] \(lstm\): there is no option unit; the nearest is units/,
    ],
    ['an option of another layer', build([{ ...lstm, resetAfter: true }]), /there is no option resetAfter/],
    [
      'an unknown activation',
      build([{ ...lstm, activation: 'tan' }]),
      /layers\[0\] \(lstm\): activation is tan; the nearest is tanh/,
    ],
    ['softmax as an activation', build([lstm, { ...dense, activation: 'softmax' }]), /activation is softmax/],
    ['half a unit', build([{ layer: 'gru', units: 2.5 }]), /layers\[0\] \(gru\): units is 2.5/],
    [
      'a flag that is none',
      build([{ ...lstm, useBias: 'no' }]),
      /useBias is "no"; it is either true or false/,
    ],
    [
      'sequences where none are',
      build([lstm, lstm]),
      /layers\[1\] \(lstm\) reads \[B, T, N\], but the layer before it gives \[B, 3\].*returnSequences: true/,
    ],
    [
      'two biases without reset after',
      build([{ layer: 'gru', units: 2, resetAfter: false, biases: 2 }]),
      /biases is 2 with resetAfter false/,
    ],
    [
      'two biases without a bias',
      build([{ layer: 'gru', units: 2, useBias: false, biases: 2 }]),
      /biases is 2 with useBias false/,
    ],
    ['three biases', build([{ layer: 'gru', units: 2, biases: 3 }]), /biases is 3/],
    [
      'nothing wrapped',
      build([{ layer: 'bidirectional' }]),
      /wrapped is undefined; pass the description of a layer/,
    ],
    [
      'a dense layer both ways',
      build([{ layer: 'bidirectional', wrapped: dense }]),
      /wrapped.layer is dense; the nearest is/,
    ],
    [
      'both ways, backwards',
      build([{ layer: 'bidirectional', wrapped: { ...lstm, goBackwards: true } }]),
      /wrapped.goBackwards is true/,
    ],
    [
      'an unknown merge',
      build([{ layer: 'bidirectional', wrapped: lstm, mergeMode: 'avg' }]),
      /mergeMode is avg; the nearest is ave/,
    ],
    [
      'a wrapped typo',
      build([{ layer: 'bidirectional', wrapped: { ...lstm, activaton: 'relu' } }]),
      /wrapped \(lstm\): there is no option activaton/,
    ],
    [
      'an embedding in the middle',
      build([
        { ...lstm, ...steps },
        { layer: 'embedding', inputDim: 3, outputDim: 2 },
      ]),
      /put it first/,
    ],
    ['no features', build([lstm, dense], null), /features is undefined and layers\[0\] is lstm/],
    [
      'features for integers',
      build([{ layer: 'embedding', inputDim: 3, outputDim: 2 }]),
      /features is 2 and layers\[0\] is embedding/,
    ],
    [
      'softmax of one number',
      build([lstm, { layer: 'dense', units: 1 }]),
      /softmax of one number is always 1/,
    ],
    [
      'an unknown loss',
      () => new ScratchNetwork({ features: F, layers: [lstm, dense], loss: anyArray('mse') as never }),
      /loss is mse; the nearest is/,
    ],
    [
      'an unknown option of the network',
      () => new ScratchNetwork({ feature: F, layers: [] } as never),
      /no option feature; the nearest is features/,
    ],
    [
      'inputs of another width',
      () => network.predict([[[1, 2, 3]]]),
      /predict: inputs has shape \[1, 1, 3\] but \[B, T, 2\] was expected/,
    ],
    [
      'a number that is none',
      () => network.predict([[[1, NaN]]]),
      /predict: inputs holds NaN at \[0, 0, 1\]/,
    ],
    [
      'integers out of range',
      () => ids.predict([[0, 4]]),
      /inputs holds 4 at \[0, 1\]; an embedding with inputDim 4 reads integers from 0 to 3/,
    ],
    ['numbers instead of integers', () => ids.predict([[0, 0.5]]), /inputs holds 0.5 at \[0, 1\]/],
    [
      'a mask of another length',
      () => network.predict([[[1, 2]]], { mask: [[1, 1]] }),
      /mask has shape \[1, 2\]/,
    ],
    [
      'an unknown option of predict',
      () => network.predict([[[1, 2]]], { initialState: [] } as never),
      /no option initialState; the nearest is initialStates/,
    ],
    [
      'states of too few layers',
      () => network.predict([[[1, 2]]], { initialStates: [[]] }),
      /initialStates has 1 entries for 2 layers/,
    ],
    [
      'h without c',
      () => network.predict([[[1, 2]]], { initialStates: [[[[0, 0, 0]]], []] }),
      /initialStates\[0\] has 1 states; lstm carries 2, so pass 2 of shape \[1, 3\]/,
    ],
    [
      'a state of another shape',
      () => network.predict([[[1, 2]]], { initialStates: [[[[0, 0]], [[0, 0, 0]]], []] }),
      /initialStates\[0\]\[0\] has shape \[1, 2\]/,
    ],
    [
      'a state for a dense layer',
      () => network.predict([[[1, 2]]], { initialStates: [[], [[[0, 0]]]] }),
      /initialStates\[1\] has 1 states; dense carries 0, so pass \[\]/,
    ],
    [
      'too few labels',
      () => network.evaluate(inputs, [0]),
      /evaluate: targets has 1 elements for 3 examples/,
    ],
    ['a label out of range', () => network.evaluate(inputs, [0, 2, 0]), /targets holds 2 at \[1\]/],
    [
      'labels for each example, not each step',
      () => everyStep.evaluate(inputs, anyArray([[0], [1], [1]])),
      /targets has shape \[3, 1\] but \[3, 4\] was expected/,
    ],
    [
      'a label of a step out of range',
      () =>
        everyStep.evaluate(
          [
            [
              [1, 2],
              [1, 2],
            ],
          ],
          [[0, -1]],
        ),
      /targets holds -1 at \[0, 1\]; a label is an integer from 0 to 1/,
    ],
    [
      'no probability',
      () => regression.evaluate([[[1, 2]]], [[0, 2]]),
      /targets holds 2 at \[0, 1\]; a target of sigmoidCrossEntropy/,
    ],
    [
      'targets of another shape',
      () => regression.trainOnBatch([[[1, 2]]], [[0]]),
      /targets has shape \[1, 1\] but \[1, 2\] was expected/,
    ],
    [
      'nothing that exists',
      () => everyStep.evaluate([[[1, 2]]], [[0]], { mask: [[0]] }),
      /all 1 time steps are masked/,
    ],
    ['too few weights', () => network.setWeights([{}]), /setWeights has 1 entries for 2 layers/],
    ['a weight missing', () => network.setWeights([{}, {}]), /setWeights\[0\]: kernel is undefined/],
    [
      'an unknown weight',
      () => network.setWeights([{ kernal: [[1]] }, {}]),
      /setWeights\[0\]: there is no option kernal; the nearest is kernel/,
    ],
    ['a batch of no examples', () => network.evaluate(inputs, labels, { batchSize: 0 }), /batchSize is 0/],
    [
      'an upstream of another shape',
      () => {
        const stack = new Stack({ features: F, layers: [lstm] });
        stack.backward(stack.forward(inputs).cache, { outputs: [[1, 2, 3]] });
      },
      /upstream.outputs has shape \[1, 3\] but \[3, 3\] was expected/,
    ],
  ];
  for (const [name, run, message] of cases) it(name, () => expect(run).to.throw(message));
});
