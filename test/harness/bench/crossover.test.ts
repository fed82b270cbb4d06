import { expect } from 'chai';
import fc from 'fast-check';
import { crossovers } from '../../../harness/bench/crossover';

describe('harness/bench crossover', () => {
  const values = [1, 4, 16, 64];

  it('finds where two power laws meet, exactly', () => {
    const exponent = fc.double({ min: 0.1, max: 4, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: 1.1, max: 60, noNaN: true }),
        exponent,
        exponent,
        (meeting, slow, extra) => {
          const flat = { engine: 'flat', medians: values.map((x) => (x / meeting) ** slow) };
          const steep = { engine: 'steep', medians: values.map((x) => (x / meeting) ** (slow + extra)) };
          const [found, ...others] = crossovers(values, [flat, steep]);
          fc.pre(!values.includes(meeting));
          expect(others).to.deep.equal([]);
          expect(found).to.include({ below: 'steep', above: 'flat' });
          expect(found.at / meeting).to.be.closeTo(1, 1e-9);
          expect(found.between[0] <= meeting && meeting <= found.between[1]).to.equal(true);
        },
      ),
    );
  });

  it('finds none where one engine always wins', () => {
    const lines = [
      { engine: 'fast', medians: [1, 2, 3, 4] },
      { engine: 'slow', medians: [2, 3, 4, 5] },
    ];
    expect(crossovers(values, lines)).to.deep.equal([]);
  });

  it('claims nothing where the new winner was not measured before', () => {
    const lines = [
      { engine: 'early', medians: [1, 2, 9, 9] },
      { engine: 'late', medians: [undefined, undefined, 3, 4] },
    ];
    expect(crossovers(values, lines)).to.deep.equal([]);
  });
});
