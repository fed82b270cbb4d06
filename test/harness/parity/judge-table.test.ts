import { expect } from 'chai';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { budgetFor } from '../../../harness/budget/budget';
import { examine } from '../../../harness/examine/index';
import { gradients, plant, runsOf } from '../../../harness/faults/index';
import {
  caseVerdict,
  compareEvaluation,
  compareTensor,
  compareTensors,
  judgeLocally,
  judgeTensor,
  type Side,
  type TensorVerdict,
} from '../../../harness/judge/index';
import { precisionModelOf } from '../../../harness/budget/precision-model';
import { generatedProblem } from '../../../harness/problems/generated';
import {
  expectedNames,
  roundProblem,
  tensorOf,
  type Evaluation,
  type Problem,
  evaluationOf,
} from '../../../harness/base/problem';
import type { Tensor } from '../../../scratch/index';
import { loadBackend } from '../../../src/index';

const tensor = (data: number[], shape = [data.length]): Tensor => ({ data: Float64Array.from(data), shape });

describe('the judge, one tensor', () => {
  const table: [title: string, reference: number[], given: number[], allowed: number, status: string][] = [
    ['equal', [1, 2], [1, 2], 0, 'pass'],
    ['within', [1, 2], [1, 2.5], 0.5, 'pass'],
    ['beyond', [1, 2], [1, 2.5], 0.49, 'differs'],
    ['NaN given', [1, 2], [1, NaN], Infinity, 'nan'],
    ['NaN in the reference', [1, NaN], [1, 2], Infinity, 'nan'],
    ['NaN on both sides', [1, NaN], [1, NaN], Infinity, 'nan'],
    ['a NaN tolerance', [1], [1.5], NaN, 'differs'],
    ['infinity given', [1, 2], [1, Infinity], Infinity, 'infinity'],
    ['infinity expected', [1, Infinity], [1, 2], Infinity, 'infinity'],
    ['infinities of different sign', [Infinity], [-Infinity], Infinity, 'infinity'],
    ['the same infinity', [-Infinity], [-Infinity], 0, 'pass'],
    ['an infinite difference of finite numbers', [1.7e308], [-1.7e308], 1, 'differs'],
    ['NaN beside a large error', [0, 0, 0], [9, NaN, 1], 1, 'nan'],
    ['nothing', [], [], 1, 'nothing'],
  ];
  for (const [title, reference, given, allowed, status] of table) {
    it(`${title}: ${status}`, () => {
      const expected = { reference: tensor(reference), allowed, axes: ['unit'], tolerance: 'test' };
      expect(compareTensor('side', 'case', 'bias', expected, tensor(given)).status).to.equal(status);
    });
  }

  it('reports the worst element by position, values and share', () => {
    const expected = {
      reference: tensor([0, 0, 0, 0], [2, 2]),
      allowed: Float64Array.of(1, 1, 1, 4),
      axes: ['example', 'unit'],
      tolerance: 'test',
    };
    const verdict = compareTensor('side', 'case', 'x', expected, tensor([0.1, 0, 0.5, -1], [2, 2]));
    expect(verdict.worst).to.deep.equal({
      index: [1, 0],
      at: { example: 1, unit: 0 },
      reference: 0,
      given: 0.5,
      error: 0.5,
      allowed: 1,
      usedShare: 0.5,
    });
  });

  it('refuses another shape with as many elements', () => {
    const expected = { reference: tensor([1, 2], [1, 2]), allowed: 9, axes: [], tolerance: 'test' };
    const verdict = compareTensor('side', 'case', 'x', expected, tensor([1, 2], [2, 1]));
    expect(verdict).to.include({ status: 'shape', compared: 0 });
    expect(verdict.reason).to.include('[2, 1]').and.include('[1, 2]');
  });
});

