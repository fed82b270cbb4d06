import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020';
import { expect } from 'chai';
import { scratchImplementation, SideUnavailableError, type SideSource } from '../../../harness/sides/index';
import { formatReport, runParity, type ParityReport } from '../../../harness/parity/index';
import type { Evaluation, Implementation, Problem } from '../../../harness/base/problem';
import { diagnosisOf, failingCase, reportOf } from './synthetic-report';

const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync('docs/schemas/parity-report.schema.json', 'utf8')) as object,
);
const faultsOf = (report: unknown): string[] => {
  validate(report);
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
};
const parsed = (report: ParityReport): Record<string, unknown> =>
  JSON.parse(formatReport(report)) as Record<string, unknown>;

const honest = scratchImplementation();
const sideOf = (
  evaluate: (problem: Problem) => Evaluation | Promise<Evaluation>,
  more: Partial<Implementation> = {},
): SideSource => ({
  name: 'twin',
  required: true,
  open: () =>
    Promise.resolve({ implementation: { ...honest, name: 'twin', ...more, evaluate }, version: '1' }),
});
const wrong = async (problem: Problem, factor: number): Promise<Evaluation> => {
  const answer = await honest.evaluate(problem);
  const states = answer.states as NonNullable<Evaluation['states']>;
  return { ...answer, states: { ...states, data: states.data.map((x) => x * factor) } };
};
const unplugged: SideSource = {
  name: 'unplugged',
  required: true,
  open: () => Promise.reject(new SideUnavailableError('it is unplugged')),
};

describe('the JSON schema of the report', () => {
  const verdicts: [verdict: string, sides: SideSource[]][] = [
    ['parity', [sideOf((problem) => honest.evaluate(problem), { precision: 'float32' })]],
    ['mismatch', [sideOf((problem) => wrong(problem, 1.001))]],
    ['mismatch', [sideOf((problem) => wrong(problem, NaN))]],
    ['mismatch', [sideOf(() => ({}), { omits: ['loss'] })]],
    ['error', [sideOf(() => Promise.reject(new Error('out of ink')))]],
    ['backend not run', [unplugged]],
  ];
  for (const [i, [verdict, sides]] of verdicts.entries()) {
    it(`accepts a real report: ${verdict} (${i + 1})`, async () => {
      const report = await runParity({ sides, only: 'edge/one-*', power: false, diagnoses: 1 });
      expect(report.verdict).to.equal(verdict);
      expect(faultsOf(parsed(report))).to.deep.equal([]);
    });
  }

  it('accepts vectors, a diagnosis, warnings and errors', () => {
    const { kind: found = { names: [], words: '', page: '' }, ...unknown } = diagnosisOf('mine', 'b', {
      side: 'undecided',
    });
    expect(found.names).not.to.deep.equal([]);
    const report = reportOf({
      cases: [failingCase('mine', 'a', 'states')],
      vectors: ['v.json'],
      candidate: 'mine.ts',
      diagnoses: [
        diagnosisOf('mine', 'a'),
        unknown,
        { ...unknown, kind: { ...found, layer: 'layer2', gate: 'f', timeStep: 1 } },
      ],
      warnings: ['blind'],
      unshown: [{ implementation: 'mine', tensor: 'loss' }],
    });
    expect(faultsOf(parsed(report))).to.deep.equal([]);
  });

  const damages: [title: string, damage: (report: Record<string, never>) => unknown, says: string][] = [
    ['a field that is gone', (r) => delete r['cases'], "must have required property 'cases'"],
    ['another version', (r) => Object.assign(r, { format: 'rnn-parity-report/2' }), '/format'],
    ['a field nobody documented', (r) => Object.assign(r, { mood: 'good' }), 'additional properties'],
    ['an unknown status', (r) => Object.assign(r['cases'][0], { status: 'fine' }), '/cases/0/status'],
    ['a number as text', (r) => Object.assign(r['cases'][0], { ledger: '4' }), '/cases/0/ledger'],
  ];
  for (const [title, damage, says] of damages) {
    it(`refuses ${title}`, () => {
      const report = parsed(reportOf({ cases: [failingCase('mine', 'a', 'states')] }));
      expect(faultsOf(report)).to.deep.equal([]);
      damage(report as Record<string, never>);
      expect(faultsOf(report).join('\n')).to.include(says);
    });
  }
});
