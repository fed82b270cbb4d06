import { expect } from 'chai';
import {
  createRandom,
  glorotUniform,
  initialClassifierWeights,
  orthogonal,
  scaledNormal,
  weightNames,
} from '../../scratch/index';

describe('scratch/initializers', () => {
  for (const [rows, columns] of [
    [1, 1],
    [7, 7],
    [64, 64],
    [3, 8],
    [8, 3],
  ]) {
    it(`orthogonal ${rows}x${columns}: the shorter side's vectors are orthonormal to 1e-14`, () => {
      const { data, shape } = orthogonal(createRandom(1), rows, columns);
      expect(shape).to.deep.equal([rows, columns]);
      const at = (i: number, k: number) => (rows <= columns ? data[i * columns + k] : data[k * columns + i]);
      const count = Math.min(rows, columns);
      for (let i = 0; i < count; i++) {
        for (let j = 0; j <= i; j++) {
          let dot = 0;
          for (let k = 0; k < Math.max(rows, columns); k++) dot += at(i, k) * at(j, k);
          expect(dot).to.be.closeTo(i === j ? 1 : 0, 1e-14);
        }
      }
    });
  }

  it('orthogonal is uniform: either sign of the determinant, entries of mean 0 and variance 1/n', () => {
    const random = createRandom(2);
    let positive = 0;
    const entries: number[] = [];
    for (let i = 0; i < 4000; i++) {
      const [a, b, c, d] = orthogonal(random, 2).data;
      if (a * d - b * c > 0) positive++;
      entries.push(a, b, c, d);
    }
    expect(positive).to.be.closeTo(2000, 6 * Math.sqrt(1000));
    const mean = entries.reduce((s, x) => s + x, 0) / entries.length;
    const variance = entries.reduce((s, x) => s + x * x, 0) / entries.length;
    expect(mean).to.be.closeTo(0, 6 * Math.sqrt(1 / 2 / 4000));
    expect(variance).to.be.closeTo(1 / 2, 1e-12); // rows have length 1
  });

  it('glorotUniform stays within its limit, reaches towards it, and has variance 2 / (rows + columns)', () => {
    const { data } = glorotUniform(createRandom(3), 200, 100);
    const limit = Math.sqrt(6 / 300);
    const largest = data.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    expect(largest).to.be.within(0.999 * limit, limit);
    const variance = data.reduce((s, x) => s + x * x, 0) / data.length;
    // a uniform's x² has standard deviation limit² · sqrt(4/45)
    expect(variance).to.be.closeTo(2 / 300, 6 * limit ** 2 * Math.sqrt(4 / 45 / data.length));
  });

  it("scaledNormal is the notebook's 0.01 · normal", () => {
    const { data } = scaledNormal(createRandom(4), 200, 100);
    const random = createRandom(4);
    expect(Array.from(data.subarray(0, 3))).to.deep.equal([1, 2, 3].map(() => 0.01 * random.normal()));
  });

  describe('initialClassifierWeights', () => {
    const sizes = { features: 3, units: 5, classes: 4 };
    const first = initialClassifierWeights({ ...sizes, seed: 7 });

    it('gives the shapes of the interface, biases of zero, and the same for the same seed', () => {
      expect(weightNames.map((name) => first[name].shape)).to.deep.equal([[3, 5], [5, 5], [5], [5, 4], [4]]);
      expect([...first.bias.data, ...first.outputBias.data].every((x) => x === 0)).to.equal(true);
      expect(initialClassifierWeights({ ...sizes, seed: 7 })).to.deep.equal(first);
      expect(initialClassifierWeights({ ...sizes, seed: 8 }).kernel).not.to.deep.equal(first.kernel);
    });

    it('gives numbers that float32 holds exactly, so that both precisions start equal', () => {
      for (const name of weightNames) {
        expect(Array.from(first[name].data)).to.deep.equal(Array.from(first[name].data, Math.fround));
      }
    });

    it("has the notebook's initialiser too", () => {
      const { recurrentKernel } = initialClassifierWeights({
        features: 30,
        units: 40,
        classes: 2,
        initializer: 'notebook',
      });
      const deviation = Math.sqrt(recurrentKernel.data.reduce((s, x) => s + x * x, 0) / 1600);
      expect(deviation).to.be.closeTo(0.01, (6 * 0.01) / Math.sqrt(3200));
    });

    it('refuses malformed sizes and unknown initialisers', () => {
      expect(() => initialClassifierWeights({ ...sizes, units: 0 })).to.throw(/units is 0; a size must be/);
      expect(() => initialClassifierWeights({ ...sizes, initializer: 'he' as never })).to.throw(
        /initializer is he/,
      );
    });
  });
});
