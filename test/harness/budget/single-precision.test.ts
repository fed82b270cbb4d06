import { expect } from 'chai';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import { singlePrecisionRun } from '../../../harness/budget/index';
import { evaluateWithTfjs, loadBackend, type LoadedBackend } from '../../../src/index';
import type { Tensor } from '../../../scratch/index';

describe('the emulated float32 run', () => {
  let cpu: LoadedBackend;
  before(async () => {
    cpu = await loadBackend('cpu');
  });

  it('equals the forward pass of the cpu backend bit for bit on 150 problems', () => {
    const different: string[] = [];
    for (let i = 0; i < 150; i++) {
      const problem = adversarialProblem(41, i, { largest: { features: 60, units: 60 } });
      const given = evaluateWithTfjs(cpu, problem);
      const emulated = singlePrecisionRun(problem);
      for (const name of ['states', 'finalState', 'logits', 'probabilities'] as const) {
        const own: Tensor | undefined = emulated[name];
        const theirs: Tensor | undefined = given[name];
        expect(theirs?.data.length).to.equal(own?.data.length);
        const at = own?.data.findIndex((x, k) => x !== theirs?.data[k]) ?? -1;
        if (at >= 0) different.push(`${problem.id} ${name}[${at}]: ${own?.data[at]} ${theirs?.data[at]}`);
      }
    }
    expect(different).to.deep.equal([]);
  });

  it('rounds equal numbers alike, as every program does: units with equal weights stay equal, whatever the noise', () => {
    const problem = adversarialProblem(41, 0, { plain: true, kinds: ['gaussian'] });
    const weights: readonly (Tensor | undefined)[] = Object.values(problem.weights);
    for (const weight of weights) weight?.data.fill(Math.fround(0.07));
    const kappa = { tanh: 6, sigmoid: 6, exp: 3, log: 3 };
    for (const noise of ['functions', 'sums'] as const) {
      const { states } = singlePrecisionRun(problem, { noise, seed: 1, kappa });
      const [batch, timeSteps, units] = states!.shape;
      const rows = Array.from(
        { length: batch * timeSteps },
        (_, i) => new Set(states!.data.subarray(i * units, (i + 1) * units)),
      );
      expect(units).to.be.above(1);
      expect(rows.filter(({ size }) => size > 1)).to.deep.equal([]);
      const quiet = singlePrecisionRun(problem).states!.data;
      expect(
        states!.data.some((x, i) => x !== quiet[i]),
        noise,
      ).to.equal(true);
    }
  });
});