describe('the judge with a derived budget: NaN, infinities, zeros, subnormal and overflowing numbers', () => {
  const tiny = 2 ** -126;
  const most = 3.4028234663852886e38;
  type Row = [why: string, side: Side, reference: number | { input: number }, given: number, status: string];
  const wasm: Side = { name: 'tfjs:wasm', precision: 'float32' };
  const flushing: Side = { name: 'tfjs:tensorflow', precision: 'float32' };
  const double: Side = { name: 'mine', precision: 'float64' };
  // { input: x }: the problem of one number, whose state is tanh(x), so that budget and reference belong together
  const table: Row[] = [
    ['NaN is no right answer, even where the reference has it', wasm, NaN, NaN, 'nan'],
    ['the same in double precision', double, NaN, NaN, 'nan'],
    ['NaN where a number belongs', wasm, { input: 0.5 }, NaN, 'nan'],
    ['a number where the reference has none', double, NaN, 0.5, 'nan'],
    ['NaN is no infinity', wasm, NaN, Infinity, 'nan'],
    ['nor an infinity NaN', wasm, -Infinity, NaN, 'nan'],
    ['the same infinity on both sides', wasm, Infinity, Infinity, 'pass'],
    ['infinities of different sign', double, Infinity, -Infinity, 'infinity'],
    ['the largest number is no infinity', wasm, Infinity, most, 'infinity'],
    ['nor an infinity the largest number', double, Number.MAX_VALUE, Infinity, 'infinity'],
    ['an infinity where a state belongs', flushing, { input: 0.5 }, Infinity, 'infinity'],
    ['-0 for 0: equal, though a signal of zero is blind', wasm, { input: 0 }, -0, 'zero'],
    ['0 for -0', double, { input: -0 }, 0, 'zero'],
    ['a subnormal number flushed to zero', flushing, { input: tiny / 2 }, 0, 'zero'],
    ['the smallest normal number rounded down to a subnormal one', wasm, { input: tiny }, tiny / 2, 'zero'],
    ['the sign of a subnormal number', wasm, { input: tiny / 4 }, -tiny / 4, 'zero'],
    ['a number far above what may be flushed is lost', flushing, { input: 2 ** -90 }, 0, 'differs'],
    [
      'the sign of a small number that single precision holds well',
      wasm,
      { input: 2 ** -12 },
      -(2 ** -12),
      'differs',
    ],
    // 1 - 2 / (exp(2z) + 1) is 0 there in double precision: an honest tanh
    [
      'a number that a tanh by exponentials loses in double precision',
      double,
      { input: tiny / 2 },
      0,
      'zero',
    ],
    ['a number that every double precision tanh holds', double, { input: 2 ** -40 }, 0, 'differs'],
    ["1 for tanh(8), 4 units below it: Eigen's tanh does that", flushing, { input: 8 }, 1, 'pass'],
    ["but musl's is better than that", wasm, { input: 8 }, 1, 'differs'],
    ['a state beyond 1 by one unit in the last place', wasm, { input: 20 }, 1 + 2 ** -23, 'pass'],
    ['a state beyond 1 by far', wasm, { input: 20 }, 1.001, 'differs'],
    ['one unit in the last place', double, { input: 0.5 }, Math.tanh(0.5) + 2 ** -54, 'pass'],
    [
      'single precision on a side that calls itself double',
      double,
      { input: 0.5 },
      Math.fround(Math.tanh(0.5)),
      'differs',
    ],
  ];
  for (const [why, side, reference, given, status] of table) {
    it(`${why}: ${status}`, async () => {
      const input = typeof reference === 'number' ? 0.5 : reference.input;
      const one = tensor([1], [1, 1]);
      const weights = { kernel: one, recurrentKernel: one, bias: tensor([0]) };
      const problem: Problem = { id: 'one', inputs: tensor([input], [1, 1, 1]), weights };
      const { states } = await scratchImplementation().evaluate(problem);
      const expected = {
        reference: typeof reference === 'number' ? tensor([reference], [1, 1, 1]) : (states as Tensor),
        allowed: 0,
        axes: ['example', 'timeStep', 'unit'],
        tolerance: 'derived',
      };
      const budget = budgetFor(problem, precisionModelOf(side));
      const verdict = judgeTensor(side.name, 'one', 'states', expected, tensor([given], [1, 1, 1]), budget);
      expect(verdict.status, verdict.reason ?? '').to.equal(status);
    });
  }

  it('an overflow in single precision only is ill-conditioned, and a mismatch in double precision', async () => {
    const huge = tensor([3e38], [1, 1]);
    const weights = { kernel: tensor([1], [1, 1]), recurrentKernel: tensor([1], [1, 1]), bias: tensor([0]) };
    const output = { outputKernel: huge, outputBias: tensor([3e38]) };
    const problem = roundProblem({
      id: 'overflow',
      inputs: tensor([9], [1, 1, 1]),
      labels: [0],
      weights: { ...weights, ...output },
    });
    const reference = await scratchImplementation().evaluate(problem);
    const given = { ...reference, logits: tensor([Infinity], [1, 1]) };
    const statusOf = (side: Side): string | undefined =>
      compareEvaluation(problem, reference, given, side).tensors.find((one) => one.tensor === 'logits')
        ?.status;
    expect(statusOf(wasm)).to.equal('ill');
    expect(statusOf(double)).to.equal('infinity');
  });

  it('an overflow on the way back is no mistake of an honest side in its single steps either', async () => {
    const up = tensor([1e30, 2e30], [1, 2]);
    // states near 0, so that nothing is lost on the way back: 1e30, 1e40, 1e50, which single precision has as infinite
    const problem = roundProblem({
      id: 'overflow on the way back',
      inputs: tensor([0, 0, 0], [1, 3, 1]),
      upstream: { finalState: up },
      weights: {
        kernel: tensor([1, 0], [1, 2]),
        recurrentKernel: tensor([1e10, 0, 0, 1e10], [2, 2]),
        bias: tensor([0, 0]),
      },
    });
    const host = tfjsImplementation(await loadBackend('cpu'));
    const { status, results, steps } = await examine(host, problem);
    expect(results?.verdict.status).to.equal('ill');
    expect(steps?.verdict.status).to.equal('ill');
    expect(status).to.equal('ill');
    // the states do not depend on what overflows
    const given = withState(await host.evaluate(problem), NaN);
    const statusOf = (verdicts: readonly TensorVerdict[], name: string): string | undefined =>
      verdicts.find(({ tensor: own }) => own === name)?.status;
    const reference = await scratchImplementation().evaluate(problem);
    expect(statusOf(compareEvaluation(problem, reference, given, host).tensors, 'states')).to.equal('nan');
    const local = judgeLocally(problem, withState(steps!.answer, NaN), host);
    expect(statusOf(local, 'states')).to.equal('nan');
    expect(statusOf(local, 'dPreActivations')).to.equal('ill');
    // no number of float64 is infinite there, so that one that is says nothing good of a side in float64
    const infinite = plant(
      {
        runs: runsOf(
          gradients(['kernel'], () => Infinity),
          'backward',
        ),
      },
      { ...scratchImplementation(), name: 'mine' },
    );
    expect((await examine(infinite, problem)).status).to.equal('fail');
  });
});

