import { expect } from 'chai';
import * as fc from 'fast-check';
import { createRandom, SimpleRNN, type SimpleRNNGradients, type Tensor } from '../../scratch/index';
import {
  layerProblem,
  layerProblems,
  normalTensor,
  scaledDifference,
  type LayerProblem,
} from '../support/layer-problem';

const keys = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState', 'states'] as const;
/** Rounding of sums of at most a few hundred terms of like size. */
const rounding = 1e-12;

const layerOf = ({ sizes, weights }: LayerProblem) =>
  new SimpleRNN({ features: sizes.F, units: sizes.U, weights });
const forward = (p: LayerProblem) => layerOf(p).forward(p.inputs, p.initialState, p.mask);

/** Examples `order` of a batch-first tensor. */
function pick(tensor: Tensor, order: ArrayLike<number>): Tensor {
  const width = tensor.data.length / tensor.shape[0];
  const data = Array.from(order).flatMap((b) => [...tensor.data.subarray(b * width, (b + 1) * width)]);
  return { data: Float64Array.from(data), shape: [order.length, ...tensor.shape.slice(1)] };
}

/** Steps from..to-1 of a [B, T] or [B, T, N] tensor. */
function steps(tensor: Tensor, from: number, to: number): Tensor {
  const [B, T, N = 1] = tensor.shape;
  const data = Array.from({ length: B }, (_, b) => [
    ...tensor.data.slice((b * T + from) * N, (b * T + to) * N),
  ]);
  return { data: Float64Array.from(data.flat()), shape: [B, to - from, ...tensor.shape.slice(2)] };
}

const combine = (s: number, x: Tensor, t: number, y: Tensor): Tensor => ({
  data: x.data.map((_, i) => s * x.data[i] + t * y.data[i]),
  shape: x.shape,
});

function expectSame(found: SimpleRNNGradients, expected: SimpleRNNGradients, within: number): void {
  for (const key of keys) {
    expect(found[key].shape, key).to.deep.equal(expected[key].shape);
    expect(scaledDifference(found[key].data, expected[key].data), key).to.be.at.most(within);
  }
}

