import { expect } from 'chai';
import { loadDigits } from '../../../harness/problems/digits/index';

describe('loadDigits', () => {
  it('gives all 10,000 digits of the package as 28 rows of 28 grey values, always in the same order', async () => {
    const { inputs, labels } = await loadDigits();
    expect(inputs.shape).to.eql([10000, 28, 28]);
    expect(inputs.data.every((x) => x >= 0 && x <= 1)).to.equal(true);
    const counts = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
    expect(counts).to.eql([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
    expect(Array.from(labels.subarray(0, 12))).to.eql([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    const again = await loadDigits();
    expect(Buffer.from(again.inputs.data.buffer).equals(Buffer.from(inputs.data.buffer))).to.equal(true);
  });

  it('keeps each image with its label: the middle of a 0 is empty, that of a 1 is not', async () => {
    const { inputs, labels } = await loadDigits();
    const middle = [0, 0];
    labels.forEach((label, n) => {
      if (label < 2) for (const at of [13, 14]) middle[label] += inputs.data[(n * 28 + at) * 28 + 14] / 2;
    });
    expect(middle[0] / 1001).to.be.lessThan(0.1);
    expect(middle[1] / 1127).to.be.greaterThan(0.5);
  });
});
