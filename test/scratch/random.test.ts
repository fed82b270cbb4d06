import { expect } from 'chai';
import * as fc from 'fast-check';
import { createRandom, restoreRandom } from '../../scratch/index';
import { splitMix64 } from '../../scratch/random';

const draw = (count: number, next: () => number) => Array.from({ length: count }, next);

describe('scratch/random', () => {
  it('is xoshiro128**: the reference outputs of state 1, 2, 3, 4', () => {
    // the vector that the Rust crate rand_xoshiro took from the authors' C program
    const random = restoreRandom([1, 2, 3, 4]);
    expect(draw(10, () => random.next())).to.deep.equal([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('is seeded by SplitMix64: the reference outputs of seed 1234567', () => {
    // the vector of Rosetta Code's task "Pseudo-random numbers/Splitmix64"
    expect(splitMix64(1234567n, 5)).to.deep.equal([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
      4593380528125082431n,
      16408922859458223821n,
    ]);
    const [first, second] = splitMix64(1234567n, 2);
    const words = [first & 0xffffffffn, first >> 32n, second & 0xffffffffn, second >> 32n].map(Number);
    expect(createRandom(1234567).state()).to.deep.equal(words);
  });

  it('continues from any saved state', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), (seed, before) => {
        const random = createRandom(seed);
        draw(before, () => random.normal());
        const resumed = restoreRandom(JSON.parse(JSON.stringify(random.state())) as number[]);
        expect(draw(5, () => resumed.uniform())).to.deep.equal(draw(5, () => random.uniform()));
        expect(resumed.permutation(9)).to.deep.equal(random.permutation(9));
      }),
    );
  });

  it('gives uniforms in [0, 1) with 53 bits: mean 1/2, variance 1/12, low bits in use', () => {
    const random = createRandom(3);
    const xs = draw(100_000, () => random.uniform());
    expect(Math.min(...xs.slice(0, 10_000))).to.be.at.least(0);
    expect(xs.every((x) => x < 1)).to.equal(true);
    expect(mean(xs)).to.be.closeTo(1 / 2, 6 * Math.sqrt(1 / 12 / xs.length));
    expect(variance(xs)).to.be.closeTo(1 / 12, 6 * Math.sqrt(1 / 180 / xs.length));
    const lowBit = xs.map((x) => (x * 2 ** 53) % 2);
    expect(mean(lowBit)).to.be.closeTo(1 / 2, 6 * Math.sqrt(1 / 4 / xs.length));
  });

  it('gives normals: mean 0, variance 1, fourth moment 3', () => {
    const random = createRandom(4);
    const xs = draw(200_000, () => random.normal());
    // standard errors of the three moments: sqrt(1/n), sqrt(2/n), sqrt(96/n); bounds at 6 of them
    expect(mean(xs)).to.be.closeTo(0, 6 * Math.sqrt(1 / xs.length));
    expect(variance(xs)).to.be.closeTo(1, 6 * Math.sqrt(2 / xs.length));
    expect(mean(xs.map((x) => x ** 4))).to.be.closeTo(3, 6 * Math.sqrt(96 / xs.length));
  });

  it('gives integers and permutations without bias', () => {
    const random = createRandom(5);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i++)
      counts[['012', '021', '102', '120', '201', '210'].indexOf(random.permutation(3).join(''))]++;
    // binomial(60000, 1/6): standard deviation 91
    for (const count of counts) expect(count).to.be.closeTo(10_000, 6 * 91);
    expect(draw(100, () => random.integer(1)).every((x) => x === 0)).to.equal(true);
    const large = 3 * 2 ** 30; // plain modulo would favour results below 2^30
    const below = draw(30_000, () => random.integer(large)).filter((x) => x < 2 ** 30).length;
    expect(below).to.be.closeTo(10_000, 6 * Math.sqrt((30_000 * 2) / 9));
  });

  for (const seed of [-1, 0.5, NaN, Infinity, 2 ** 53, '1' as unknown as number]) {
    it(`refuses the seed ${String(seed)}`, () =>
      expect(() => createRandom(seed)).to.throw(RangeError, /the seed is .*integers from 0 to 2\^53 - 1/));
  }
  for (const state of [[], [1, 2, 3], [0, 0, 0, 0], [1, 2, 3, 4.5], [1, 2, 3, -4], [1, 2, 3, 2 ** 32]]) {
    it(`refuses the state [${state.join()}]`, () =>
      expect(() => restoreRandom(state)).to.throw(RangeError, /pass what state\(\) returned/));
  }
  it('refuses a bound that is no count', () =>
    expect(() => createRandom(0).integer(0)).to.throw(/the bound is 0/));
});

function mean(xs: readonly number[]): number {
  return xs.reduce((total, x) => total + x, 0) / xs.length;
}

function variance(xs: readonly number[]): number {
  const centre = mean(xs);
  return mean(xs.map((x) => (x - centre) ** 2));
}
