import { expect } from 'chai';
import { ScratchNetwork } from '../../../scratch/index';
import { answerTo, cases, flattened, madeBy, titleOf, type Named } from '../../support/cell-vectors';
import { scaledDifference } from '../../support/layer-problem';

/** The names of what differs by more than the roundings of sums of some dozens of terms. */
function differing(found: Named, expected: Named): string[] {
  expect([...found.keys()]).to.have.members([...expected.keys()]);
  return [...expected]
    .filter(([key, data]) => !(scaledDifference(found.get(key)!, data) <= 2e-14))
    .map(([key]) => key);
}

describe(`scratch layers against ${madeBy}, float64`, () => {
  for (const example of cases) {
    it(titleOf(example), () => {
      const found = answerTo(example, (options) => new ScratchNetwork(options));
      const expected = flattened(example.expected, example.given.mask);
      expect(differing(found, expected)).to.deep.equal([]);
      // each expected tensor damaged once, by one part in a million of one number, must be noticed
      for (const [name, data] of expected) {
        const largest = data.reduce((best, x, i) => (Math.abs(x) > Math.abs(data[best]) ? i : best), 0);
        if (data[largest] === 0) continue;
        const damaged = new Map(expected).set(
          name,
          data.map((x, i) => (i === largest ? x * (1 + 1e-6) : x)),
        );
        expect(differing(found, damaged), `damaged ${name}`).to.deep.equal([name]);
      }
    });
  }

  it('covers every layer, activation and loss, masks, both directions and every option', () => {
    const seen = JSON.stringify(cases);
    const words = [
      'simpleRNN lstm gru bidirectional dense embedding relu linear hardSigmoid" hardSigmoidKeras3',
      '"activation":"sigmoid" "goBackwards":true "useBias":false "resetAfter":false "mask"',
      '"mergeMode":"concat" "mergeMode":"sum" "mergeMode":"mul" "mergeMode":"ave"',
      'softmaxCrossEntropy sigmoidCrossEntropy meanSquaredError',
    ];
    for (const word of words.join(' ').split(' ')) {
      expect(seen, word).to.include(word);
    }
  });
});
