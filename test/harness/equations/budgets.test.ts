import { expect } from 'chai';
import { emulateNetwork, estimateNetwork } from '../../../harness/equations/interpret';
import type { Network, NetworkProblem } from '../../../harness/equations/network';
import type { RoundingModel } from '../../../harness/equations/rounding-model';
import type { RoundingOptions } from '../../../harness/equations/rounding';
import { testedCells } from './cells';
import { generatedProblem, oneLayer, testedKinds } from './generated';

const model: RoundingModel = {
  unit: 2 ** -24,
  tiny: 2 ** -126,
  kappa: { tanh: 6.5, sigmoid: 9, exp: 2.2, log: 4.6 },
  sides: 1,
  forms: { tanh: 0, slope: 8, unshifted: 0 },
};
const orders = ['sequential', 'reversedFused', 'lanes', 'double', 'blocks'] as const;

/** Every customary way of computing, one after the other. */
function roundingOf(k: number): RoundingOptions {
  return {
    order: orders[k % 5],
    joint: k % 3 === 1,
    flat: k % 2 === 1,
    form: k % 6,
    noise: (['functions', 'high', 'low', 'sums'] as const)[k % 4],
    seed: k,
  };
}

interface Ratios {
  /** largest error / bound */ bound: number;
  /** mean of (error / sigma)², and how many */ squares: number;
  count: number;
  worst: string;
}

function compare(network: Network, problem: NetworkProblem, k: number, into: Ratios): void {
  const run = emulateNetwork(network, problem, model.kappa, roundingOf(k));
  for (const [name, { value, bound, sigma }] of estimateNetwork(network, problem, model)) {
    const given = run.get(name)?.data ?? new Float64Array(0);
    expect(given.length, name).to.equal(value.length);
    value.forEach((x, i) => {
      const error = Math.abs(given[i] - x);
      const ratio = error === 0 ? 0 : error / bound[i];
      if (!(ratio <= into.bound)) Object.assign(into, { bound: ratio, worst: `${name}[${i}] of run ${k}` });
      if (sigma[i] > 1e-30 && bound[i] > 1e-30 && bound[i] < 1e-3) {
        into.squares += (error / sigma[i]) ** 2;
        into.count++;
      }
    });
  }
}

describe('budgets derived from formulas', () => {
  for (const [name, cell] of Object.entries(testedCells))
    it(`the bound holds for every number of emulated float32 runs: ${name}`, () => {
      const network = oneLayer(cell, 3, 4);
      const ratios: Ratios = { bound: 0, squares: 0, count: 0, worst: '' };
      testedKinds.forEach((kind, k) => {
        for (const scale of [0.3, 1.5]) {
          const options = {
            kind,
            scale,
            masked: k % 3 === 1,
            upstream: k % 2 === 1,
            batch: 2 + (k % 2),
            timeSteps: 5,
          };
          compare(network, generatedProblem(network, 100 + k, options), k, ratios);
        }
      });
      expect(ratios.bound, ratios.worst).to.be.at.most(1);
      expect(ratios.bound).to.be.above(0.2);
    });

  for (const [name, cell] of Object.entries(testedCells))
    it(`sigma is the size of the errors of ordinary problems: ${name}`, () => {
      const network = oneLayer(cell, 5, 6);
      const ratios: Ratios = { bound: 0, squares: 0, count: 0, worst: '' };
      for (let k = 0; k < 12; k++)
        compare(
          network,
          generatedProblem(network, 300 + k, { upstream: true, timeSteps: 6 }),
          4 * k + 3,
          ratios,
        );
      expect(Math.sqrt(ratios.squares / ratios.count)).to.be.within(0.3, 1.2);
    });
});
