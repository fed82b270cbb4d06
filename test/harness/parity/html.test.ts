import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { chromium, type Browser, type Page } from 'playwright-core';
import { scratchImplementation, tfjsImplementation, type SideSource } from '../../../harness/sides/index';
import { ChartData, heatMap, parityPage, type SideCharts } from '../../../harness/parity/html/index';
import { generatedProblem } from '../../../harness/problems/generated';
import { runParity, type ParityReport } from '../../../harness/parity/index';
import { sizesOf, type Implementation } from '../../../harness/base/problem';
import { trialSections } from '../../../harness/trial/index';
import { loadBackend } from '../../../src/index';
import { temporaryDirectory } from '../../support/temporary-directory';
import { syntheticTrial } from '../trial/synthetic-trial';
import { diagnosisOf } from './synthetic-report';

/** A browser if this machine has one. */
const browserPath = [process.env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => file !== '' && existsSync(file),
);
const hostile = '<script>alert(1)</script>';
const wrongStep = 2;

const source = (implementation: Implementation): SideSource => ({
  name: implementation.name,
  required: true,
  open: () => Promise.resolve({ implementation, version: '1.0' }),
});

/** Its gradients of one time step are wrong, wherever they show. */
function wrongAtOneStep(host: Implementation): Implementation {
  return {
    ...host,
    name: hostile,
    evaluate: async (problem) => {
      const answer = await host.evaluate(problem);
      const inputs = answer.gradients?.inputs;
      if (inputs === undefined) return answer;
      const [, timeSteps, features] = inputs.shape;
      const isWrong = (i: number): boolean => Math.floor(i / features) % timeSteps === wrongStep;
      const data = inputs.data.map((x, i) => (isWrong(i) ? 1.1 * x : x));
      return { ...answer, gradients: { ...answer.gradients, inputs: { ...inputs, data } } };
    },
  };
}

