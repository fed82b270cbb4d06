import { expect } from 'chai';
import * as fc from 'fast-check';
import { ScratchSimpleRNNClassifier, SimpleRNN, type Tensor } from '../../scratch/index';
import { layerProblem, layerProblems, normalTensor } from '../support/layer-problem';

describe('scratch masks', () => {
  it('a masked step repeats the state before it, the initial state included', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const { B, T, F, U } = p.sizes;
        const mask = p.mask ?? { data: new Float64Array(B * T), shape: [B, T] };
        const layer = new SimpleRNN({ features: F, units: U, weights: p.weights });
        const { states } = layer.forward(p.inputs, p.initialState, mask);
        for (let b = 0; b < B; b++) {
          let before = p.initialState.data.slice(b * U, (b + 1) * U);
          for (let t = 0; t < T; t++) {
            const now = states.data.slice((b * T + t) * U, (b * T + t + 1) * U);
            if (mask.data[b * T + t] === 0) expect(now).to.deep.equal(before);
            before = now;
          }
        }
      }),
    );
  });

  it('what stands at a masked step does not matter: same states, same gradients, zero gradient of its inputs', () => {
    fc.assert(
      fc.property(
        layerProblems.filter(({ mask }) => mask !== undefined),
        fc.nat(),
        (p, seed) => {
          const { B, T, F, U } = p.sizes;
          const mask = p.mask as Tensor;
          const layer = new SimpleRNN({ features: F, units: U, weights: p.weights });
          const noise = normalTensor(seed, 1000, B, T, F);
          const changed = p.inputs.data.map((x, i) =>
            mask.data[Math.floor(i / F)] === 0 ? noise.data[i] : x,
          );
          const one = layer.forward(p.inputs, p.initialState, mask);
          const two = layer.forward({ data: changed, shape: [B, T, F] }, p.initialState, mask);
          expect(two.states).to.deep.equal(one.states);
          const before = layer.backward(one.cache, p.upstream);
          const after = layer.backward(two.cache, p.upstream);
          expect(after.initialState).to.deep.equal(before.initialState);
          after.kernel.data.forEach((g, i) => expect(g).to.equal(before.kernel.data[i]));
          after.recurrentKernel.data.forEach((g, i) => expect(g).to.equal(before.recurrentKernel.data[i]));
          after.inputs.data.forEach((g, i) => {
            expect(g).to.equal(before.inputs.data[i]);
            if (mask.data[Math.floor(i / F)] === 0) expect(g === 0).to.equal(true);
          });
        },
      ),
    );
  });

  it('padding at the end is the shorter sequence: same final state, loss, prediction and gradients', () => {
    const [B, T, F, U, C] = [3, 4, 2, 5, 3];
    const p = layerProblem(5, { B, T, F, U }, 0.7, false);
    const padded = Array.from({ length: B }, (_, b) => [
      ...p.inputs.data.slice(b * T * F, (b + 1) * T * F),
      ...normalTensor(b, 50, 3 * F).data,
    ]).flat();
    const longer = { data: Float64Array.from(padded), shape: [B, T + 3, F] };
    const mask = Array.from({ length: B }, () => [1, 1, 1, 1, 0, 0, 0]);
    const model = new ScratchSimpleRNNClassifier({
      features: F,
      units: U,
      classes: C,
      weights: { ...p.weights, outputKernel: normalTensor(6, 1, U, C), outputBias: normalTensor(7, 1, C) },
    });
    const { initialState } = p;
    const short = model.lossAndGradients(p.inputs, [0, 1, 2], { initialState });
    const long = model.lossAndGradients(longer, [0, 1, 2], { initialState, mask });
    expect(long.loss).to.equal(short.loss);
    expect(long.probabilities).to.deep.equal(short.probabilities);
    const { inputs: dLonger, ...others } = long.gradients;
    const { inputs: dInputs, ...expected } = short.gradients;
    for (const [name, gradient] of Object.entries(expected)) {
      const found = others[name as keyof typeof others];
      gradient.data.forEach((g, i) => expect(found.data[i], name).to.equal(g));
    }
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < (T + 3) * F; i++) {
        const expectedGradient = i < T * F ? dInputs.data[b * T * F + i] : 0;
        expect(dLonger.data[b * (T + 3) * F + i] === expectedGradient).to.equal(true);
      }
    }
    expect(model.predict(longer, { initialState, mask })).to.deep.equal(
      model.predict(p.inputs, { initialState }),
    );
  });

  it('an example that is masked throughout passes its initial state, and its gradient, straight through', () => {
    const p = layerProblem(8, { B: 2, T: 3, F: 2, U: 4 }, 1, false);
    const layer = new SimpleRNN({ features: 2, units: 4, weights: p.weights });
    const { finalState, cache } = layer.forward(p.inputs, p.initialState, [
      [0, 0, 0],
      [1, 1, 1],
    ]);
    expect(finalState.data.slice(0, 4)).to.deep.equal(p.initialState.data.slice(0, 4));
    const { initialState } = layer.backward(cache, { finalState: p.upstream.finalState });
    expect(initialState.data.slice(0, 4)).to.deep.equal(p.upstream.finalState.data.slice(0, 4));
  });
});
