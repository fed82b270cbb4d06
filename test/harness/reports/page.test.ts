import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { fold, htmlOf, lineChart, markdownOf, matrix, table, textOf } from '../../../harness/reports/index';
import { greyImage } from '../../../harness/reports/image/index';
import type { Document } from '../../../harness/reports/index';

const hostile = '<script>alert("1")</script> & \'x\'';

function sample(): Document {
  const points = Array.from({ length: 12 }, (_, i) => ({ x: i + 1, y: 2 * 0.7 ** i }));
  return {
    title: `Report ${hostile}`,
    subtitle: hostile,
    facts: [{ label: 'accuracy', value: '96.1 %', tone: 'good' }],
    sections: [
      {
        title: 'Learning',
        intro: hostile,
        blocks: [
          lineChart({
            title: 'Loss',
            xLabel: 'epoch',
            yLabel: 'loss (nats)',
            yScale: 'log',
            series: [
              { name: 'scratch', points },
              { name: hostile, points: points.map(({ x, y }) => ({ x, y: y * 0.9 })), dashed: true },
            ],
          }),
          {
            kind: 'figure',
            title: 'Bars',
            caption: hostile,
            plot: (plot) => ({ marks: [plot.barY([1, 2, 3], { fill: 'var(--series-3)' })] }),
          },
          matrix({
            caption: hostile,
            rowLabel: 'true',
            columnLabel: 'predicted',
            names: ['a', hostile],
            counts: [
              [9, 1],
              [0, 10],
            ],
          }),
          table(
            [
              [hostile, 1.5, 'a long cell that wraps where the page is narrow'],
              [{ text: 'bold', tone: 'bad', plain: 'plain | text' }, 2, ''],
            ],
            { head: ['name', 'number', 'words'] },
          ),
          fold('Details', { kind: 'list', items: ['one detail'] }),
          {
            kind: 'gallery',
            pictures: [{ source: greyImage([0, 1, 1, 0], 2, 2), alt: 'x', caption: hostile }],
          },
        ],
      },
    ],
    footer: hostile,
  };
}
const samplePage = (): Promise<string> => htmlOf(sample());

/** A browser if this machine has one; the rest of the tests need none. */
const browserPath = [process.env.CHROMIUM_PATH ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path !== '' && existsSync(path),
);

describe('a document', () => {
  it('in a terminal has aligned tables, numbers at the right, and no charts or details', () => {
    const text = textOf(sample());
    expect(text.split('\n')).to.include.members([
      '  plain | text                            2',
      '  a                                  9                                  1',
    ]);
    expect(text).to.not.include('one detail').and.not.include('Bars');
  });

  it('in Markdown has its tables and details', () => {
    const text = markdownOf(sample());
    expect(text).to.match(/^# Report <script>/);
    expect(text).to.include('\n\n## Learning\n\n').and.include('\n| plain \\| text | 2 |  |\n');
    expect(text).to.include('### Details\n\n- one detail');
  });
});

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
      // on a narrow screen a row is a block, and nothing is cut off
      const phone = await browser.newPage({ viewport: { width: 390, height: 700 } });
      await phone.goto(pathToFileURL(file).href);
      expect(await phone.evaluate('document.documentElement.scrollWidth')).to.be.at.most(390);
      const wrapped = `Array.from(document.querySelectorAll('.plain td'), (td) => td.getBoundingClientRect().right)`;
      for (const right of await phone.evaluate<number[]>(wrapped)) expect(right).to.be.at.most(390);
      await phone.close();
    } finally {
      await browser?.close();
      rmSync(folder, { recursive: true });
    }
  });
});