describe('the page of --html', () => {
  const base = temporaryDirectory();
  const problems = [0, 1, 2, 7, 8].map((i) => generatedProblem(1, i));
  let report: ParityReport;
  let sides: readonly SideCharts[];
  before(async () => {
    const observer = new ChartData();
    const cpu = tfjsImplementation(await loadBackend('cpu'));
    report = await runParity({ problems, sides: [source(cpu), source(wrongAtOneStep(cpu))], observer });
    sides = observer.sides;
  });
  const wholePage = (): Promise<string> => {
    const [failing] = report.cases.filter(({ status }) => status === 'fail');
    const diagnoses = [diagnosisOf(failing.implementation, failing.caseId)];
    return parityPage({
      report: { ...report, diagnoses },
      charts: sides,
      settings: ['--html', 'parity.html'],
      sections: trialSections(syntheticTrial()),
    });
  };

  it('collects a histogram of every number of the results', () => {
    expect(sides.map(({ name }) => name)).to.deep.equal(['tfjs:cpu', hostile]);
    const ids = new Set(problems.map(({ id }) => id));
    for (const { name, forward, backward } of sides) {
      const cases = report.cases.filter((one) => one.implementation === name && ids.has(one.caseId));
      const compared = cases.reduce((sum, { ledger }) => sum + ledger.compared, 0);
      expect([...forward.bins, ...backward.bins].reduce((sum, n) => sum + n, 0)).to.equal(compared);
      expect(forward.notNumbers + backward.notNumbers).to.equal(0);
    }
  });

  it('maps the worst case of a side by time step and unit: the wrong step and no other is beyond the budget', () => {
    const [honest, wrong] = sides.map(({ heat }) => heat?.maps ?? []);
    for (const map of honest) for (const { share } of map.cells) expect(share).to.be.at.most(1);
    const [forward, backward] = wrong;
    expect(forward.cells.every(({ share }) => share <= 1)).to.equal(true);
    const failing = backward.cells.filter(({ share }) => share > 1);
    expect(new Set(failing.map(({ step }) => step[0]))).to.deep.equal(new Set([wrongStep]));
    const problem = problems.find(({ id }) => id === sides[1].heat?.caseId);
    const { units, timeSteps } = sizesOf(problem ?? problems[0]);
    expect(backward).to.include({ rows: units, timeSteps, rowAxis: 'unit' });
    expect(backward.cells.length).to.equal(units * timeSteps);
  });

  it('a candidate that refuses the instrumented problem is drawn by its own input gradients', async () => {
    const [problem] = problems;
    const scratch = scratchImplementation();
    const evaluate: Implementation['evaluate'] = (asked) => {
      if (asked.inputs.shape.join() !== problem.inputs.shape.join()) throw new Error('fixed sizes');
      return scratch.evaluate(asked);
    };
    const observer = new ChartData();
    const side = source({ ...scratch, name: 'fixed', evaluate });
    await runParity({ problems: [problem], sides: [side], observer });
    const [, backward] = observer.sides[0].heat?.maps ?? [];
    expect(backward).to.include({ rowAxis: 'feature', rows: problem.inputs.shape[2] });
  });

  it('gathers long sequences and many units by their maximum', () => {
    const [batch, timeSteps, rows] = [2, 150, 90];
    const error = new Float64Array(batch * timeSteps * rows).fill(0.1);
    error[(timeSteps + 149) * rows + 89] = 7;
    const map = heatMap('x', 'unit', error, 1, [batch, timeSteps, rows]);
    expect(map.cells.length).to.be.at.most(60 * 40);
    const failing = map.cells.filter(({ share }) => share > 1);
    expect(failing).to.have.length(1);
    expect(failing[0].share).to.equal(7);
    expect(failing[0].step[1]).to.equal(149);
    expect(failing[0].row[1]).to.equal(89);
    expect(map.cells[0].step).to.deep.equal([0, 2]);
  });

  it('NaN and an error over a budget of zero are beyond it, equality is not', () => {
    const map = heatMap('x', 'unit', Float64Array.of(NaN, 1, 0), Float64Array.of(1, 0, 0), [1, 1, 3]);
    expect(map.cells.map(({ share }) => share)).to.deep.equal([Infinity, Infinity, 0]);
  });

  it('is bounded, escapes what others wrote, and holds no script', async () => {
    const text = await wholePage();
    expect(text.length).to.be.below(600_000);
    // in the value of an attribute < is text
    expect(text.replace(/="[^"]*"/g, '')).to.not.match(/<script/i);
    expect(text).to.include('&lt;script&gt;alert(1)');
    expect(text).to.include('mismatch').and.include('looks like: the gradient is not carried');
    expect(text).to.not.match(/(?:src|href)="(?!data:)/);
  });

  it('opens in a browser, light and dark, wide and narrow: every chart, no complaint, no request, nothing cut off', async function () {
    if (browserPath === undefined) {
      expect((await wholePage()).match(/<svg/g)).to.have.length(expectedCharts(sides).length);
      return;
    }
    const file = path.join(base(), 'parity.html');
    writeFileSync(file, await wholePage());
    let browser: Browser | undefined;
    try {
      browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
      for (const [colorScheme, width] of [
        ['light', 1100],
        ['dark', 400],
      ] as const) {
        const tab = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
        const complaints: string[] = [];
        const requests: string[] = [];
        tab.on('console', (message) => complaints.push(message.text()));
        tab.on('pageerror', (error) => complaints.push(error.message));
        tab.on('request', (request) => requests.push(request.url()));
        await tab.goto(pathToFileURL(file).href);
        expect(complaints).to.deep.equal([]);
        expect(requests).to.deep.equal([pathToFileURL(file).href]);
        expect(await tab.evaluate('document.scripts.length')).to.equal(0);
        expect(await drawn(tab)).to.deep.equal(expectedCharts(sides));
        expect(await tab.evaluate("document.querySelectorAll('.grid td').length")).to.equal(5 * 12);
        expect(await tab.evaluate('document.documentElement.scrollWidth')).to.be.at.most(width);
        await tab.close();
      }
    } finally {
      await browser?.close();
    }
  });
});

interface Chart {
  readonly title: string;
  /** whether its marks (cells, dots) are there and have a size on the screen */ readonly marks: boolean;
}

/** What the browser shows: every chart with its title and whether something is drawn in it. */
function drawn(tab: Page): Promise<Chart[]> {
  const script = `Array.from(document.querySelectorAll('figure svg[aria-label]'), (svg) => ({
    title: svg.getAttribute('aria-label'),
    marks: ['[aria-label=cell] rect', '[aria-label=dot] :is(circle, path)']
      .some((marks) => Array.from(svg.querySelectorAll(marks)).some((one) => one.getBoundingClientRect().width > 1)),
  }))`;
  return tab.evaluate(script);
}

function expectedCharts(sides: readonly SideCharts[]): Chart[] {
  const maps = sides.flatMap(({ heat }) => heat?.maps.map(({ title }) => title) ?? []);
  const titles = [
    ...maps,
    'Worst error of every tensor against its budget',
    ...sides.map(({ name }) => name),
  ];
  return titles.map((title) => ({ title, marks: true }));
}