/** The answer with another number as its first state. */
function withState(answer: Evaluation, x: number): Evaluation {
  const { data, shape } = answer.states as Tensor;
  return { ...answer, states: { data: data.map((h, i) => (i === 0 ? x : h)), shape } };
}

describe('the judge, names', () => {
  const one = { reference: tensor([1]), allowed: 0, axes: ['unit'], tolerance: 'test' };
  const statuses = (expected: string[], given: string[], omits: string[] = []): Record<string, string> =>
    Object.fromEntries(
      compareTensors(
        'side',
        'case',
        new Map(expected.map((name) => [name, one])),
        new Map(given.map((name) => [name, tensor([1])])),
        new Set(omits),
      ).map(({ tensor: name, status }) => [name, status]),
    );

  it('missing, extra, declared, declared but given', () => {
    expect(statuses(['a', 'b'], ['a'])).to.deep.equal({ a: 'pass', b: 'missing' });
    expect(statuses(['a'], ['a', 'c'])).to.deep.equal({ a: 'pass', c: 'extra' });
    expect(statuses(['a', 'b'], ['a'], ['b'])).to.deep.equal({ a: 'pass', b: 'omitted' });
    expect(statuses(['a'], ['a'], ['a'])).to.deep.equal({ a: 'pass' });
  });

  it('nothing compared is a failure', () => {
    const verdict = caseVerdict('case', 'side', 'scratch', []);
    expect(verdict.status).to.equal('fail');
    expect(verdict.tensors[0]?.status).to.equal('nothing');
  });

  it('a ledger that does not add up is a failure even when every tensor is green', () => {
    const [green] = compareTensors('side', 'case', new Map([['a', one]]), new Map([['a', tensor([1])]]));
    expect(caseVerdict('case', 'side', 'scratch', [green]).status).to.equal('pass');
    expect(caseVerdict('case', 'side', 'scratch', [{ ...green, elements: 2 }]).status).to.equal('fail');
  });
});

describe('the judge, evaluations', () => {
  const problem = generatedProblem(1, 1);
  const side = { name: 'tfjs:wasm', precision: 'float32' } as const;
  let reference: Evaluation;
  before(async () => {
    reference = await scratchImplementation().evaluate(problem);
  });
  const without = (name: string): Evaluation =>
    evaluationOf(
      new Map(
        expectedNames(problem).flatMap((other) =>
          other === name ? [] : [[other, tensorOf(reference, other) as Tensor]],
        ),
      ),
    );

  it('passes the reference itself, every element accounted for', () => {
    const { status, ledger } = compareEvaluation(problem, reference, reference, side);
    expect(status).to.equal('pass');
    expect(ledger.compared).to.equal(ledger.expected).and.to.be.greaterThan(0);
  });

  for (const name of expectedNames(problem)) {
    it(`without ${name}: fails, unless declared`, () => {
      expect(compareEvaluation(problem, reference, without(name), side).status).to.equal('fail');
      const declared = compareEvaluation(problem, reference, without(name), side, { omits: [name] });
      expect(declared.status).to.equal('pass');
      expect(declared.ledger.compared + declared.ledger.omitted).to.equal(declared.ledger.expected);
      expect(declared.ledger.omitted).to.be.greaterThan(0);
    });
    it(`a NaN, an infinity or a wrong number in ${name}: fails`, () => {
      for (const bad of [NaN, Infinity, -Infinity, 3]) {
        const tensors = expectedNames(problem).map((other): [string, Tensor] => {
          const { data, shape } = tensorOf(reference, other) as Tensor;
          return [other, { data: data.map((x, i) => (other === name && i === 0 ? bad : x)), shape }];
        });
        const given = evaluationOf(new Map(tensors));
        expect(compareEvaluation(problem, reference, given, side).status, `${bad}`).to.equal('fail');
      }
    });
  }

  it('refuses a reference that is not complete', () => {
    expect(() => compareEvaluation(problem, without('loss'), reference, side)).to.throw('loss');
  });

  it('a name that was not asked for: fails', () => {
    const given = { ...reference, gradient: reference.states } as Evaluation;
    const verdict = compareEvaluation(problem, reference, given, side);
    expect(verdict.tensors.filter(({ status }) => status === 'extra').map((t) => t.tensor)).to.deep.equal([
      'gradient',
    ]);
    expect(verdict.status).to.equal('fail');
  });
});
