import { expect } from 'chai';
import { scratchImplementation } from '../../../harness/implementations/index';
import { caseVerdict, compareEvaluation, compareTensor, compareTensors } from '../../../harness/judge/index';
import { generatedProblem } from '../../../harness/parity/index';
import { expectedNames, tensorOf, type Evaluation } from '../../../harness/problem';
import { evaluationOf } from '../../../harness/vectors/index';
import type { Tensor } from '../../../scratch/index';

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

  it('tells the worst element by position, values and share', () => {
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
    it(`without ${name}: red, unless declared`, () => {
      expect(compareEvaluation(problem, reference, without(name), side).status).to.equal('fail');
      const declared = compareEvaluation(problem, reference, without(name), side, { omits: [name] });
      expect(declared.status).to.equal('pass');
      expect(declared.ledger.compared + declared.ledger.omitted).to.equal(declared.ledger.expected);
      expect(declared.ledger.omitted).to.be.greaterThan(0);
    });
    it(`a NaN, an infinity or a wrong number in ${name}: red`, () => {
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

  it('a name nobody asked for: red', () => {
    const given = { ...reference, gradient: reference.states } as Evaluation;
    const verdict = compareEvaluation(problem, reference, given, side);
    expect(verdict.tensors.filter(({ status }) => status === 'extra').map((t) => t.tensor)).to.deep.equal([
      'gradient',
    ]);
    expect(verdict.status).to.equal('fail');
  });
});
