import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  addRows,
  multiply,
  multiplyBlock,
  multiplyBlockByTranspose,
  multiplyByTranspose,
  repeatRow,
  transposedMultiplyAccumulate,
  transposedMultiplyBlock,
} from '../../scratch/kernels';
import { normalTensor } from '../support/layer-problem';

const size = fc.integer({ min: 1, max: 23 });
const at = fc.nat(3);
/** Short sums, and sums that end before, at and behind the panels' ends. */
const innerSize = fc.oneof(size, fc.constantFrom(127, 128, 129, 256, 300));
/** Few rows, and rows that end before, at and behind the panel's end. */
const rowCount = fc.oneof({ arbitrary: size, weight: 5 }, fc.constantFrom(192, 193));

/** out[r, c] + Σ_k a(r, k) · b(k, c), in that order. */
function product(
  out: Float64Array,
  outAt: number,
  rows: number,
  inner: number,
  columns: number,
  a: (r: number, k: number) => number,
  b: (k: number, c: number) => number,
): Float64Array {
  const result = out.slice();
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      for (let k = 0; k < inner; k++) result[outAt + r * columns + c] += a(r, k) * b(k, c);
    }
  }
  return result;
}

describe('scratch/kernels: every product equals the textbook loop bit for bit, whatever the sizes and offsets', () => {
  const check = (
    run: (
      a: Float64Array,
      b: Float64Array,
      out: Float64Array,
      sizes: { rows: number; inner: number; columns: number; aAt: number; otherAt: number },
    ) => Float64Array,
  ) =>
    fc.assert(
      fc.property(
        fc.nat(1e6),
        rowCount,
        innerSize,
        size,
        at,
        at,
        (seed, rows, inner, columns, aAt, otherAt) => {
          const a = normalTensor(seed, 1, aAt + rows * inner + 5).data;
          const b = normalTensor(seed + 1, 1, otherAt + inner * columns + 5).data;
          const out = normalTensor(seed + 2, 1, otherAt + rows * columns + 5).data;
          const [a0, b0] = [a.slice(), b.slice()];
          const expected = run(a, b, out, { rows, inner, columns, aAt, otherAt });
          expect(out).to.deep.equal(expected);
          expect([a, b]).to.deep.equal([a0, b0]);
        },
      ),
      { numRuns: 200 },
    );

  it('multiply', () =>
    check((a, b, out, { rows, inner, columns, aAt, otherAt }) => {
      const expected = product(
        out,
        otherAt,
        rows,
        inner,
        columns,
        (r, k) => a[aAt + r * inner + k],
        (k, c) => b[k * columns + c],
      );
      multiply(a, aAt, b, out, otherAt, rows, inner, columns);
      return expected;
    }));

  it('multiplyByTranspose', () =>
    check((a, b, out, { rows, inner, columns, aAt, otherAt }) => {
      const expected = product(
        out,
        otherAt,
        rows,
        inner,
        columns,
        (r, k) => a[aAt + r * inner + k],
        (k, c) => b[c * inner + k],
      );
      multiplyByTranspose(a, aAt, b, out, otherAt, rows, inner, columns);
      return expected;
    }));

  it('transposedMultiplyAccumulate', () =>
    check((a, b, out, { rows, inner, columns, aAt, otherAt }) => {
      const expected = product(
        out,
        0,
        rows,
        inner,
        columns,
        (r, k) => a[aAt + k * rows + r],
        (k, c) => b[otherAt + k * columns + c],
      );
      transposedMultiplyAccumulate(a, aAt, b, otherAt, out, rows, inner, columns);
      return expected;
    }));

  it('the products of blocks: those of the block copied out, bit for bit, and nothing outside it', () =>
    fc.assert(
      fc.property(fc.nat(1e6), size, innerSize, size, at, at, (seed, rows, inner, width, before, after) => {
        const row = before + width + after;
        const cut = (matrix: Float64Array) =>
          matrix.filter((_, i) => i % row >= before && i % row < before + width);
        const put = (matrix: Float64Array, block: Float64Array) => {
          let next = 0;
          return matrix.map((x, i) => (i % row >= before && i % row < before + width ? block[next++] : x));
        };
        const draw = (nth: number, length: number) => normalTensor(seed + nth, 1, length).data;
        const [a, b, out] = [draw(0, rows * inner), draw(1, inner * row), draw(2, rows * row)];
        const product = cut(out);
        multiply(a, 0, cut(b), product, 0, rows, inner, width);
        const expected = put(out, product);
        multiplyBlock(a, b, out, before, width, row, rows, inner);
        expect(out).to.deep.equal(expected);

        const sums = cut(out);
        const tall = draw(3, inner * rows);
        transposedMultiplyAccumulate(tall, 0, cut(b), 0, sums, rows, inner, width);
        const accumulated = put(out, sums);
        transposedMultiplyBlock(tall, b, out, before, width, row, rows, inner);
        expect(out).to.deep.equal(accumulated);

        const [left, back, again] = [draw(4, rows * row), draw(5, rows * inner), draw(5, rows * inner)];
        multiplyByTranspose(cut(left), 0, cut(b), back, 0, rows, width, inner);
        multiplyBlockByTranspose(left, b, again, before, width, row, rows, inner);
        expect(again).to.deep.equal(back);
      }),
      { numRuns: 100, seed: 3 },
    ));

  it('repeatRow and addRows', () => {
    const out = new Float64Array(8).fill(9);
    repeatRow(Float64Array.of(1, 2, 3), 2, out, 1);
    expect(Array.from(out)).to.deep.equal([9, 1, 2, 3, 1, 2, 3, 9]);
    const total = Float64Array.of(10, 20);
    addRows(Float64Array.of(1, 2, 3, 4, 99, 99), 2, total);
    expect(Array.from(total)).to.deep.equal([14, 26]);
  });
});
