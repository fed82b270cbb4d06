import { expect } from 'chai';
import { scratchImplementation, SideUnavailableError, type SideSource } from '../../../harness/sides/index';
import { caseVerdict, type TensorStatus } from '../../../harness/judge/index';
import { conclude } from '../../../harness/parity/conclude';
import { failingTensor, reportOf } from './synthetic-report';
import { auditReport, formatSummary, runParity } from '../../../harness/parity/index';
import { readVectors } from '../../../harness/problems/vectors/index';
import { tensorNames, type Implementation } from '../../../harness/base/problem';

const source = (implementation: Implementation, required = true): SideSource => ({
  name: implementation.name,
  required,
  open: () => Promise.resolve({ implementation }),
});
const absent = (name: string, required: boolean): SideSource => ({
  name,
  required,
  open: () => Promise.reject(new SideUnavailableError('it is unplugged')),
});
const twin: Implementation = { ...scratchImplementation(), name: 'twin' };
const options = { only: 'edge/*', cases: 0 } as const;

describe('the conclusion of a run', () => {
  it('parity: 0', async () => {
    const report = await runParity({ ...options, sides: [source(twin)] });
    expect(report).to.include({ verdict: 'parity', exitCode: 0 });
    expect(report.audit).to.deep.equal([]);
  });
  it('a side that is absent: named, and 3 only when it was required', async () => {
    const free = await runParity({ ...options, sides: [absent('tfjs:wasm', false), source(twin)] });
    expect(free.exitCode).to.equal(0);
    expect(formatSummary(free)).to.include('tfjs:wasm: NOT RUN: it is unplugged');
    const required = await runParity({ ...options, sides: [absent('tfjs:wasm', true), source(twin)] });
    expect(required).to.include({ verdict: 'backend not run', exitCode: 3 });
  });
  it('a required side that is absent, and no other: 3 as well, not a mismatch', async () => {
    const report = await runParity({ ...options, sides: [absent('tfjs:wasm', true)] });
    expect(report).to.include({ verdict: 'backend not run', exitCode: 3 });
    expect(formatSummary(report)).to.include('nothing was compared');
  });
  it('no side at all: an error and no mismatch, because nothing was compared', async () => {
    const report = await runParity({ ...options, sides: [absent('tfjs:wasm', false)] });
    expect(report).to.include({ verdict: 'error', exitCode: 2 });
    expect(formatSummary(report)).to.match(/^ERROR: no side ran: nothing was compared; not run: tfjs:wasm$/m);
    expect(report.audit.join()).to.include('nothing was compared');
  });
  it('a side that throws: 2, with its message and the case', async () => {
    const evaluate = (): never => {
      throw new Error('out of ink');
    };
    const report = await runParity({ ...options, sides: [source({ ...twin, evaluate })] });
    expect(report).to.include({ verdict: 'error', exitCode: 2 });
    expect(formatSummary(report)).to.include('edge/one-step: out of ink');
  });
  it('a side that declares everything omitted: an error, because nothing was compared', async () => {
    const report = await runParity({
      ...options,
      sides: [source({ ...twin, omits: tensorNames, evaluate: () => ({}) })],
    });
    expect(report).to.include({ verdict: 'error', exitCode: 2 });
    expect(report.audit.join()).to.include('nothing was compared');
  });
  it('answers that are all 0: an error, because zeros show no fault', async () => {
    const zeros = { inputs: [[[0]]], weights: { kernel: [[0]], recurrentKernel: [[0]], bias: [0] } };
    const one = { id: 'zeros', problem: zeros, expected: { states: [[[0]]], finalState: [[0]] } };
    const vectors = readVectors({ format: 'rnn-parity-vectors/1', cases: [one] }, 'zeros.json');
    const report = await runParity({ vectors, sides: [source(twin)] });
    expect(report).to.include({ verdict: 'error', exitCode: 2 });
    expect(formatSummary(report)).to.match(
      /^ERROR: scratch: nothing was compared that could have shown a fault/m,
    );
    expect(auditReport(report)).to.deep.equal([]);
  });
  it('a tensor never had to prove itself only where it neither passes nor fails in any case', () => {
    const unshownOf = (...statuses: TensorStatus[]): string[] => {
      const cases = statuses.map((status, i) =>
        caseVerdict(`${i}`, 'twin', 'scratch', [failingTensor('twin', `${i}`, 'loss', { status })]),
      );
      return conclude({ ...reportOf({ cases }), complete: true }).unshown.map(({ tensor }) => tensor);
    };
    expect(unshownOf('zero', 'ill')).to.deep.equal(['loss']);
    expect(unshownOf('ill', 'omitted')).to.deep.equal(['loss']);
    expect(unshownOf('omitted')).to.deep.equal([]);
    for (const status of ['pass', 'differs', 'nan', 'missing', 'shape'] as const)
      expect(unshownOf('zero', status, 'ill'), status).to.deep.equal([]);
  });
  it('nothing matches: a usage error', async () => {
    const message = await runParity({ ...options, only: 'nowhere', sides: [source(twin)] }).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(message).to.include('no case matches').and.include('nowhere');
  });
});
