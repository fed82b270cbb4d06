import { expect } from 'chai';
import { addOuter, addProduct, addSparseProduct, sparseOf } from '../../../harness/equations/matrix';
import { createRandom } from '../../../scratch/index';

/** Sizes that fill groups of four terms, and leave some over. */
const sizes = [
  [1, 1, 1],
  [3, 5, 4],
  [2, 8, 7],
  [5, 13, 6],
] as const;

/** [rows, columns], a share of it zero */
function draw(seed: number, count: number, zeros: number): Float64Array {
  const random = createRandom(seed);
  return new Float64Array(count).map(() => (random.uniform() < zeros ? 0 : random.normal()));
}

describe('equations/matrix: products to the last bit, whatever terms are left out', () => {
  for (const zeros of [0, 0.4, 0.9])
    for (const [m, k, n] of sizes)
      it(`[${m}, ${k}] by [${k}, ${n}], ${100 * zeros} % zeros`, () => {
        const [a, b] = [draw(1, m * k, zeros), draw(2, k * n, zeros)];
        const product = new Float64Array(m * n);
        const turned = Float64Array.from({ length: n * k }, (_, i) => b[(i % k) * n + Math.floor(i / k)]);
        const outer = new Float64Array(k * n);
        const right = draw(3, m * n, zeros);
        for (let i = 0; i < m; i++)
          for (let l = 0; l < k; l++)
            for (let j = 0; j < n; j++) {
              product[i * n + j] += a[i * k + l] * b[l * n + j];
              outer[l * n + j] += a[i * k + l] * right[i * n + j];
            }
        const of = [m, k, n] as const;
        expect(addProduct(new Float64Array(m * n), a, b, of)).to.deep.equal(product);
        expect(addProduct(new Float64Array(m * n), a, turned, of, true)).to.deep.equal(product);
        expect(addOuter(new Float64Array(k * n), a, right, m)).to.deep.equal(outer);
        const [few, fewTurned] = [sparseOf(b, n), sparseOf(turned, k)];
        if (few === undefined || fewTurned === undefined) return;
        expect(addSparseProduct(new Float64Array(m * n), a, few, of, false)).to.deep.equal(product);
        expect(addSparseProduct(new Float64Array(m * n), a, fewTurned, of, true)).to.deep.equal(product);
      });

  it('keeps the last rows of a sparse matrix, and its empty ones', () => {
    const few = sparseOf(Float64Array.of(0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0), 3);
    expect(few?.starts).to.deep.equal(Int32Array.of(0, 0, 0, 1, 1));
    expect(few?.columns).to.deep.equal(Int32Array.of(1));
  });
});
