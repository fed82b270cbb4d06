import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  ScratchNetwork,
  ScratchSimpleRNNClassifier,
  Stack,
  type LayerConfig,
  type Tensor,
} from '../../../scratch/index';
import { normalTensor, scaledDifference } from '../../support/layer-problem';
import {
  recurrentLayers,
  solve,
  stackProblem,
  stackProblems,
  variablesOf,
  withSequences,
  type StackProblem,
} from '../../support/stack-problem';

/** Rounding of sums of at most some dozens of terms of like size. */
const rounding = 1e-12;
const runs = { numRuns: 60, seed: 5 };

/** Examples `order` of a batch-first tensor. */
function pick(tensor: Tensor, order: readonly number[]): Tensor {
  const width = tensor.data.length / tensor.shape[0];
  const data = order.flatMap((b) => [...tensor.data.subarray(b * width, (b + 1) * width)]);
  return { data: Float64Array.from(data), shape: [order.length, ...tensor.shape.slice(1)] };
}

/** Steps of a [B, T] or [B, T, N] tensor, in the order asked for. */
function steps(tensor: Tensor, order: readonly number[]): Tensor {
  const [B, T, N = 1] = tensor.shape;
  const data = Array.from({ length: B }, (_, b) =>
    order.flatMap((t) => [...tensor.data.subarray((b * T + t) * N, (b * T + t + 1) * N)]),
  );
  return { data: Float64Array.from(data.flat()), shape: [B, order.length, ...tensor.shape.slice(2)] };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function expectClose(found: Tensor, expected: Tensor, name: string, within = rounding): void {
  expect(found.shape, name).to.deep.equal(expected.shape);
  expect(scaledDifference(found.data, expected.data), name).to.be.at.most(within);
}

/** Everything that a problem's forward and backward pass give. */
function everything(p: StackProblem): Map<string, Tensor> {
  const { outputs, finalStates, gradients } = solve(p);
  const all = new Map<string, Tensor>([['outputs', outputs]]);
  finalStates.forEach((layer, i) => layer.forEach((state, k) => all.set(`finalStates[${i}][${k}]`, state)));
  for (const { name, gradient } of variablesOf(p, { gradients })) all.set(`gradient of ${name}`, gradient);
  return all;
}

const oneWay = (units: number): LayerConfig[] =>
  recurrentLayers(units).filter(
    (layer) => layer.layer !== 'bidirectional' && !('goBackwards' in layer && layer.goBackwards),
  );

describe('scratch layers: laws', () => {
  it('a sequence cut in two, states handed over forwards and gradients backwards, is the whole sequence', () => {
    for (const layer of oneWay(3)) {
      const [B, T, cut] = [2, 6, 4];
      const config = {
        features: 2,
        layers: [withSequences(layer), withSequences({ layer: 'lstm', units: 2 })],
      };
      const p = stackProblem(3, config, { B, T }, true);
      const whole = solve(p);
      const part = (tensor: Tensor, second: boolean) => steps(tensor, second ? range(cut, T) : range(0, cut));
      const { stack, mask } = p;
      const first = stack.forward(part(p.inputs, false), {
        initialStates: p.initialStates,
        mask: part(mask!, false),
      });
      const second = stack.forward(part(p.inputs, true), {
        initialStates: first.finalStates,
        mask: part(mask!, true),
      });
      const name = JSON.stringify(layer);
      expect(second.outputs.data, name).to.deep.equal(part(whole.outputs, true).data);
      expect(second.finalStates, name).to.deep.equal(whole.finalStates);
      const late = stack.backward(second.cache, {
        outputs: part(p.upstream.outputs, true),
        finalStates: p.upstream.finalStates,
      });
      const early = stack.backward(first.cache, {
        outputs: part(p.upstream.outputs, false),
        finalStates: late.initialStates,
      });
      expectClose(early.inputs!, part(whole.gradients.inputs!, false), name);
      expectClose(late.inputs!, part(whole.gradients.inputs!, true), name);
      early.initialStates.forEach((ofLayer, i) =>
        ofLayer.forEach((state, k) => expectClose(state, whole.gradients.initialStates[i][k], name)),
      );
      whole.gradients.weights.forEach((weights, i) =>
        Object.entries(weights).forEach(([key, total]) => {
          const [a, b] = [early.weights[i][key], late.weights[i][key]];
          expectClose({ ...a, data: a.data.map((x, n) => x + b.data[n]) }, total, `${name}: ${key}`);
        }),
      );
    }
  });

  it('a mask of ones is no mask, bit for bit', () => {
    fc.assert(
      fc.property(stackProblems, (p) => {
        const ones = normalTensor(1, 0, ...p.inputs.shape.slice(0, 2));
        ones.data.fill(1);
        expect(everything({ ...p, mask: ones })).to.deep.equal(everything({ ...p, mask: undefined }));
      }),
      runs,
    );
  });

  it('masked steps at the end change nothing but the length', () => {
    fc.assert(
      fc.property(stackProblems, fc.integer({ min: 1, max: 3 }), (p, more) => {
        const [B, T, F] = p.inputs.shape;
        const last = JSON.stringify(p.stack.config.layers);
        fc.pre(p.upstream.outputs.shape.length === 2 && !last.includes('true')); // final states only
        const [inputs, mask] = [normalTensor(9, 1, B, T + more, F), normalTensor(9, 0, B, T + more)];
        for (let b = 0; b < B; b++) {
          inputs.data.set(p.inputs.data.subarray(b * T * F, (b + 1) * T * F), b * (T + more) * F);
          mask.data.fill(1, b * (T + more), b * (T + more) + T);
        }
        const [short, long] = [everything({ ...p, mask: undefined }), everything({ ...p, inputs, mask })];
        for (const [name, value] of short) {
          const found = long.get(name)!;
          if (name === 'gradient of inputs') expectClose(steps(found, range(0, T)), value, name);
          else expectClose(found, value, name);
        }
        const padding = steps(long.get('gradient of inputs')!, range(T, T + more));
        expect(padding.data.every((x) => x === 0)).to.equal(true);
      }),
      runs,
    );
  });

  it('every example is computed as if it were alone; weight gradients are the sum over the examples', () => {
    fc.assert(
      fc.property(stackProblems, (p) => {
        const together = everything(p);
        const B = p.inputs.shape[0];
        const alone = range(0, B).map((b) => {
          const states = (all: StackProblem['initialStates']) => all.map((l) => l.map((s) => pick(s, [b])));
          return everything({
            ...p,
            inputs: pick(p.inputs, [b]),
            initialStates: states(p.initialStates),
            mask: p.mask && pick(p.mask, [b]),
            upstream: {
              outputs: pick(p.upstream.outputs, [b]),
              finalStates: states(p.upstream.finalStates),
            },
          });
        });
        for (const [name, value] of together) {
          const parts = alone.map((one) => one.get(name)!);
          if (/ernel|ias/.test(name)) {
            const sum = value.data.map((_, i) => parts.reduce((s, { data }) => s + data[i], 0));
            // examples may cancel, so the scale is that of the parts
            const scale = Math.max(...parts.flatMap(({ data }) => [...data].map(Math.abs)), Number.MIN_VALUE);
            value.data.forEach((x, i) => expect(Math.abs(x - sum[i]), name).to.be.at.most(rounding * scale));
          } else {
            expect(value, name).to.deep.equal({
              data: Float64Array.from(parts.flatMap(({ data }) => [...data])),
              shape: value.shape,
            });
          }
        }
      }),
      runs,
    );
  });

  it('a bidirectional layer is two layers by hand, merged by hand', () => {
    for (const wrapped of oneWay(3) as Extract<LayerConfig, { layer: 'lstm' }>[]) {
      for (const returnSequences of [false, true]) {
        const inner = { ...wrapped, returnSequences };
        const [B, T, U] = [2, 4, 3];
        const merged = (['concat', 'sum', 'mul', 'ave'] as const).map((mergeMode) => {
          const layers = [{ layer: 'bidirectional', wrapped: inner, mergeMode } as const];
          return stackProblem(8, { features: 2, layers }, { B, T }, true);
        });
        const [{ stack, inputs, mask, initialStates }] = merged;
        const [weights] = stack.getWeights();
        const half = (prefix: string, goBackwards: boolean) => {
          const named = Object.entries(weights).filter(([key]) => key.startsWith(prefix));
          const own = named.map(([key, value]) => [
            key[prefix.length].toLowerCase() + key.slice(prefix.length + 1),
            value,
          ]);
          const layers = [{ ...inner, goBackwards }];
          const alone = new Stack({ features: 2, layers, weights: [Object.fromEntries(own)] });
          const n = initialStates[0].length / 2;
          const states = initialStates[0].slice(goBackwards ? n : 0, goBackwards ? 2 * n : n);
          return alone.forward(inputs, { initialStates: [states], mask: mask! });
        };
        const [there, back] = [half('forward', false), half('backward', true)];
        const turned = returnSequences ? steps(back.outputs, range(0, T).reverse()) : back.outputs;
        const [a, b] = [there.outputs.data, turned.data];
        const rows = range(0, a.length / U);
        const expected = [
          rows.flatMap((r) => [...a.subarray(r * U, (r + 1) * U), ...b.subarray(r * U, (r + 1) * U)]),
          [...a].map((x, i) => x + b[i]),
          [...a].map((x, i) => x * b[i]),
          [...a].map((x, i) => (x + b[i]) / 2),
        ];
        merged.forEach((p, i) => {
          const { outputs, finalStates } = solve(p);
          expect([...outputs.data], JSON.stringify(inner)).to.deep.equal(expected[i]);
          expect(finalStates[0]).to.deep.equal([...there.finalStates[0], ...back.finalStates[0]]);
        });
      }
    }
  });

  it('goBackwards is the input with its steps in the opposite order', () => {
    for (const layer of oneWay(3)) {
      const config = { features: 2, layers: [withSequences(layer)] };
      const p = stackProblem(4, config, { B: 2, T: 5 }, true);
      const turn = (tensor: Tensor) => steps(tensor, range(0, 5).reverse());
      const stack = new Stack({
        features: 2,
        layers: [{ ...config.layers[0], goBackwards: true } as LayerConfig],
        weights: p.stack.getWeights(),
      });
      const there = everything(p);
      const back = everything({ ...p, stack, inputs: turn(p.inputs), mask: turn(p.mask!) });
      const dx = back.get('gradient of inputs')!;
      expect(new Map(back).set('gradient of inputs', turn(dx))).to.deep.equal(there);
    }
  });

  it('an embedding is a dense layer on one-hot rows; with maskZero its zeros are masked', () => {
    const layers: LayerConfig[] = [{ layer: 'gru', units: 3 }];
    const embedding = { layer: 'embedding', inputDim: 4, outputDim: 2 } as const;
    const ids = [
      [1, 3, 0, 3],
      [2, 2, 1, 0],
    ];
    const hot = ids.map((row) => row.map((id) => range(0, 4).map((n) => Number(n === id))));
    const table = normalTensor(5, 1, 4, 2);
    const embedded = new Stack({ layers: [embedding, ...layers], seed: 2 });
    const [, gru] = embedded.getWeights();
    embedded.setWeights([{ embeddings: table }, gru]);
    const dense = new Stack({
      features: 4,
      layers: [{ layer: 'dense', units: 2, useBias: false }, ...layers],
      weights: [{ kernel: table }, gru],
    });
    const [one, two] = [embedded.forward(ids), dense.forward(hot)];
    expect(one.outputs).to.deep.equal(two.outputs);
    const upstream = { outputs: normalTensor(6, 1, 2, 3) };
    const [left, right] = [embedded.backward(one.cache, upstream), dense.backward(two.cache, upstream)];
    expectClose(left.weights[0]['embeddings'], right.weights[0]['kernel'], 'embeddings');
    expect(left.inputs).to.equal(undefined);

    const masking = new Stack({
      layers: [{ ...embedding, maskZero: true }, ...layers],
      weights: embedded.getWeights(),
    });
    const mask = ids.map((row) => row.map((id) => Number(id !== 0)));
    expect(masking.forward(ids).outputs).to.deep.equal(embedded.forward(ids, { mask }).outputs);
    const both = mask.map((row, b) => row.map((m, t) => (b === 0 && t === 0 ? 0 : m)));
    const some = both.map((row) => row.map((m, t) => (t === 0 ? m : 1)));
    expect(masking.forward(ids, { mask: some }).outputs).to.deep.equal(
      embedded.forward(ids, { mask: both }).outputs,
    );
  });

  it('a dense layer treats every time step alike, and timeDistributed is the same layer', () => {
    const dense = { layer: 'dense', units: 3, activation: 'tanh' } as const;
    const p = stackProblem(6, { features: 2, layers: [dense] }, { B: 2, T: 3 }, false);
    const timeDistributed = new Stack({
      features: 2,
      layers: [{ layer: 'timeDistributed', wrapped: dense }],
      weights: p.stack.getWeights(),
    });
    expect(everything({ ...p, stack: timeDistributed })).to.deep.equal(everything(p));
    range(0, 3).forEach((t) => {
      const alone = p.stack.forward(steps(p.inputs, [t])).outputs;
      expect(alone).to.deep.equal(steps(solve(p).outputs, [t]));
    });
  });

  it('forward and backward keep nothing: a cache may be used twice, and keeps its weights', () => {
    fc.assert(
      fc.property(stackProblems, (p) => {
        const { stack } = p;
        const expected = everything(p);
        const { cache } = stack.forward(p.inputs, {
          initialStates: p.initialStates,
          ...(p.mask && { mask: p.mask }),
        });
        stack.backward(cache, p.upstream);
        stack.forward(normalTensor(1, 1, ...p.inputs.shape));
        const old = stack.getWeights();
        stack.setWeights(stack.zeroWeights());
        const again = stack.backward(cache, p.upstream);
        stack.setWeights(old);
        for (const { name, gradient } of variablesOf(p, { gradients: again })) {
          expect(gradient, name).to.deep.equal(expected.get(`gradient of ${name}`));
        }
      }),
      runs,
    );
  });

  it('a batch of training leaves nothing behind for the next one, whatever its masks, states and lengths', () => {
    for (const layer of recurrentLayers(3)) {
      const layers = [
        withSequences({ layer: 'lstm', units: 2 }),
        layer,
        { layer: 'dense', units: 2 } as const,
      ];
      const network = new ScratchNetwork({ features: 2, layers, learningRate: 0.1 });
      const batch = (seed: number, T: number, masked: boolean, stateful: boolean) => {
        const p = stackProblem(seed, { features: 2, layers }, { B: 2, T }, masked);
        const options = {
          ...(p.mask && { mask: p.mask }),
          ...(stateful && { initialStates: p.initialStates }),
        };
        const fresh = new ScratchNetwork({
          features: 2,
          layers,
          learningRate: 0.1,
          weights: network.getWeights(),
        });
        const name = `${JSON.stringify(layer)}, batch ${seed}`;
        expect(network.trainOnBatch(p.inputs, [0, 1], options), name).to.deep.equal(
          fresh.trainOnBatch(p.inputs, [0, 1], options),
        );
        expect(network.getWeights(), name).to.deep.equal(fresh.getWeights());
      };
      batch(1, 4, true, true);
      batch(2, 4, true, false);
      batch(3, 4, true, true);
      batch(4, 4, false, true);
      batch(5, 4, false, false);
      batch(6, 3, false, false);
      network.setWeights(network.getWeights().map((w) => ({ ...w })));
      batch(7, 3, false, false);
      batch(8, 3, false, false);
    }
  });

  it('a simpleRNN layer and a dense one are ScratchSimpleRNNClassifier: the same initial weights, loss and gradients', () => {
    const [B, T, F, U, C] = [3, 5, 2, 4, 3];
    const inputs = normalTensor(1, 1, B, T, F);
    const labels = [2, 0, 1];
    const layers: LayerConfig[] = [
      { layer: 'simpleRNN', units: U },
      { layer: 'dense', units: C },
    ];
    const network = new ScratchNetwork({ features: F, layers, seed: 7, clipNorm: 0.1 });
    const classifier = new ScratchSimpleRNNClassifier({
      features: F,
      units: U,
      classes: C,
      seed: 7,
      clipNorm: 0.1,
    });
    const byLayer = (w: ReturnType<ScratchSimpleRNNClassifier['getWeights']>) => [
      { kernel: w.kernel, recurrentKernel: w.recurrentKernel, bias: w.bias },
      { kernel: w.outputKernel, bias: w.outputBias },
    ];
    expect(network.getWeights()).to.deep.equal(byLayer(classifier.getWeights()));
    const [one, two] = [
      network.lossAndGradients(inputs, labels),
      classifier.lossAndGradients(inputs, labels),
    ];
    expect(one.loss).to.equal(two.loss);
    expect(one.gradients.weights).to.deep.equal(byLayer(two.gradients));
    expect(one.gradients.inputs).to.deep.equal(two.gradients.inputs);
    expect(one.gradients.initialStates[0][0]).to.deep.equal(two.gradients.initialState);
    for (let i = 0; i < 3; i++) {
      expect(network.trainOnBatch(inputs, labels)).to.deep.include(classifier.trainOnBatch(inputs, labels));
    }
    expect(network.getWeights()).to.deep.equal(byLayer(classifier.getWeights()));
  });
});
