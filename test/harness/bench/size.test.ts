import { expect } from 'chai';
import {
  describeSize,
  namedSizes,
  parseSize,
  parseSweep,
  stepMultiplyAdds,
  withLetter,
} from '../../../harness/bench/size';
import { UsageError } from '../../../harness/base/outcome';

describe('harness/bench sizes', () => {
  it('knows the named sizes', () => {
    expect(namedSizes.map((name) => describeSize(parseSize(name)))).to.deep.equal([
      'B10T5F2U4C3',
      'B32T28F28U128C10',
      'B128T100F64U512C10',
      'B32T784F1U128C10',
      'B32T28F28U128C10',
    ]);
  });

  it('reads letters in any order', () => {
    expect(parseSize('C3U4B10F2T5')).to.deep.include({
      batch: 10,
      timeSteps: 5,
      features: 2,
      units: 4,
      classes: 3,
    });
  });

  for (const text of [
    '',
    'X',
    's',
    'B10',
    'B10T5F2U4',
    'B10T5F2U4C0',
    'B10T5F2U4C3C4',
    'B10T5F2U4C3 ',
    'B1.5T5F2U4C3',
  ]) {
    it(`refuses "${text}"`, () => {
      expect(() => parseSize(text)).to.throw(UsageError, `"${text}" is not a size`);
    });
  }

  it('changes one letter for a sweep and spells the whole size', () => {
    const size = withLetter(parseSize('digits'), 'T', 7);
    expect(size).to.deep.include({ name: 'B32T7F28U128C10', timeSteps: 7, data: 'random' });
  });

  it('reads a sweep', () => {
    expect(parseSweep('U=4,16,64')).to.deep.equal({ letter: 'U', values: [4, 16, 64] });
  });

  for (const text of ['U', 'U=4', 'U=4,4', 'U=8,4', 'X=1,2', 'U=0,1', 'U=1,,2', 'U=1,2,']) {
    it(`refuses the sweep "${text}"`, () => {
      expect(() => parseSweep(text)).to.throw(UsageError, `"${text}" is not a sweep`);
    });
  }

  it('counts three passes over both kernels and the output layer', () => {
    // 3 * 2 * (5 * 4 * (3 + 4) + 4 * 6)
    expect(stepMultiplyAdds({ batch: 2, timeSteps: 5, features: 3, units: 4, classes: 6 })).to.equal(984);
  });
});
