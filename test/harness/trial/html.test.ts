import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { chromium, type Browser } from 'playwright-core';
import { readTrialReport, trialPage } from '../../../harness/trial/index';
import { runCli } from '../../support/run-cli';
import { temporaryDirectory } from '../../support/temporary-directory';
import { hostile, syntheticTrial } from './synthetic-trial';

/** A browser if this machine has one. */
const browserPath = [process.env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => file !== '' && existsSync(file),
);

/** Every cell of the matrix as a reader sees it: row, column, text, background. */
const cells = `Array.from(document.querySelectorAll('.grid td'), (cell) => ({
  row: cell.parentElement.querySelector('th').textContent.trim(),
  column: document.querySelectorAll('.grid thead th')[cell.cellIndex].textContent.trim(),
  text: cell.textContent.trim(),
  color: getComputedStyle(cell).backgroundColor,
}))`;

interface Cell {
  readonly row: string;
  readonly column: string;
  readonly text: string;
  readonly color: string;
}

/** rgba(194, 65, 12, 0.38), taken apart */
function colorOf(cell: Cell | undefined): { readonly hue: string; readonly alpha: number } {
  const [, hue = '', alpha = '1'] = /rgba?\((\d+, \d+, \d+)(?:, ([\d.]+))?\)/.exec(cell?.color ?? '') ?? [];
  return { hue, alpha: Number(alpha) };
}

describe('the page of trial --html', () => {
  const base = temporaryDirectory();

  it('escapes what others wrote, and holds no script and nothing from outside', async () => {
    const text = await trialPage(syntheticTrial(), ['--only', hostile]);
    expect(text.replace(/="[^"]*"/g, '')).to.not.match(/<script/i);
    expect(text).to.include('&lt;script&gt;alert(1)');
    expect(text).to.not.match(/(?:src|href)="(?!data:)/);
    expect(text).to.include('TRIAL FAILED: 93.3 % caught');
  });

  it('opens in a browser, light and dark, wide and narrow, without a complaint; shares are numbers and colours', async function () {
    if (browserPath === undefined) {
      expect((await trialPage(syntheticTrial())).match(/<tbody>/g)?.length).to.be.above(5);
      return;
    }
    const file = path.join(base(), 'trial.html');
    writeFileSync(file, await trialPage(syntheticTrial()));
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
        expect(await tab.evaluate('document.documentElement.scrollWidth')).to.be.at.most(width);
        const shown = await tab.evaluate<Cell[]>(cells);
        expect(shown).to.have.length(5 * 12);
        const cell = (row: string, column: string): Cell | undefined =>
          shown.find((one) => one.row === row && one.column === column);
        expect(cell('carry/dropped', 'caught')?.text).to.equal('66');
        expect(cell('carry/dropped', 'steps')?.text).to.equal('93');
        expect(cell('carry/dropped', 'probe')?.text).to.equal('');
        expect(cell('adam/root-forgotten', 'update')?.text).to.equal('100');
        // what falls short where all was expected has the colour of a miss, and nothing has none
        const [hue, other] = ['caught', 'steps'].map((column) => colorOf(cell('carry/dropped', column)).hue);
        expect(hue).to.not.equal(other);
        expect(other).to.equal(colorOf(cell('loss/one-hot-missing', 'caught')).hue);
        const alphas = ['probe', 'steps', 'results'].map(
          (column) => colorOf(cell('loss/one-hot-missing', column)).alpha,
        );
        expect(alphas).to.deep.equal([0, 0.47, 0.5]);
        await tab.close();
      }
    } finally {
      await browser?.close();
    }
  });
});

describe('parity --trial', () => {
  const base = temporaryDirectory();

  function kept(content: unknown): string {
    const file = path.join(base(), 'trial.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  async function refusal(work: Promise<unknown>): Promise<string> {
    try {
      await work;
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was taken');
  }

  it('reads what trial --json wrote', async () => {
    const report = syntheticTrial();
    expect(await readTrialReport(kept(report))).to.deep.equal(report);
  });

  it('refuses a file that is not a report, of a different format, or incomplete, and says what to do', async () => {
    expect(await refusal(readTrialReport(path.join(base(), 'none.json')))).to.match(/does not exist/);
    expect(await refusal(readTrialReport(kept('{')))).to.match(/is not JSON.*give a file of/);
    expect(await refusal(readTrialReport(kept('null')))).to.match(/has the format null/);
    const old = { ...syntheticTrial(), format: 'rnn-parity-trial/2' };
    expect(await refusal(readTrialReport(kept(old)))).to.match(
      /has the format "rnn-parity-trial\/2", but "rnn-parity-trial\/3" was expected; make it again with/,
    );
    const { rows, ...rest } = syntheticTrial();
    expect(rows.length).to.equal(5);
    expect(await refusal(readTrialReport(kept(rest)))).to.match(/lacks rows/);
  });

  it('is refused before the run where there is no page to show it on', async () => {
    const file = kept(syntheticTrial());
    const { exitCode, stderr } = await runCli(['parity', '--trial', file]);
    expect(exitCode).to.equal(2);
    expect(stderr).to.match(/--trial is shown on the page of --html/);
  });
});
