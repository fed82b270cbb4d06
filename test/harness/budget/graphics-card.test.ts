import { expect } from 'chai';
import { budgetFor, precisionModelOf, precisionModels } from '../../../harness/budget/index';
import { makeProblem } from '../../../harness/problems/index';
import { sigmoid } from '../../../harness/equations/activations/sigmoid';
import { tanh } from '../../../harness/equations/activations/tanh';

const { gpu } = precisionModels;
const u = gpu.unit;
const charges = { model: gpu, floor: 0 };
/** What WGSL and GLSL ES 3.00 grant, in u: 1 ULP is at most 2 u |f|. */
const exponential = (x: number): number => 2 * (3 + 2 * Math.abs(x));
const quotient = 2 * 2.5;
/** Every way in which the worst errors can fall out. */
const signs = [-1, 0, 1];
const points = Array.from({ length: 400 }, (_, i) => 2 ** (-14 + i / 20)).filter((x) => x < 80);

describe('the model of a graphics card', () => {
  it('bounds tanh = (1 - e) / (1 + e) by what the standards grant, and needs its absolute part near 0', () => {
    let largest = 0;
    for (const x of points)
      for (const a of signs)
        for (const b of signs)
          for (const c of signs) {
            const e = Math.exp(-2 * x) * (1 + a * exponential(2 * x) * u);
            // 1 - e is a number of the format, or rounded once; so is 1 + e
            const given = (((1 - e) * (1 + b * u)) / ((1 + e) * (1 - b * u))) * (1 + c * quotient * u);
            const f = Math.tanh(x);
            // float64 loses 2^-53 of 1 in 1 - e, which is 2^-29 u
            const share = (Math.abs(given - f) - 2 ** -50) / tanh.bound(x, f, charges);
            largest = Math.max(largest, share);
            expect(share, `tanh ${x}`).to.be.at.most(1);
          }
    expect(largest).to.be.above(0.8);
    const [x] = points;
    expect(12 * u * Math.tanh(x)).to.be.below(0.01 * tanh.bound(x, Math.tanh(x), charges));
  });

  it('bounds the sigmoid, whose relative error grows towards -Infinity', () => {
    for (const x of points.flatMap((one) => [one, -one]))
      for (const a of signs)
        for (const c of signs) {
          const e = Math.exp(-x) * (1 + a * exponential(x) * u);
          const given = (1 / ((1 + e) * (1 - c * u))) * (1 + c * quotient * u);
          const f = sigmoid.value(x);
          expect(Math.abs(given - f) / sigmoid.bound(x, f, charges), `sigmoid ${x}`).to.be.at.most(1 + 1e-6);
        }
  });

  it('bounds a softmax with the errors that the standards grant', () => {
    const recipe = {
      batch: 3,
      timeSteps: 1,
      features: 2,
      units: 2,
      classes: 5,
      labels: true,
      initialState: true,
    };
    const more = { upstreamStates: false, upstreamFinalState: false, mask: false };
    for (let seed = 0; seed < 20; seed++) {
      const problem = makeProblem({ id: 'card', seed, scale: 6, ...recipe, ...more });
      const budget = budgetFor(problem, gpu);
      const { logits, probabilities } = budget.evaluation;
      const classes = 5;
      for (const sign of [-1, 1])
        for (let b = 0; b < 3; b++) {
          const row = Array.from(logits!.data.subarray(b * classes, (b + 1) * classes));
          const max = Math.max(...row);
          // one class off to one side, all others to the other: the worst case
          const exps = row.map(
            (y, j) => Math.exp(y - max) * (1 + (j === 0 ? sign : -sign) * exponential(y - max) * u),
          );
          const sum = exps.reduce((s, e) => s + e);
          exps.forEach((e, j) => {
            const at = b * classes + j;
            const given = (e / sum) * (1 + sign * quotient * u);
            const allowed = budget.spread('probabilities').bound[at];
            expect(Math.abs(given - probabilities!.data[at])).to.be.at.most(allowed);
          });
        }
    }
  });

  it('is the model of webgl and webgpu, whatever runs on them', () => {
    const names = ['browser:webgl', 'browser:webgpu:as-is:forward', 'tfjs:webgpu', 'tfjs:webgl:bptt'];
    for (const name of names) expect(precisionModelOf({ name, precision: 'float32' })).to.equal(gpu);
    for (const [name, model] of [
      ['browser:cpu', 'cpu'],
      ['tfjs:wasm:bptt', 'wasm'],
      ['graph', 'tensorflow'],
      ['browser:half', 'half'],
      ['my-webgl', 'any'],
      ['browser:other', 'any'],
    ] as const)
      expect(precisionModelOf({ name, precision: 'float32' }).name, name).to.equal(model);
  });
});