describe('scratch/simple-rnn', () => {
  it('backward is linear in the upstream gradient', () => {
    fc.assert(
      fc.property(layerProblems, fc.double({ min: -2, max: 2, noNaN: true }), (p, s) => {
        const layer = layerOf(p);
        const { cache } = forward(p);
        const { B, T, U } = p.sizes;
        const other = { states: normalTensor(77, 1, B, T, U), finalState: normalTensor(78, 1, B, U) };
        const one = layer.backward(cache, p.upstream);
        const two = layer.backward(cache, other);
        const both = layer.backward(cache, {
          states: combine(s, p.upstream.states, 3, other.states),
          finalState: combine(s, p.upstream.finalState, 3, other.finalState),
        });
        for (const key of keys) {
          const parts = combine(s, one[key], 3, two[key]).data;
          // terms may cancel, so the scale is that of the parts
          const scale = Math.max(...[...one[key].data, ...two[key].data].map(Math.abs), Number.MIN_VALUE);
          parts.forEach((x, i) =>
            expect(Math.abs(x - both[key].data[i]), key).to.be.at.most(10 * scale * rounding),
          );
        }
      }),
    );
  });

  it('a zero upstream gradient, or none, gives zero everywhere', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const layer = layerOf(p);
        const { cache } = forward(p);
        const { B, T, U } = p.sizes;
        const nothing = [{}, { states: { data: new Float64Array(B * T * U), shape: [B, T, U] } }];
        for (const upstream of nothing) {
          const gradients = layer.backward(cache, upstream);
          for (const key of keys)
            expect(
              gradients[key].data.every((x) => x === 0),
              key,
            ).to.equal(true);
        }
      }),
    );
  });

  it('finalState is the last of the states, and its gradient adds to that of the last state', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const layer = layerOf(p);
        const { states, finalState, cache } = forward(p);
        const { B, T, U } = p.sizes;
        expect(steps(states, T - 1, T).data).to.deep.equal(finalState.data);
        const summed = p.upstream.states.data.slice();
        for (let b = 0; b < B; b++) {
          for (let u = 0; u < U; u++)
            summed[(b * T + T - 1) * U + u] += p.upstream.finalState.data[b * U + u];
        }
        const once = layer.backward(cache, { states: { data: summed, shape: [B, T, U] } });
        expectSame(layer.backward(cache, p.upstream), once, 0);
      }),
    );
  });

  it('permuting the batch permutes states and input gradients, bit for bit, and keeps weight gradients', () => {
    fc.assert(
      fc.property(layerProblems, fc.nat(), (p, seed) => {
        const order = createRandom(seed).permutation(p.sizes.B);
        const permuted: LayerProblem = {
          ...p,
          inputs: pick(p.inputs, order),
          initialState: pick(p.initialState, order),
          mask: p.mask && pick(p.mask, order),
          upstream: {
            states: pick(p.upstream.states, order),
            finalState: pick(p.upstream.finalState, order),
          },
        };
        const [one, two] = [forward(p), forward(permuted)];
        expect(two.states).to.deep.equal(pick(one.states, order));
        const before = layerOf(p).backward(one.cache, p.upstream);
        const after = layerOf(p).backward(two.cache, permuted.upstream);
        for (const key of ['inputs', 'initialState', 'states'] as const) {
          expect(after[key]).to.deep.equal(pick(before[key], order));
        }
        for (const key of ['kernel', 'recurrentKernel', 'bias'] as const) {
          expect(scaledDifference(after[key].data, before[key].data)).to.be.at.most(rounding);
        }
      }),
    );
  });

  it('a sequence cut in two, its state and its gradient carried over the cut, is the whole sequence', () => {
    fc.assert(
      fc.property(
        layerProblems.filter(({ sizes }) => sizes.T > 1),
        fc.nat(100),
        (p, somewhere) => {
          const { T } = p.sizes;
          const cut = 1 + (somewhere % (T - 1));
          const layer = layerOf(p);
          const whole = forward(p);
          const all = layer.backward(whole.cache, p.upstream);
          const head = layer.forward(
            steps(p.inputs, 0, cut),
            p.initialState,
            p.mask && steps(p.mask, 0, cut),
          );
          const tail = layer.forward(
            steps(p.inputs, cut, T),
            head.finalState,
            p.mask && steps(p.mask, cut, T),
          );
          expect(head.states).to.deep.equal(steps(whole.states, 0, cut));
          expect(tail.states).to.deep.equal(steps(whole.states, cut, T));

          const late = layer.backward(tail.cache, {
            states: steps(p.upstream.states, cut, T),
            finalState: p.upstream.finalState,
          });
          const early = layer.backward(head.cache, {
            states: steps(p.upstream.states, 0, cut),
            finalState: late.initialState,
          });
          expect(scaledDifference(early.initialState.data, all.initialState.data)).to.be.at.most(rounding);
          expect(scaledDifference(late.inputs.data, steps(all.inputs, cut, T).data)).to.be.at.most(rounding);
          expect(scaledDifference(early.inputs.data, steps(all.inputs, 0, cut).data)).to.be.at.most(rounding);
          for (const key of ['kernel', 'recurrentKernel', 'bias'] as const) {
            const total = combine(1, early[key], 1, late[key]).data;
            const scale = Math.max(...[...early[key].data, ...late[key].data].map(Math.abs));
            total.forEach((x, i) => expect(Math.abs(x - all[key].data[i])).to.be.at.most(scale * rounding));
          }
        },
      ),
    );
  });

  it('an example alone gives the very states that it gives in a batch', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const { states } = forward(p);
        for (let b = 0; b < p.sizes.B; b++) {
          const alone = layerOf(p).forward(
            pick(p.inputs, [b]),
            pick(p.initialState, [b]),
            p.mask && pick(p.mask, [b]),
          );
          expect(alone.states).to.deep.equal(pick(states, [b]));
        }
      }),
    );
  });

  it('is re-entrant: interleaved passes, even of one layer with changing weights, do not touch each other', () => {
    const sizes = { B: 3, T: 4, F: 2, U: 5 };
    const [p, q] = [layerProblem(1, sizes, 0.5, false), layerProblem(2, { ...sizes, B: 2, T: 6 }, 0.5, true)];
    const alone = (r: LayerProblem) => layerOf(r).backward(forward(r).cache, r.upstream);
    const layer = layerOf(p);
    const first = layer.forward(p.inputs, p.initialState, p.mask);
    layer.setWeights(q.weights);
    const second = layer.forward(q.inputs, q.initialState, q.mask);
    expectSame(layer.backward(first.cache, p.upstream), alone(p), 0);
    expectSame(layer.backward(second.cache, q.upstream), alone(q), 0);
    expectSame(layer.backward(first.cache, p.upstream), alone(p), 0);
  });

  it('changes neither cache nor inputs nor weights, and hands out arrays of its own', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const given = structuredClone(p);
        const layer = layerOf(p);
        const { states, finalState, cache } = forward(p);
        const before = structuredClone(cache);
        const gradients = layer.backward(cache, p.upstream);
        expect(cache).to.deep.equal(before);
        expect(p).to.deep.equal(given);
        const made: Tensor[] = [states, finalState, ...keys.map((key) => gradients[key])];
        for (const { data } of made) data.fill(7);
        expect(cache).to.deep.equal(before);
        expectSame(
          layer.backward(cache, p.upstream),
          layerOf(given).backward(forward(given).cache, given.upstream),
          0,
        );
      }),
    );
  });

  it("copies its weights in and out, and starts from Keras's initialisers", () => {
    const kernel = [[1, 2]];
    const layer = new SimpleRNN({
      features: 1,
      units: 2,
      weights: {
        kernel,
        recurrentKernel: [
          [0, 0],
          [0, 0],
        ],
        bias: [0, 0],
      },
    });
    layer.getWeights().kernel.data.fill(9);
    expect(Array.from(layer.getWeights().kernel.data)).to.deep.equal([1, 2]);
    const fresh = new SimpleRNN({ features: 4, units: 3, seed: 1 }).getWeights();
    const limit = Math.sqrt(6 / 7);
    expect(fresh.kernel.data.every((x) => Math.abs(x) <= limit && x !== 0)).to.equal(true);
    expect(fresh.bias.data.every((x) => x === 0)).to.equal(true);
    expect(fresh.recurrentKernel.data.reduce((s, x) => s + x * x, 0)).to.be.closeTo(3, 1e-12);
  });

  it('keeps a tiny tanh derivative where 1 - h² would cancel to fewer digits', () => {
    // h = tanh(9): (1 - h)(1 + h) against 1/cosh²(9), which does not cancel
    const layer = new SimpleRNN({
      features: 1,
      units: 1,
      weights: { kernel: [[9]], recurrentKernel: [[0]], bias: [0] },
    });
    const { cache } = layer.forward([[[1]]]);
    const slope = layer.backward(cache, { finalState: [[1]] }).bias.data[0];
    // the state itself is rounded to 2^-53, so its distance to 1 has a relative error of 2^-54 / (2·e^-18)
    expect(Math.abs(slope * Math.cosh(9) ** 2 - 1)).to.be.at.most(2 ** -54 / (2 * Math.exp(-18)) + 1e-15);
  });
});
