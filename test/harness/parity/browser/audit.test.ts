import { expect } from 'chai';
import { auditPage } from '../../../../harness/parity/browser/audit-page';
import { conclude } from '../../../../harness/parity/conclude';
import { extents, pageCases } from '../../../../harness/parity/page/cases';
import { planOf } from '../../../../harness/parity/page/plan';
import { byModelAsync, parsePageSides } from '../../../../harness/sides/page/index';
import { reportText } from '../../../../harness/parity/report-text';
import { runSide } from '../../../../harness/parity/run-side';
import type { ParityReport } from '../../../../harness/parity/report';
import { evaluateWithTfjsAsync, loadBackend, TfNetwork, updateWithTfjsAsync } from '../../../../src/index';

const config = { sides: ['browser:cpu'], seed: 3, extent: 'quick', only: 'shape/3-1' } as const;

/** A page's work, done here: the suite of a side with asynchronous reads. */
async function reportOfPage(only: string): Promise<ParityReport> {
  const [side] = parsePageSides('cpu');
  const backend = await loadBackend('cpu');
  const cases = await pageCases(config.seed, extents.quick, only);
  const implementation = {
    ...{ name: side.name, precision: 'float32' as const },
    evaluate: (problem: (typeof cases.problems)[number]) => evaluateWithTfjsAsync(backend, problem),
    layered: byModelAsync((options) => new TfNetwork({ backend, ...options })),
  };
  const open = {
    implementation,
    update: (options: Parameters<typeof updateWithTfjsAsync>[1]) => updateWithTfjsAsync(backend, options),
  };
  const found = await runSide(open, true, cases, {});
  const facts = {
    ...{ name: side.name, version: backend.version, software: false },
    flags: {},
    complaints: [],
  };
  return conclude({
    ...found,
    ...{ seed: config.seed, only, complete: false, plan: planOf(cases, side, only) },
    browser: { userAgent: 'a test', sides: [{ ...facts, opened: 1, took: 2 }] },
  });
}

describe('the report of a page', () => {
  let report: ParityReport;
  before(async () => {
    report = await reportOfPage(config.only);
  });
  const audited = async (changed: ParityReport): ReturnType<typeof auditPage> =>
    auditPage(await reportText(changed), config);

  it('follows from its own numbers and from the seed, as Node writes it too', async () => {
    expect(report.cases).to.have.length.above(5);
    expect((await audited(report)).faults).to.deep.equal([]);
    expect(report.exitCode).to.equal(0);
  });

  it('holds networks of layers, and a side that does not run them does not plan them', async () => {
    const only = 'layers/lstm';
    const layered = await reportOfPage(only);
    expect(layered.cases.map(({ caseId }) => caseId)).to.deep.equal(
      ['', ', step by step', ', weight probe', ', asked again'].map((view) => `layers/lstm-masked${view}`),
    );
    expect((await auditPage(await reportText(layered), { ...config, only })).faults).to.deep.equal([]);
    expect(layered.exitCode).to.equal(0);
    const cases = await pageCases(config.seed, extents.quick, only);
    expect(planOf(cases, parsePageSides('webgl:as-is')[0], only)).to.deep.equal([]);
  });

  it('of a page that was closed midway is no pass', async () => {
    const half = conclude({ ...report, cases: report.cases.slice(0, 5) });
    expect(half.exitCode).to.equal(1);
    const claimed = { ...half, verdict: 'parity', exitCode: 0, audit: [] } as const;
    expect((await audited(claimed)).faults).to.not.deep.equal([]);
    // nor one that plans only what it did
    const shorter = conclude({ ...report, cases: report.cases.slice(0, 5), plan: report.plan.slice(0, 5) });
    expect(shorter.exitCode).to.equal(0);
    expect((await audited(shorter)).faults.join()).to.include('is not planned as the seed demands');
  });

  it('that was altered, with a digest of its own, contradicts itself or what was asked', async () => {
    const [first, ...others] = report.cases;
    const [tensor, ...tensors] = first.tensors;
    const worst = { ...tensor.worst!, given: 0.5 };
    const altered = {
      ...report,
      cases: [{ ...first, tensors: [{ ...tensor, worst }, ...tensors] }, ...others],
    };
    expect((await audited(altered)).faults.join()).to.include('is an error of');
    for (const change of [
      { seed: 4 },
      { only: null },
      { complete: true },
      { sides: [] },
      { sides: [{ name: 'browser:wasm', status: 'ran', required: true }] },
      { sides: [{ name: 'browser:cpu', status: 'not run', required: false }], plan: [], cases: [] },
    ] as const) {
      const other = conclude({ ...report, ...change });
      const { faults } = await audited(other);
      expect(faults.length > 0 || other.exitCode !== 0, JSON.stringify(change)).to.equal(true);
    }
  });

  it('that was cut, or is no report, is refused', async () => {
    const text = await reportText(report);
    for (const bad of [text.slice(0, -100), '{}', 'null', '', text.replace('"sides"', '"side"')]) {
      const error = await auditPage(bad, config).catch((thrown: unknown) => thrown);
      expect(error, bad.slice(0, 20)).to.have.property('name', 'UsageError');
    }
    const digest = text.replace('"userAgent": "a test"', '"userAgent": "another"');
    expect((await auditPage(digest, config)).faults.join()).to.include(
      'the digest is not that of the content',
    );
  });
});
