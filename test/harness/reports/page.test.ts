import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { figure, greyImage, html, lineChart, matrix, page, table } from '../../../harness/reports/index';

const hostile = '<script>alert("1")</script> & \'x\'';

async function samplePage(): Promise<string> {
  const points = Array.from({ length: 12 }, (_, i) => ({ x: i + 1, y: 2 * 0.7 ** i }));
  return page({
    title: `Report ${hostile}`,
    subtitle: hostile,
    facts: [{ label: 'accuracy', value: '96.1 %', tone: 'good' }],
    sections: [
      {
        title: 'Learning',
        intro: hostile,
        body: [
          await lineChart({
            title: 'Loss',
            caption: hostile,
            xLabel: 'epoch',
            yLabel: 'loss (nats)',
            yScale: 'log',
            series: [
              { name: 'scratch', points },
              { name: hostile, points: points.map(({ x, y }) => ({ x, y: y * 0.9 })), dashed: true },
            ],
          }),
          await figure({
            title: 'Bars',
            plot: (plot) => ({ marks: [plot.barY([1, 2, 3], { fill: 'var(--series-3)' })] }),
          }),
          matrix({
            caption: hostile,
            rowLabel: 'true',
            columnLabel: 'told',
            names: ['a', hostile],
            counts: [
              [9, 1],
              [0, 10],
            ],
          }),
          table({
            head: ['a', 'b'],
            rows: [
              [hostile, 1.5],
              [html`<b>bold</b>`, 2],
            ],
          }),
          html`<img alt="x" src="${greyImage([0, 1, 1, 0], 2, 2)}" />`,
        ],
      },
    ],
    footer: hostile,
  });
}

/** A browser if this machine has one; the rest of the tests need none. */
const browserPath = [process.env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== '' && existsSync(path),
);

describe('report page', () => {
  it('escapes everything that is no markup of its own, and asks for nothing from outside', async () => {
    const text = await samplePage();
    expect(text).not.to.match(/<script/i);
    expect(text).not.to.match(/(?:src|href)="(?!data:)/);
    expect(text).to.contain('&lt;script&gt;');
    expect(text).to.contain("default-src 'none'");
  });

  it('is readable in light and in dark in a browser, and loads nothing', async function () {
    if (browserPath === undefined) {
      expect(await samplePage()).to.contain('prefers-color-scheme: dark');
      return;
    }
    this.timeout(60_000);
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    let browser: Browser | undefined;
    try {
      const file = join(folder, 'page.html');
      writeFileSync(file, await samplePage());
      browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] });
      for (const colorScheme of ['light', 'dark'] as const) {
        const tab = await browser.newPage({ colorScheme, viewport: { width: 900, height: 700 } });
        const requests: string[] = [];
        const complaints: string[] = [];
        tab.on('request', (request) => requests.push(request.url()));
        tab.on('console', (message) => complaints.push(message.text()));
        tab.on('pageerror', (error) => complaints.push(error.message));
        await tab.goto(pathToFileURL(file).href);
        expect(requests.filter((url) => !url.startsWith('data:'))).to.eql([pathToFileURL(file).href]);
        expect(complaints).to.eql([]);
        // Text of the page and of the chart's axis against the background: WCAG contrast, read from the rendered page.
        const contrasts = await tab.evaluate(() => {
          const page = globalThis as unknown as {
            document: { querySelector(s: string): object | null };
            getComputedStyle(e: object): {
              color: string;
              fill: string;
              stroke: string;
              backgroundColor: string;
            };
          };
          const style = (s: string) => {
            const element = page.document.querySelector(s);
            if (element === null) throw new Error(`no ${s}`);
            return page.getComputedStyle(element);
          };
          const luminance = (color: string) => {
            const [r, g, b] = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((x) => {
              const c = Number(x) / 255;
              return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const background = luminance(style('body').backgroundColor);
          const ratio = (color: string) => {
            const own = luminance(color);
            return (Math.max(own, background) + 0.05) / (Math.min(own, background) + 0.05);
          };
          return [
            ratio(style('body').color),
            ratio(style('.subtitle').color),
            ratio(style('figure svg text').fill),
            ratio(style('[aria-label=line] path').stroke),
          ];
        });
        for (const contrast of contrasts) expect(contrast, colorScheme).to.be.greaterThan(4.5);
        if (process.env.REPORT_SCREENSHOTS !== undefined)
          await tab.screenshot({
            path: join(process.env.REPORT_SCREENSHOTS, `sample-${colorScheme}.png`),
            fullPage: true,
          });
        await tab.close();
      }
    } finally {
      await browser?.close();
      rmSync(folder, { recursive: true });
    }
  });
});
