import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { source as axe } from 'axe-core';
import { chromium, type Browser } from 'playwright-core';
import { put } from '../../harness/fuzz/judge-problem';
import { checkModel } from '../../harness/check/index';
import { browserSummary, casesOf } from '../../harness/parity/page/index';
import { runBrowser } from '../../harness/parity/browser/index';
import { findChromium, pageHtml, remoteSide } from '../../harness/sides/remote/index';
import { foreignSockets } from '../support/sockets';

/** What axe-core says is wrong with a page. */
interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

// The whole page takes minutes on a software GPU, so it has a command of its own: `npm run test:browser`, a step of .ci/run.
describe('the page in a browser', () => {
  const path = findChromium();
  before(() => {
    if (path === undefined)
      throw new Error('there is no Chromium: apt-get install chromium, or set CHROMIUM_PATH');
  });

  it('has at most 1 MB gzipped', async () => {
    expect(gzipSync(await pageHtml(), { level: 9 }).length).to.be.at.most(1_000_000);
  });

  it('opens from disk, loads nothing, is right on cpu, fits 390 px, and axe finds nothing serious', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'page-'));
    let browser: Browser | undefined;
    try {
      const file = join(folder, 'page.html');
      writeFileSync(file, await pageHtml());
      const address = pathToFileURL(file).href;
      browser = await chromium.launch({ executablePath: path!, args: ['--no-sandbox'] });
      // bypassCSP is for axe alone: the page forbids scripts from elsewhere
      const tab = await browser.newPage({ bypassCSP: true });
      const requests: string[] = [];
      const complaints: string[] = [];
      tab.on('request', (request) => requests.push(request.url()));
      tab.on('pageerror', (error) => complaints.push(error.message));
      await tab.goto(`${address}#side=browser:cpu&extent=quick`);
      await tab.waitForSelector('body[data-verdict=parity]', { timeout: 120_000 });
      expect(await tab.textContent('#verdict')).to.match(/^YES: every gradient/);
      await tab.evaluate(axe);
      // what is folded is looked at too
      await tab.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))");
      for (const [colorScheme, width] of [
        ['light', 1400],
        ['dark', 390],
      ] as const) {
        await tab.emulateMedia({ colorScheme });
        await tab.setViewportSize({ width, height: 900 });
        expect(await tab.evaluate('document.documentElement.scrollWidth')).to.be.at.most(width);
        const { violations } = await tab.evaluate<{ readonly violations: readonly Violation[] }>('axe.run()');
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)).to.deep.equal([]);
      }
      // the link of one case runs that case alone
      await tab.goto(`${address}#side=browser:cpu&seed=1&only=shape%2F2-5-1-3-4%2F01`);
      await tab.waitForSelector('body[data-verdict=parity]', { timeout: 120_000 });
      expect(await tab.textContent('#sides td[data-column=problems]')).to.equal('1 problem');
      expect(complaints).to.deep.equal([]);
      expect(requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(address))).to.deep.equal(
        [],
      );
    } finally {
      await browser?.close();
      rmSync(folder, { recursive: true });
    }
  });

  // both call their makers on their own account as soon as they start: updates, accounts, advertisements
  it('drives a browser that reaches nothing but this machine', async () => {
    const firefox = '/usr/bin/firefox';
    for (const program of [path!, ...(existsSync(firefox) ? [firefox] : [])]) {
      const found = { sockets: 0, foreign: new Set<string>() };
      const timer = setInterval(() => {
        const { sockets, foreign } = foreignSockets('rnn-parity-browser-');
        found.sockets = Math.max(found.sockets, sockets);
        for (const one of foreign) found.foreign.add(one);
      }, 200);
      const { report, faults } = await runBrowser({
        config: { only: 'shape/2-5-1-3-4', extent: 'quick', sides: ['browser:cpu', 'browser:wasm'] },
        browser: { path: program },
      }).finally(() => clearInterval(timer));
      expect({ faults, exitCode: report.exitCode }, program).to.deep.equal({ faults: [], exitCode: 0 });
      expect(found.sockets, program).to.be.above(0);
      expect([...found.foreign], program).to.deep.equal([]);
    }
  });

  it('asks a side that gives no sign of life once more, alone, and then calls it not answered', async () => {
    for (const hangs of [1, 2]) {
      const { report, faults } = await runBrowser({
        config: { only: 'shape/2-5-1-3-4/01', sides: ['browser:cpu'], hangs, patience: 2 },
        browser: { path: path! },
      });
      expect(faults).to.deep.equal([]);
      expect(report.exitCode).to.equal(hangs === 1 ? 0 : 2);
      const said = [...report.notes, ...report.errors.map(({ message }) => message)].join();
      expect(said).to.match(
        hangs === 1 ? /was run again alone/ : /^not answered: no sign of life for 2 s, nor/,
      );
    }
    const [problem] = (await casesOf({ extent: 'quick', only: 'layers/lstm' })).layered;
    for (const hangs of [1, 2]) {
      // the first question of all is whether the device is there
      const source = remoteSide('browser:cpu', true, { hangs, patience: 2 });
      const answered = source.open().then(async ({ implementation, version }) => {
        expect(version).to.match(/^tfjs-backend-cpu .*Chrom/);
        const { verdict } = await put(implementation, problem);
        implementation.dispose?.();
        return verdict.status;
      });
      const found = await answered.catch((error: unknown) => (error as Error).message);
      expect(found).to.match(hangs === 1 ? /^pass$/ : /^not answered/);
    }
  });

  it('says of a device that computes in half precision that it does', async () => {
    const side = 'browser:webgl:f16';
    const { report, faults } = await runBrowser({
      config: { only: 'shape/2-5-1-3-4', extent: 'quick', sides: [side] },
      browser: { path: path! },
    });
    expect(faults).to.deep.equal([]);
    expect(report.exitCode).to.equal(1);
    expect(browserSummary(report).at(-1)).to.equal(
      'NO: webgl in half precision: computes in half precision (11 bits): wrong as single precision, right as half.',
    );
  });

  // One of each family that shows in five time steps under a mask. The same code plants on every side, so a device whose shaders take
  // seconds to compile gets half of the families; both get the smallest fault, which has to stand out from the rounding of the device.
  it('catches faults that are planted in the page, on every side', async () => {
    const only = 'shape/2-5-1-3-4/01';
    const families: readonly (readonly [plant: string, ...devices: ('webgl' | 'webgpu')[]])[] = [
      ['weights/one-weight-off-by-0.01-percent', 'webgl', 'webgpu'],
      ['carry/dropped', 'webgl', 'webgpu'],
      ['slope/one-minus-h', 'webgl'],
      ['masks/ignored', 'webgpu'],
      ['loss/labels-shifted', 'webgl'],
      ['transpose/recurrent-kernel-gradient', 'webgpu'],
      ['sums/bias-gradient-of-first-example', 'webgl'],
      ['memory/gradients-accumulate-across-calls', 'webgpu'],
    ];
    for (const [plant, ...devices] of families) {
      const sides = ['cpu', 'wasm', ...devices].map((name) => `browser:${name}`);
      const { report, faults } = await runBrowser({
        config: { extent: 'quick', only, plant, sides },
        browser: { path: path! },
      });
      expect(faults, plant).to.deep.equal([]);
      expect(report.errors, plant).to.deep.equal([]);
      expect(report.exitCode, plant).to.equal(1);
      const failing = report.cases.filter(({ status }) => status === 'fail');
      expect([...new Set(failing.map(({ implementation }) => implementation))], plant).to.have.members(sides);
    }
  });

  it('checks a model of a user on a device, layer by layer', async () => {
    const model = join(__dirname, '../fixtures/models/masking-bidirectional-gru.keras');
    const { sides } = await checkModel(model, { sides: ['browser:webgl', 'browser:webgpu'] });
    expect(sides.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      'browser:webgl parity',
      'browser:webgpu parity',
    ]);
  });

  it('takes the loss of a device in the middle of a run for an error, and names it', async () => {
    const sides = ['browser:webgl', 'browser:webgpu'];
    const { report } = await runBrowser({
      config: { extent: 'quick', only: 'shape/2-5-1-3-4', lose: true, sides },
      browser: { path: path! },
    });
    expect(report.exitCode).to.be.oneOf([1, 2]);
    for (const side of sides) {
      const heard = [
        ...(report.browser?.sides ?? []).filter(({ name }) => name === side).flatMap((one) => one.complaints),
        ...report.errors
          .filter(({ implementation }) => implementation === side)
          .map(({ message }) => message),
      ];
      expect(heard.join(), side).to.match(/(context|device) (is )?lost/i);
    }
  });

  it('finds the defects of TensorFlow.js by name on webgl and webgpu, and the twin right on all four backends', async () => {
    const { report, faults } = await runBrowser({
      config: { extent: 'quick' },
      browser: { path: path! },
      timeoutSeconds: 900,
    });
    expect(faults).to.deep.equal([]);
    expect(report.sides.map(({ status }) => status)).to.deep.equal(report.sides.map(() => 'ran'));
    expect(report.errors).to.deep.equal([]);
    const failing = new Set(
      report.cases.filter(({ status }) => status === 'fail').map(({ implementation }) => implementation),
    );
    expect([...failing].filter((name) => !name.includes('as-is'))).to.deep.equal([]);
    // each twin ran networks of layers and 25 synchronised steps with an optimizer
    for (const side of ['cpu', 'wasm', 'webgl', 'webgpu'].map((name) => `browser:${name}`)) {
      const own = report.cases.filter(({ implementation }) => implementation === side);
      const ids = own.map(({ caseId }) => caseId);
      expect(ids, side).to.include.members([
        'layers/bidirectional-masked',
        'trajectory/adam/25',
        'step/adam-keras-later',
      ]);
    }
    // tfjs goes on silently where a shader does not compile; the page hears the device complain
    const complaining = (report.browser?.sides ?? []).filter(({ complaints }) => complaints.length > 0);
    expect(complaining.map(({ name }) => name)).to.include('browser:webgpu:as-is');
    expect(complaining.filter(({ name }) => !name.includes('as-is')).map(({ name }) => name)).to.deep.equal(
      [],
    );
    const summary = browserSummary(report).join('\n');
    // each says when TensorFlow.js has fixed it: the line goes, and this test fails
    for (const words of [
      'webgl: the gradient of the output layer is NaN at odd batches of 3 or more',
      'webgpu: a layer with a mask is wrong, forward and backward',
      "webgl: Adam's usual epsilon is 1e-4, not 1e-7",
      'webgpu: dataSync() reads wrong numbers where data() reads the right ones',
      'are right with forwarding on, because tfjs then computes small operations in JavaScript',
      'The twin is right on cpu, wasm, webgl and webgpu.',
    ])
      expect(summary).to.include(words);
    expect(report.exitCode).to.equal(1);
  });
});
