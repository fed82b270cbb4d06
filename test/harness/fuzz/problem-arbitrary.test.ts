import { expect } from 'chai';
import * as fc from 'fast-check';
import { indexOf, zeros, type Tensor } from '../../../scratch/index';
import { plainProblem } from '../../../harness/sides/candidate/index';
import { problemArbitrary } from '../../../harness/fuzz/problem-arbitrary';
import { fuzzCase, problemAt } from '../../../harness/fuzz/series';
import { difficulty, roundToBits, simplerNumbers } from '../../../harness/fuzz/simpler-number';
import { sizeMoves } from '../../../harness/fuzz/simpler-form';
import { scratchImplementation } from '../../../harness/sides/index';
import { sizesOf, type Problem } from '../../../harness/base/problem';
import { readProblem } from '../../../harness/problems/vectors/index';

/** Every number of a problem, but not the labels and the mask. */
function numbersOf({ inputs, initialState, upstream, weights }: Problem): number[] {
  const { kernel, recurrentKernel, bias, outputKernel, outputBias } = weights;
  const outer = [inputs, initialState, upstream?.states, upstream?.finalState];
  return [...outer, kernel, recurrentKernel, bias, outputKernel, outputBias].flatMap((tensor) =>
    Array.from(tensor?.data ?? []),
  );
}

/** Checked by the reader of vectors files: every size against every other, labels, masks; every number exact in float32. */
function expectValid(problem: Problem): void {
  readProblem(plainProblem(problem), problem.id, 'problem');
  const inexact = numbersOf(problem).filter((x) => !Object.is(Math.fround(x), x) || Object.is(x, -0));
  expect(inexact).to.deep.equal([]);
}

const cases = (count: number): Problem[] => Array.from({ length: count }, (_, i) => fuzzCase(3, i).problem);

/** What fast-check shrinks the first of these cases to that fails, by a predicate on the problem alone. */
function shrink(fails: (problem: Problem) => boolean): { problem: Problem; path: string; seed: number } {
  const first = Array.from({ length: 200 }, (_, i) => fuzzCase(5, i)).find(({ problem }) => fails(problem));
  const seed = first?.caseSeed ?? 0;
  const property = fc.property(problemArbitrary(), (problem) => !fails(problem));
  const result = fc.check(property, { seed, numRuns: 1 });
  expect(result.failed).to.equal(true);
  return { problem: result.counterexample?.[0] as Problem, path: result.counterexamplePath ?? '', seed };
}

describe('numbers made simpler', () => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  it('what is easy to compute with comes first', () => {
    const rising = [0, 1, 0.5, 3, 0.75, 0.7, Math.fround(0.7), 2 ** -149].map(difficulty);
    expect(rising.slice(0, 5)).to.deep.equal([0, 4, 5, 8, 10]);
    expect(difficulty(-1)).to.equal(difficulty(0.5));
    expect(difficulty(Math.fround(0.7))).to.be.greaterThan(difficulty(0.75));
    expect(simplerNumbers(Math.fround(0.7)).slice(0, 6)).to.deep.equal([0, 1, 0.5, -1, 0.75, 0.6875]);
    expect(simplerNumbers(0)).to.deep.equal([]);
  });
  it('they are strictly simpler and stay exact and finite in float32, subnormal and largest numbers included', () => {
    fc.assert(
      fc.property(float, (x) => {
        for (const y of simplerNumbers(x + 0)) {
          expect(Math.fround(y)).to.equal(y);
          expect(Number.isFinite(y)).to.equal(true);
          expect(difficulty(y)).to.be.lessThan(difficulty(x));
        }
      }),
    );
  });
  it('rounding to n bits errs by half a unit of the n-th bit at most', () => {
    fc.assert(
      fc.property(float, fc.integer({ min: 1, max: 12 }), (x, bits) => {
        expect(Math.abs(roundToBits(x, bits) - x)).to.be.at.most(Math.abs(x) * 2 ** -bits);
      }),
    );
  });
});

