import { expect } from 'chai';
import {
  describeSize,
  namedSizes,
  networkOf,
  parseSize,
  parseSweep,
  stepMultiplyAdds,
  withLayers,
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

  it('counts two passes over what reads the inputs and three over every other kernel', () => {
    const size = { batch: 2, timeSteps: 5, features: 3, units: 4, classes: 6 };
    expect(stepMultiplyAdds(size)).to.equal(2 * (5 * (2 * 3 * 4 + 3 * 4 * 4) + 3 * 4 * 6));
    // 0.40 GFLOP, each multiply-add two of them
    expect(2e-9 * stepMultiplyAdds(withLayers(parseSize('M'), 'lstm:128'))).to.be.closeTo(0.404, 0.001);
    const both = withLayers(parseSize('B2T5F3U4C6'), 'bidirectional(gru:2),lstm:1');
    const first = 2 * (2 * 3 * 6 + 3 * 2 * 6);
    expect(stepMultiplyAdds(both)).to.equal(2 * (5 * (first + 3 * (4 * 4 + 1 * 4)) + 3 * 1 * 6));
  });

  it('gives a size other layers, and refuses those that do not fit', () => {
    const size = withLayers(parseSize('S'), 'lstm:4,gru:3');
    expect(size.name).to.equal('S lstm:4,gru:3');
    expect(networkOf(size).layers.map(({ layer }) => layer)).to.deep.equal(['lstm', 'gru', 'dense']);
    expect(() => withLayers(parseSize('S'), 'lstm:4:unitz=3')).to.throw(UsageError, 'unitz');
  });
});
