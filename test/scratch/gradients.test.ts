import { expect } from 'chai';
import * as fc from 'fast-check';
import { ScratchSimpleRNNClassifier, SimpleRNN, type Tensor } from '../../scratch/index';
import { add, dual, dualCrossEntropy, dualStates, sum, times, type Dual } from '../support/dual';
import { layerProblem, layerProblems, normalTensor, type LayerProblem } from '../support/layer-problem';

/** The bound: 1e-10 of the gradient's scale. */
const tolerance = 1e-10;

type Differentiable = Pick<LayerProblem, 'inputs' | 'initialState'> & LayerProblem['weights'];
const names = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState'] as const;
type Name = (typeof names)[number];

const variablesOf = ({ weights, inputs, initialState }: LayerProblem): Differentiable => ({
  ...weights,
  inputs,
  initialState,
});

/** Σ states · upstream, the scalar whose gradient `backward` returns, from an independent dual-number forward pass. */
function dualObjective(p: LayerProblem, variables: Differentiable, slopes: Partial<Differentiable>): Dual {
  const { B, T, F, U } = p.sizes;
  const seeded = (name: Name) => {
    const slope = slopes[name]?.data;
    return Array.from(variables[name].data, (value, i) => dual(value, slope?.[i] ?? 0));
  };
  const rows = (flat: Dual[], width: number) =>
    Array.from({ length: flat.length / width }, (_, r) => flat.slice(r * width, (r + 1) * width));
  const [kernel, recurrentKernel] = [rows(seeded('kernel'), U), rows(seeded('recurrentKernel'), U)];
  const [bias, steps, initial] = [seeded('bias'), rows(seeded('inputs'), F), rows(seeded('initialState'), U)];
  const terms: Dual[] = [];
  for (let b = 0; b < B; b++) {
    const mask = p.mask && Array.from(p.mask.data.subarray(b * T, (b + 1) * T));
    const states = dualStates(
      kernel,
      recurrentKernel,
      bias,
      steps.slice(b * T, (b + 1) * T),
      initial[b],
      mask,
    );
    states.forEach((h, t) =>
      h.forEach((value, u) => {
        let weight = p.upstream.states.data[(b * T + t) * U + u];
        if (t === T - 1) weight += p.upstream.finalState.data[b * U + u];
        terms.push(times(value, dual(weight)));
      }),
    );
  }
  return sum(terms);
}

function backwardOf(p: LayerProblem) {
  const layer = new SimpleRNN({ features: p.sizes.F, units: p.sizes.U, weights: p.weights });
  return layer.backward(layer.forward(p.inputs, p.initialState, p.mask).cache, p.upstream);
}

const largest = (data: Float64Array) => data.reduce((m, x) => Math.max(m, Math.abs(x)), 0);

/**
 * A state within 2^-53 of ±1 knows its own slope only to about 2^-53, absolutely. When every unit is saturated that is
 * all there is: an error of 2^-53 · |dLoss/dh| per state, passed on to what the slope is multiplied with.
 */
function roundingOfSlopes({ sizes, weights, inputs, initialState }: LayerProblem, dStates: Tensor): number {
  const factors = [weights.kernel, weights.recurrentKernel, inputs, initialState].map(({ data }) =>
    largest(data),
  );
  const sumOfSlopes = dStates.data.reduce((total, g) => total + Math.abs(g), 0);
  return 2 ** -52 * sumOfSlopes * Math.max(1, ...factors) * sizes.U;
}

/** d/ds f(x + s · direction) at 0, by central differences of order 8. */
function differentiate(f: (s: number) => number, h: number): number {
  const weights = [4 / 5, -1 / 5, 4 / 105, -1 / 280];
  return weights.reduce((total, w, i) => total + (w * (f((i + 1) * h) - f(-(i + 1) * h))) / h, 0);
}

const moved = (tensor: Tensor, i: number, by: number): Tensor => ({
  ...tensor,
  data: tensor.data.map((x, j) => (i === j ? x + by : x)),
});

/** Weights below 1: finite differences of sharper functions do not reach 1e-10. */
const gentle = layerProblems.filter(({ weights: { kernel, recurrentKernel, bias } }) =>
  [kernel, recurrentKernel, bias].every(({ data }) => largest(data) < 1),
);

