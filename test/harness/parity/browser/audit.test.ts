import { expect } from 'chai';
import { caseVerdict, type TensorVerdict } from '../../../../harness/judge/index';
import { auditPage } from '../../../../harness/parity/browser/audit-page';
import { conclude } from '../../../../harness/parity/conclude';
import { extents, pageCases } from '../../../../harness/parity/page/cases';
import type { PageConfig } from '../../../../harness/parity/page/config';
import { defectsOf } from '../../../../harness/parity/page/defects';
import { planOf } from '../../../../harness/parity/page/plan';
import { parsePageSides } from '../../../../harness/sides/page/index';
import { readCharts } from '../../../../harness/parity/browser/read-charts';
import { ChartData } from '../../../../harness/parity/html/index';
import { plainJson, reportText } from '../../../../harness/parity/report-text';
import type { ParityReport } from '../../../../harness/parity/report';
import { reportOfPage } from '../../../support/page-report';

const config = {
  ...{ sides: ['browser:cpu'], seed: 3, only: 'shape/3-1', run: 'this run' },
  extent: 'quick',
} satisfies PageConfig;

describe('the report of a page', () => {
  let report: ParityReport;
  before(async () => {
    report = await reportOfPage(config);
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
    const layered = await reportOfPage({ ...config, only });
    expect(layered.cases.map(({ caseId }) => caseId)).to.deep.equal(
      ['', ', step by step', ', weight probe', ', asked again'].map((view) => `layers/lstm-masked${view}`),
    );
    expect((await auditPage(await reportText(layered), { ...config, only })).faults).to.deep.equal([]);
    expect(layered.exitCode).to.equal(0);
    const cases = await pageCases(config.seed, extents.quick, only);
    expect(planOf(cases, parsePageSides('webgl:as-is')[0], only)).to.deep.equal([]);
    const training = await pageCases(config.seed, extents.quick, 'a');
    const trained = (name: string): number =>
      planOf(training, parsePageSides(name)[0]).filter(({ caseId }) => caseId.startsWith('trajectory/'))
        .length;
    expect([trained('webgl'), trained('webgl:as-is')]).to.deep.equal([25, 0]);
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
      // of a run before, or of a page from disk: it would be right for another question
      { browser: { ...report.browser!, run: 'another run' } },
      { browser: { userAgent: 'a test', sides: report.browser!.sides } },
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

  it('whose numbers belong to another seed, or are no rounding, contradicts what Node computes', async () => {
    const other = await reportOfPage({ ...config, seed: 4 });
    const renumbered = conclude({ ...other, seed: config.seed });
    expect(renumbered.exitCode).to.equal(0);
    expect((await audited(renumbered)).faults.join()).to.include('no rounding explains it');
    // each with everything that follows from the number, so that the report agrees with itself
    const view = (of: string) => report.cases.find(({ caseId }) => caseId.endsWith(of))!;
    for (const own of [report.cases[0], view(', weight probe')]) {
      const tensor = own.tensors.find(({ status, worst }) => status === 'pass' && worst !== undefined)!;
      const worst = { ...tensor.worst!, given: tensor.worst!.reference + 1 };
      const error = Math.abs(worst.given - worst.reference);
      const forgeries: readonly TensorVerdict[] = [
        { ...tensor, beyond: 0, worst: { ...worst, error, allowed: 4 * error, usedShare: 0.25 } },
        {
          ...tensor,
          status: 'ill',
          reason: 'ill-conditioned: so it says',
          beyond: 1,
          worst: { ...worst, error, usedShare: error / worst.allowed },
        },
        { ...tensor, worst: { ...tensor.worst!, index: tensor.worst!.index.map(() => 99) } },
      ];
      for (const forged of forgeries) {
        const tensors = own.tensors.map((one) => (one === tensor ? forged : one));
        const status = forged.status === 'ill' ? 'ill' : own.status;
        const cases = report.cases.map((one) => (one === own ? { ...one, status, tensors } : one));
        const changed = conclude({ ...report, cases });
        expect(changed.exitCode).to.equal(0);
        const { faults } = await audited(changed);
        expect(faults, `${own.caseId}: ${forged.status}`).to.have.lengthOf(1);
        expect(faults[0]).to.include(`${tensor.tensor} is `);
      }
    }
  });

  it('leaves nothing out: no side of a page may omit a tensor', async () => {
    const left = report.cases.map((own) => {
      if (own.caseId !== report.cases[0].caseId && !own.caseId.endsWith(', weight probe')) return own;
      const tensors = own.tensors.map(({ worst, ...tensor }, i) =>
        i === 0 || worst === undefined
          ? ({ ...tensor, status: 'omitted', compared: 0, beyond: 0 } as const)
          : { ...tensor, worst },
      );
      return caseVerdict(own.caseId, own.implementation, own.against, tensors);
    });
    const omits = [left[0].tensors[0].tensor];
    const changed = conclude({ ...report, cases: left, sides: [{ ...report.sides[0], omits }] });
    expect(changed.exitCode).to.equal(0);
    const { faults } = await audited(changed);
    expect(faults).to.have.lengthOf.at.least(2);
    for (const fault of faults) expect(fault).to.include('is left out');
  });

  it('says on which device each side ran, by which flags, and hides no complaint', async () => {
    const [facts] = report.browser!.sides;
    for (const [sides, words] of [
      [[], 'does not say on which device'],
      [[{ ...facts, flags: { WEBGL_CPU_FORWARD: true } }], 'but {} was asked for'],
      [[{ ...facts, complaints: ['device lost'] }], 'its device complained: device lost'],
    ] as const) {
      const changed = conclude({ ...report, browser: { ...report.browser!, sides } });
      expect((await audited(changed)).faults.join()).to.include(words);
    }
  });

  it('names a known defect where TensorFlow.js computes as it is, and never on the twin', () => {
    const { caseId } = report.plan.find(({ problem }) => problem?.has.includes('mask'))!;
    const own = report.cases.find((one) => one.caseId === caseId)!;
    const tensors = own.tensors.map((tensor) => ({ ...tensor, status: 'differs' as const }));
    const found = (implementation: string) =>
      defectsOf(
        { plan: report.plan, cases: [{ ...own, implementation, tensors, status: 'fail' }] },
        implementation,
      );
    expect(found('browser:webgpu:as-is').found.map(({ defect }) => defect.id)).to.deep.equal(['mask']);
    expect(found('browser:webgpu')).to.deep.equal({ found: [], unexplained: 1 });
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

  it('comes with what the page draws, and with nothing else in its place', async () => {
    const charts = new ChartData();
    await reportOfPage(config, undefined, charts);
    expect(charts.sides).to.have.lengthOf(1);
    const written = plainJson(charts.sides);
    expect(await readCharts(written)).to.deep.equal(charts.sides);
    const infinite = structuredClone(charts.sides) as unknown as {
      heat: { maps: { cells: { share: number }[] }[] };
    }[];
    infinite[0].heat.maps[0].cells[0].share = Infinity;
    expect(await readCharts(plainJson(infinite))).to.deep.equal(infinite);
    for (const bad of [
      '',
      '{}',
      '[{}]',
      written.replace(/"share":[^}]*/, '"share":"<script>"'),
      written.replace(/"share":[^}]*/, '"share":null'),
      written.replace(/"rows":\d+/, '"rows":-1'),
      written.replace('"cells":[', `"cells":[${'{"step":[0,0],"row":[0,0],"share":0},'.repeat(6000)}`),
      written.replace('"title"', '"html":1,"title"'),
    ]) {
      expect(bad).to.not.equal(written);
      const error = await readCharts(bad).catch((thrown: unknown) => thrown);
      expect(error, bad.slice(0, 40)).to.be.an.instanceOf(RangeError);
    }
  });
});
