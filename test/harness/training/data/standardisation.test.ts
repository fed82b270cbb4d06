import { expect } from 'chai';
import {
  fitStandardisation,
  Notes,
  summarize,
  takePart,
  warnOfRounding,
  type SequenceData,
} from '../../../../harness/training/data/index';
import { UsageError } from '../../../../harness/base/outcome';

/** Sequences of one step, one feature a column. */
function dataOf(...columns: readonly (readonly number[])[]): SequenceData {
  const n = columns[0].length;
  const data = Float64Array.from(
    { length: n * columns.length },
    (_, i) => columns[i % columns.length][Math.floor(i / columns.length)],
  );
  return {
    source: 'a.npz',
    inputs: { data, shape: [n, 1, columns.length] },
    lengths: new Int32Array(n).fill(1),
    classNames: [],
    skipped: 0,
  };
}

const all = (data: SequenceData): Int32Array => data.lengths.map((_, n) => n);

describe('standardisation', () => {
  it('leaves a feature that is constant up to rounding as it is, and says so', () => {
    const many = Array.from({ length: 210 }, (_, i) => i);
    const data = dataOf(
      many.map(() => 0.1),
      many.map((i) => (i % 2 === 0 ? 0.3 : 0.1 + 0.2)),
      many.map((i) => 1e9 * (1 / 3) + (i % 3) * 2 ** -24),
      many.map(() => 0),
      many.map((i) => 0.1 + (i % 2) * 1e-9),
      many.map((i) => i),
    );
    const notes = new Notes();
    const { mean, scale } = fitStandardisation(data, all(data), notes);
    expect(scale.slice(0, 4)).to.eql([1, 1, 1, 1]);
    expect(mean[0]).to.equal(0.1);
    expect(scale[4]).to.be.closeTo(5e-10, 1e-15);
    expect(scale[5]).to.be.closeTo(Math.sqrt((210 ** 2 - 1) / 12), 1e-9);
    expect(notes.lines.join('\n')).to.match(
      /constant in the training part.*"feature 0", "feature 1", "feature 2", "feature 3"\n/,
    );
    expect(notes.lines.join('\n')).to.match(/spread of "feature 4" is too small for float32/);
    // A copy that was saved as float32 is the same to the model.
    const copy = {
      ...data,
      inputs: { ...data.inputs, data: Float64Array.from(Float32Array.from(data.inputs.data)) },
    };
    const part = takePart(copy, all(copy), { mean, scale }).inputs.data;
    for (let i = 0; i < part.length; i += 6) expect(Math.abs(part[i])).to.be.below(1e-8);
  });

  it('computes with numbers whose squares overflow or underflow', () => {
    const wide = [1.7e308, -1.7e308, 1.7e308, -1.7e308];
    const data = dataOf(
      wide,
      wide.map((x) => x / 1e110),
      wide.map((x) => (x / 1.7e308) * 1e-200),
      [5e-324, 0, 5e-324, 0],
      [1e308, 1e308, 1.1e308, 1.1e308],
      [-1e200, 1, 2, 3],
    );
    const standardisation = fitStandardisation(data, all(data));
    expect([...standardisation.mean, ...standardisation.scale].every(Number.isFinite)).to.equal(true);
    expect(standardisation.scale.every((x) => x > 0)).to.equal(true);
    expect(JSON.parse(JSON.stringify(standardisation))).to.eql(standardisation);
    const { data: inputs } = takePart(data, all(data), standardisation).inputs;
    const column = (f: number): number[] => [0, 1, 2, 3].map((n) => inputs[n * 6 + f]);
    for (const f of [0, 1, 2]) expect(column(f)).to.eql([1, -1, 1, -1]);
    expect(column(3).every((x, n) => (n % 2 === 0 ? x >= 0 : x <= 0))).to.equal(true);
    expect(column(3)[0]).to.be.greaterThan(column(3)[1]);
    column(4).forEach((x, n) => expect(x).to.be.closeTo(n < 2 ? -1 : 1, 1e-6));
    column(5).forEach((x, n) => expect(x).to.be.closeTo(n === 0 ? -Math.sqrt(3) : 1 / Math.sqrt(3), 1e-6));
    expect(summarize(data, { train: all(data), validation: new Int32Array(0) }).join('\n')).not.to.match(
      /NaN|Infinity/,
    );
  });

  it('names the feature of a value that float32 cannot hold, and those that float32 makes equal', () => {
    const data = {
      ...dataOf([1, 1e39], [1e-50, 2e-50], [2 ** 40, 2 ** 40 + 1]),
      featureNames: ['a', 'b', 'c'],
    };
    expect(() => takePart(data, all(data))).to.throw(
      UsageError,
      /example 1 holds 1e\+39 at step 0, a, .*--standardize/,
    );
    const notes = new Notes();
    warnOfRounding(data, all(data), notes);
    expect(notes.lines.join('\n')).to.match(/all values of "b", "c" are the same number in float32/);
    const { scale } = fitStandardisation(data, Int32Array.of(0));
    expect(scale).to.eql([1, 1, 1]);
    expect(() => takePart(data, all(data), { mean: [0, 0, 0], scale: [1, 1, 1] })).to.throw(
      /a, which standardised is 1e\+39, and that float32 cannot hold/,
    );
  });
});