describe('problemArbitrary', () => {
  it('makes valid problems of every kind and form, exact in float32, that the scratch network answers', async () => {
    const scratch = scratchImplementation();
    const seen = new Set<string>();
    for (const problem of cases(400)) {
      expectValid(problem);
      const { states } = await scratch.evaluate(problem);
      expect(states?.data.every(Number.isFinite)).to.equal(true);
      const { mask, labels, upstream, initialState, weights } = problem;
      seen.add(mask ? 'mask' : 'no mask').add(initialState ? 'initial state' : 'no initial state');
      seen.add(`labels ${labels !== undefined}, output ${weights.outputKernel !== undefined}`);
      seen.add(`upstream ${Object.keys(upstream ?? {}).join(' and ') || 'none'}`);
      if (sizesOf(problem).timeSteps > 24) seen.add('long');
    }
    expect([...seen].sort()).to.deep.equal([
      'initial state',
      'labels false, output false',
      'labels false, output true',
      'labels true, output true',
      'long',
      'mask',
      'no initial state',
      'no mask',
      'upstream finalState',
      'upstream none',
      'upstream states',
      'upstream states and finalState',
    ]);
  });

  it('every shrink is a valid problem and strictly simpler: fewer parts, else smaller, else easier numbers', () => {
    const measure = (problem: Problem): number[] => {
      const { mask, labels, upstream, initialState, weights } = problem;
      const has = [mask, initialState, labels, weights.outputKernel, upstream?.finalState].filter(
        Boolean,
      ).length;
      const { batch, timeSteps, features, units, classes = 0 } = sizesOf(problem);
      const others =
        (mask?.data.filter((x) => x === 0).length ?? 0) + (labels?.reduce((s, x) => s + x, 0) ?? 0);
      return [
        // a gradient at every step counts as more than one at the end
        has + (upstream?.states ? 2 : 0),
        batch + timeSteps + features + units + classes,
        numbersOf(problem).reduce((s, x) => s + difficulty(x), 0) + others,
      ];
    };
    const simpler = (one: number[], other: number[]): boolean => {
      const at = one.findIndex((x, i) => x !== other[i]);
      return at >= 0 && one[at] < other[at];
    };
    const arbitrary = problemArbitrary();
    let tried = 0;
    for (const problem of cases(30)) {
      const before = measure(problem);
      for (const { value } of arbitrary.shrink(problem, undefined).take(150)) {
        expectValid(value);
        expect(simpler(measure(value), before), JSON.stringify([measure(value), before])).to.equal(true);
        tried++;
      }
    }
    expect(tried).to.be.greaterThan(3000);
  });

  it('shrinks to what a predicate needs and nothing else', () => {
    const { problem } = shrink((p) => sizesOf(p).timeSteps >= 3 && p.mask !== undefined);
    expect(plainProblem(problem)).to.deep.equal({
      inputs: [[[0], [0], [0]]],
      mask: [[1, 1, 1]],
      weights: { kernel: [[0]], recurrentKernel: [[0]], bias: [0] },
    });
  });

  it('keeps the numbers that matter while sizes go, and makes them short', () => {
    const largest = (p: Problem): number => Math.max(...p.weights.recurrentKernel.data.map(Math.abs));
    const { problem } = shrink((p) => sizesOf(p).units > 1 && largest(p) > 0.6 && largest(p) < 0.9);
    expect(sizesOf(problem)).to.deep.include({ batch: 1, timeSteps: 1, features: 1, units: 2 });
    expect(numbersOf(problem).filter((x) => x !== 0)).to.deep.equal([0.75]);
  });

  it('a label stays with its class, and a class with its column', () => {
    const bias = (p: Problem): number => (p.labels ? (p.weights.outputBias?.data[p.labels[0]] ?? 0) : 0);
    const { problem } = shrink((p) => bias(p) < 0 && sizesOf(p).batch > 1);
    expect(sizesOf(problem)).to.deep.include({ batch: 2, classes: 2 });
    const columns = [-1, 0];
    if (problem.labels?.[0] === 1) columns.reverse();
    expect(Array.from(problem.weights.outputBias?.data ?? [])).to.deep.equal(columns);
    expect(problem.labels?.[1]).to.equal(0);
  });

  it("fast-check's seed and path make the shrunk problem again", () => {
    const { problem, seed, path } = shrink(
      (p) => sizesOf(p).units >= 2 && p.inputs.data.some((x) => x > 1.3),
    );
    expect(path).to.match(/^0(:\d+)+$/);
    expect(plainProblem(problemAt(seed, path, ''))).to.deep.equal(plainProblem(problem));
  });

  it('no number is -0, which JSON would lose, also where numbers are too small for float32', () => {
    const tiny = problemArbitrary({ kinds: ['subnormal'] });
    const numbers = fc.sample(tiny, { seed: 1, numRuns: 100 }).flatMap(numbersOf);
    expect(numbers.some((x) => Object.is(x, -0))).to.equal(false);
    expect(numbers.some((x) => x !== 0 && Math.abs(x) < 2 ** -126)).to.equal(true);
  });

  it('where a size shrinks, all tensors lose the same places of it', () => {
    // every number tells its own place: 1 + place along each axis, in digits
    const coded = (...shape: number[]): Tensor => {
      const tensor = zeros(...shape);
      tensor.data.forEach((_, i) => {
        tensor.data[i] = indexOf(i, shape).reduce((code, at) => 10 * code + at + 1, 0);
      });
      return tensor;
    };
    const [B, T, F, U, C] = [3, 5, 2, 4, 6];
    const problem: Problem = {
      id: 'coded',
      inputs: coded(B, T, F),
      initialState: coded(B, U),
      mask: coded(B, T),
      labels: [0, 1, 2],
      upstream: { states: coded(B, T, U), finalState: coded(B, U) },
      weights: {
        kernel: coded(F, U),
        recurrentKernel: coded(U, U),
        bias: coded(U),
        outputKernel: coded(U, C),
        outputBias: coded(C),
      },
    };
    const digits = (text: string): number[] => [...new Set(text)].map(Number);
    const moves = sizeMoves(problem);
    expect(moves.length).to.be.greaterThan(30);
    for (const move of moves) {
      const cut = move() as Problem;
      const { inputs, initialState, mask, upstream, weights } = cut;
      const b = digits(Array.from(inputs.data, (x) => String(x)[0]).join(''));
      const t = digits(Array.from(inputs.data, (x) => String(x)[1]).join(''));
      const f = digits(Array.from(inputs.data, (x) => String(x)[2]).join(''));
      const u = Array.from(weights.bias.data);
      const c = Array.from(weights.outputBias?.data ?? []);
      const product = (...axes: number[][]): number[] =>
        axes.reduce((codes, axis) => codes.flatMap((code) => axis.map((at) => 10 * code + at)), [0]);
      const expectCodes = (tensor: Tensor | undefined, ...axes: number[][]): void => {
        expect(Array.from(tensor?.data ?? [])).to.deep.equal(product(...axes));
        expect(tensor?.shape).to.deep.equal(axes.map(({ length }) => length));
      };
      expectCodes(inputs, b, t, f);
      expectCodes(initialState, b, u);
      expectCodes(mask, b, t);
      expectCodes(upstream?.states, b, t, u);
      expectCodes(upstream?.finalState, b, u);
      expectCodes(weights.kernel, f, u);
      expectCodes(weights.recurrentKernel, u, u);
      expectCodes(weights.outputKernel, u, c);
      // example b has class b; a class that went is now the first
      expect(cut.labels).to.deep.equal(b.map((place) => Math.max(0, c.indexOf(place))));
    }
  });
});
