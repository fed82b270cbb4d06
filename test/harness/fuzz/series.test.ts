import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  isLayered,
  partOf,
  partsOf,
  type AnyProblem,
  type LayeredProblem,
} from '../../../harness/base/problem';
import { fuzzCase, shardCases, shardSize } from '../../../harness/fuzz/series';

describe('a series of generated problems', () => {
  it('shards part the cases among them: every case in exactly one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 60 }), (of, cases) => {
        const shards = Array.from({ length: of }, (_, i) => ({ index: i + 1, of }));
        const all = shards.flatMap((shard) => [...shardCases(shard, cases)]);
        expect(all.sort((a, b) => a - b)).to.deep.equal(Array.from({ length: cases }, (_, i) => i));
        for (const shard of shards)
          expect([...shardCases(shard, cases)].length).to.equal(shardSize(shard, cases));
      }),
    );
  });
  it('a case is the same in whatever order it is made, and another under another seed', () => {
    const ascending = [0, 1, 2, 3, 4, 5].map((i) => fuzzCase(7, i));
    const descending = [5, 4, 3, 2, 1, 0].map((i) => fuzzCase(7, i)).reverse();
    expect(descending).to.deep.equal(ascending);
    expect(fuzzCase(8, 0).problem.inputs).to.not.deep.equal(ascending[0].problem.inputs);
    expect(ascending[3].problem.id).to.equal('fuzz/7/3');
  });
  it('no problem comes twice', () => {
    const texts = Array.from({ length: 1000 }, (_, i) => {
      const { inputs, weights } = fuzzCase(1, i).problem;
      return [inputs, weights.kernel, weights.recurrentKernel, weights.bias]
        .map(({ data }) => data.join())
        .join();
    });
    expect(new Set(texts).size).to.equal(texts.length);
  });
  it('of few shapes has no more of them, with other numbers in every problem', () => {
    for (const networks of [
      { shapes: 4 },
      { layers: 'lstm:*,dense:*', shapes: 4 },
      { layers: 'any', shapes: 4 },
    ]) {
      const problems = Array.from({ length: 40 }, (_, i) => fuzzCase(1, i, networks).problem);
      const sizes = ({ inputs, ...rest }: AnyProblem): string =>
        JSON.stringify([inputs.shape, isLayered(rest as AnyProblem) && (rest as LayeredProblem).model]);
      expect(new Set(problems.map(sizes)).size, JSON.stringify(networks)).to.equal(4);
      expect(new Set(problems.map((problem) => wordsOf(problem))).size).to.equal(40);
      // a software GPU takes a millisecond for each operation of each step
      if ('layers' in networks) for (const { inputs } of problems) expect(inputs.shape[1]).to.be.at.most(12);
    }
  });
});

const wordsOf = (problem: AnyProblem): string =>
  partsOf(problem)
    .map((name) => partOf(problem, name)?.data.join())
    .join();
