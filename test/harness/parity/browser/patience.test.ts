import { expect } from 'chai';
import { patienceFor, silenceInWords } from '../../../../harness/parity/page/patience';

describe('how long a page waits for a device', () => {
  it('grows with how long the device took so far, and is never less than what it gets at least', () => {
    expect(patienceFor(0)).to.equal(300);
    expect(patienceFor(29)).to.equal(300);
    expect(patienceFor(90)).to.equal(900);
    expect(patienceFor(90, 1800)).to.equal(1800);
    expect(patienceFor(0, 2)).to.equal(2);
  });

  it('is said in words where nothing came twice', () => {
    expect(silenceInWords(300.2, 600.4)).to.equal(
      'not answered: no sign of life for 300 s, nor for 600 s when it was asked again alone',
    );
  });
});
