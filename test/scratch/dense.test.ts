import { expect } from 'chai';
import * as fc from 'fast-check';
import { Dense } from '../../scratch/index';
import { add, dual, sum, times } from '../support/dual';
import { normalTensor, scaledDifference } from '../support/layer-problem';

const size = fc.integer({ min: 1, max: 6 });

describe('scratch/dense', () => {
  it('equals the dual-number derivative in a random direction of each gradient', () => {
    fc.assert(
      fc.property(fc.nat(1e6), size, size, size, (seed, B, N, U) => {
        const [kernel, bias, inputs] = [
          normalTensor(seed, 1, N, U),
          normalTensor(seed + 1, 1, U),
          normalTensor(seed + 2, 1, B, N),
        ];
        const upstream = normalTensor(seed + 3, 1, B, U);
        const layer = new Dense({ inputs: N, units: U, weights: { kernel, bias } });
        const { cache } = layer.forward(inputs);
        const gradients = layer.backward(cache, upstream);
        const given = { kernel, bias, inputs };
        for (const name of ['kernel', 'bias', 'inputs'] as const) {
          const direction = normalTensor(seed + 4, 1, ...given[name].shape).data;
          const at = (key: typeof name, i: number) =>
            dual(given[key].data[i], key === name ? direction[i] : 0);
          const terms = Array.from({ length: B * U }, (_, i) => {
            const [b, u] = [Math.floor(i / U), i % U];
            const products = Array.from({ length: N }, (__, n) =>
              times(at('inputs', b * N + n), at('kernel', n * U + u)),
            );
            return times(dual(upstream.data[i]), add(at('bias', u), sum(products)));
          });
          const products = gradients[name].data.map((g, i) => g * direction[i]);
          const magnitude = products.reduce((s, x) => s + Math.abs(x), 0);
          const total = products.reduce((s, x) => s + x, 0);
          expect(Math.abs(total - sum(terms).slope), name).to.be.at.most(1e-13 * magnitude);
        }
      }),
    );
  });

  it('is pure and re-entrant: copies of weights in and out, caches that keep theirs', () => {
    const layer = new Dense({ inputs: 1, units: 1, weights: { kernel: [[2]], bias: [1] } });
    const { outputs, cache } = layer.forward([[3]]);
    layer.getWeights().kernel.data.fill(9);
    layer.setWeights({ kernel: [[5]], bias: [0] });
    expect(Array.from(outputs.data)).to.deep.equal([7]);
    expect(layer.backward(cache, [[1]]).inputs.data[0]).to.equal(2);
    expect(layer.forward([[3]]).outputs.data[0]).to.equal(15);
  });

  it("starts from Keras's initialisers", () => {
    const { kernel, bias } = new Dense({ inputs: 40, units: 20, seed: 1 }).getWeights();
    expect(scaledDifference(bias.data, new Float64Array(20))).to.equal(0);
    expect(kernel.data.every((x) => Math.abs(x) <= Math.sqrt(6 / 60))).to.equal(true);
  });

  it('refuses what does not fit', () => {
    const layer = new Dense({ inputs: 2, units: 3 });
    expect(() => layer.forward([[1, 2, 3]])).to.throw(
      /Dense.forward: inputs has shape \[1, 3\] but \[B, 2\]/,
    );
    const { cache } = layer.forward([[1, 2]]);
    expect(() => layer.backward(cache, [[1]])).to.throw(
      /Dense.backward: dOutputs has shape \[1, 1\] but \[1, 3\]/,
    );
    expect(() => layer.setWeights({ kernel: [[1]], bias: [1] })).to.throw(/Dense: kernel has shape \[1, 1\]/);
    expect(() => new Dense({ inputs: 1.5, units: 3 })).to.throw(/Dense: inputs is 1.5/);
  });
});