describe('scratch gradients against independent derivatives', () => {
  it('layer: every single element equals its dual-number derivative to 1e-10 of the scale', () => {
    fc.assert(
      fc.property(layerProblems, (p) => {
        const gradients = backwardOf(p);
        const variables = variablesOf(p);
        const floor = roundingOfSlopes(p, gradients.states);
        for (const name of names) {
          const scale = largest(gradients[name].data);
          variables[name].data.forEach((_, i) => {
            const direction = {
              ...variables[name],
              data: variables[name].data.map((__, j) => (i === j ? 1 : 0)),
            };
            const { slope } = dualObjective(p, variables, { [name]: direction });
            expect(Math.abs(slope - gradients[name].data[i]), name).to.be.at.most(tolerance * scale + floor);
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  it('layer: long sequences too, along random directions (T = 60, masks, five different sizes)', () => {
    for (const [seed, scale] of [
      [11, 0.02],
      [12, 0.4],
      [13, 1.2],
    ]) {
      const p = layerProblem(seed, { B: 3, T: 60, F: 2, U: 7 }, scale, true);
      const gradients = backwardOf(p);
      const variables = variablesOf(p);
      for (const name of names) {
        const direction = normalTensor(seed + 99, 1, ...variables[name].shape);
        const { slope } = dualObjective(p, variables, { [name]: direction });
        const products = gradients[name].data.map((g, i) => g * direction.data[i]);
        const total = products.reduce((s, x) => s + x, 0);
        const size = products.reduce((s, x) => s + Math.abs(x), 0);
        expect(Math.abs(total - slope), `${name}, scale ${scale}`).to.be.at.most(tolerance * size);
      }
    }
  });

  it('layer: finite differences of the layer itself agree to 1e-10 of the scale', () => {
    fc.assert(
      fc.property(gentle, (p) => {
        const gradients = backwardOf(p);
        const variables = variablesOf(p);
        const { T, U, F } = p.sizes;
        const objective = (v: Differentiable): number => {
          const { states, finalState } = new SimpleRNN({ features: F, units: U, weights: v }).forward(
            v.inputs,
            v.initialState,
            p.mask,
          );
          expect(states.shape[1]).to.equal(T);
          const dot = (x: Tensor, y: Tensor) => x.data.reduce((s, value, i) => s + value * y.data[i], 0);
          return dot(states, p.upstream.states) + dot(finalState, p.upstream.finalState);
        };
        // truncation h^8 · (9th derivative)/630 and rounding 2^-53 · |objective| / h meet near h = 0.003
        const size = Math.max(1, largest(p.upstream.states.data) * p.upstream.states.data.length);
        for (const name of names) {
          const scale = Math.max(size, largest(gradients[name].data));
          variables[name].data.forEach((_, i) => {
            const slope = differentiate(
              (s) => objective({ ...variables, [name]: moved(variables[name], i, s) }),
              0.003,
            );
            expect(Math.abs(slope - gradients[name].data[i]), name).to.be.at.most(tolerance * scale);
          });
        }
      }),
      { numRuns: 25 },
    );
  });

  it('classifier: all seven gradients of the mean loss equal their dual-number derivatives to 1e-10', () => {
    for (const [seed, scale, masked] of [
      [21, 0.01, false],
      [22, 0.6, true],
      [23, 1.5, false],
    ] as const) {
      const [B, T, F, U, C] = [3, 5, 2, 4, 6];
      const p = layerProblem(seed, { B, T, F, U }, scale, masked);
      const outputKernel = normalTensor(seed + 50, scale, U, C);
      const outputBias = normalTensor(seed + 51, scale, C);
      const labels = [5, 0, 3];
      const weights = { ...p.weights, outputKernel, outputBias };
      const model = new ScratchSimpleRNNClassifier({ features: F, units: U, classes: C, weights });
      const options = { initialState: p.initialState, ...(p.mask && { mask: p.mask }) };
      const { loss, gradients } = model.lossAndGradients(p.inputs, labels, options);
      const variables = { ...weights, inputs: p.inputs, initialState: p.initialState };

      const dualLoss = (name: keyof typeof variables, at: number): Dual => {
        const read = (key: keyof typeof variables) =>
          Array.from(variables[key].data, (x, i) => dual(x, key === name && i === at ? 1 : 0));
        const rows = (flat: Dual[], width: number) =>
          Array.from({ length: flat.length / width }, (_, r) => flat.slice(r * width, (r + 1) * width));
        const losses = labels.map((label, b) => {
          const states = dualStates(
            rows(read('kernel'), U),
            rows(read('recurrentKernel'), U),
            read('bias'),
            rows(read('inputs'), F).slice(b * T, (b + 1) * T),
            rows(read('initialState'), U)[b],
            p.mask && Array.from(p.mask.data.subarray(b * T, (b + 1) * T)),
          );
          return dualCrossEntropy(rows(read('outputKernel'), C), read('outputBias'), states[T - 1], label);
        });
        return times(losses.reduce(add), dual(1 / B));
      };
      expect(Math.abs(dualLoss('bias', 0).value - loss)).to.be.at.most(1e-14 * loss);
      for (const name of [...names, 'outputKernel', 'outputBias'] as const) {
        const scaleOf = largest(gradients[name].data);
        gradients[name].data.forEach((g, i) =>
          expect(Math.abs(dualLoss(name, i).slope - g), name).to.be.at.most(tolerance * scaleOf),
        );
      }
    }
  });
});
