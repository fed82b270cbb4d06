import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { source as axe } from 'axe-core';
import { chromium, type Browser } from 'playwright-core';
import { browserSummary } from '../../harness/parity/page/index';
import { runBrowser } from '../../harness/parity/browser/index';
import { findChromium, pageHtml } from '../../harness/sides/remote/index';

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
      for (const [colorScheme, width] of [
        ['light', 1400],
        ['dark', 390],
      ] as const) {
        // bypassCSP is for axe alone: the page forbids scripts from elsewhere
        const tab = await browser.newPage({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
        const requests: string[] = [];
        const complaints: string[] = [];
        tab.on('request', (request) => requests.push(request.url()));
        tab.on('pageerror', (error) => complaints.push(error.message));
        await tab.goto(`${address}#side=browser:cpu&extent=quick`);
        await tab.waitForSelector('body[data-verdict=parity]', { timeout: 120_000 });
        expect(await tab.textContent('#verdict')).to.match(/^YES: every gradient/);
        expect(complaints).to.deep.equal([]);
        expect(
          requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(address)),
        ).to.deep.equal([]);
        expect(await tab.evaluate('document.documentElement.scrollWidth')).to.be.at.most(width);
        await tab.evaluate(axe);
        const { violations } = await tab.evaluate<{ readonly violations: readonly Violation[] }>('axe.run()');
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)).to.deep.equal([]);
        const folderOfPictures = process.env['REPORT_SCREENSHOTS'];
        if (folderOfPictures !== undefined)
          await tab.screenshot({
            path: join(folderOfPictures, `page-${colorScheme}-${width}.png`),
            fullPage: true,
          });
        await tab.close();
      }
    } finally {
      await browser?.close();
      rmSync(folder, { recursive: true });
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
