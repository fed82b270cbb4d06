import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCaseFile } from '../../../harness/fuzz/case-file';
import { keepPageCases } from '../../../harness/fuzz/keep-page-cases';
import { replayCase } from '../../../harness/fuzz/replay';
import type { Implementation } from '../../../harness/base/problem';
import { catalogue, plant } from '../../../harness/faults/index';
import { casesOf, type PageConfig } from '../../../harness/parity/page/index';
import { writeProblem } from '../../../harness/sides/page/index';
import { reportOfPage } from '../../support/page-report';
import { sideWith } from './sides';

describe('the failing problems of a page', () => {
  const out = mkdtempSync(join(tmpdir(), 'page-cases-'));
  after(() => rmSync(out, { recursive: true }));
  const fault = catalogue.find(({ name }) => name === 'carry/dropped')!;
  const faulty = (side: Implementation): Implementation => plant(fault, side);
  const config: PageConfig = { sides: ['browser:cpu'], seed: 3, extent: 'quick', only: 'shape/3-1' };

  it('are saved, one of each class of failure, and each is the problem and the verdict of the page', async () => {
    let side: Implementation | undefined;
    const report = await reportOfPage(config, (one) => (side = faulty(one)));
    const files = await keepPageCases(out, report, config);
    expect(files).to.have.lengthOf.within(1, 6);
    const last = await readCaseFile(files[0]);
    const [first, ...failing] = last.found.verdict.failing;
    const expected = Number(first.expected) * (1 + 1e-15);
    const near = {
      ...last.found,
      verdict: { ...last.found.verdict, failing: [{ ...first, expected }, ...failing] },
    };
    const [replay] = (await replayCase(near, last.problem, [{ implementation: side! }])).replays;
    expect(replay).to.include({ identical: false, alike: true });
    for (const file of files) {
      const { found, problem } = await readCaseFile(file);
      expect(found.side).to.deep.equal({ name: 'browser:cpu', backend: 'browser:cpu' });
      const { exitCode, replays } = await replayCase(found, problem, [{ implementation: side! }]);
      expect({ exitCode, identical: replays[0].identical }, file).to.deep.equal({
        exitCode: 1,
        identical: true,
      });
      const right = { ...sideWith(), precision: 'float32' as const };
      expect((await replayCase(found, problem, [{ implementation: right }])).exitCode).to.equal(0);
    }
  });

  it('run alone on a page that is given a case', async () => {
    const [problem] = (await casesOf(config)).problems;
    const alone = { ...config, only: problem.id, problem: writeProblem(problem) };
    expect((await casesOf(alone)).problems).to.deep.equal([problem]);
    const report = await reportOfPage(alone);
    expect(report.exitCode).to.equal(0);
    expect(new Set(report.cases.map(({ caseId }) => caseId.split(',')[0]))).to.deep.equal(
      new Set([problem.id]),
    );
    // a network of layers too
    const layered = (await casesOf({ extent: 'quick', only: 'layers/lstm' })).layered[0];
    const given = await casesOf({ only: layered.id, problem: writeProblem(layered) });
    expect([given.problems, given.layered]).to.deep.equal([[], [layered]]);
  });
});
