import { expect } from 'chai';
import { anotherRound, callsPerSample, shuffledRounds, type Effort } from '../../../harness/bench/schedule';

describe('harness/bench schedule', () => {
  it('gives every engine one turn a round, in the same orders for the same seed', () => {
    const items = ['a', 'b', 'c', 'd', 'e'];
    const [first, second] = [shuffledRounds(items, 4), shuffledRounds(items, 4)];
    const orders = Array.from({ length: 20 }, () => first());
    for (const order of orders) expect([...order].sort()).to.deep.equal(items);
    expect(orders).to.deep.equal(Array.from({ length: 20 }, () => second()));
    expect(new Set(orders.map(String)).size).to.be.above(10);
  });

  it('bundles calls until a sample is long enough', () => {
    expect(callsPerSample(0.01, 50)).to.equal(5000);
    expect(callsPerSample(49, 50)).to.equal(2);
    expect(callsPerSample(3000, 50)).to.equal(1);
    expect(callsPerSample(0, 50)).to.equal(100_000);
  });

  it('ends by rounds or by time, but not before three rounds', () => {
    const effort = { rounds: 10, milliseconds: 1000 } as Effort;
    expect(anotherRound(9, 0, effort)).to.equal(true);
    expect(anotherRound(10, 0, effort)).to.equal(false);
    expect(anotherRound(2, 9999, effort)).to.equal(true);
    expect(anotherRound(3, 9999, effort)).to.equal(false);
    expect(anotherRound(2, 0, { ...effort, rounds: 2 })).to.equal(false);
  });
});
