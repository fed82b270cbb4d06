import { writeFileSync } from 'node:fs';
import { ChartData } from '../../harness/parity/html/index';
import { heatFigure } from '../../harness/parity/html/charts';
import { formatSummary, runParity } from '../../harness/parity/index';
import { catalogue, replay } from '../../harness/faults/index';
import { makeProblem } from '../../harness/problems/index';
import { clip, svgOf } from '../../harness/reports/index';
import { scratchImplementation, tfjsImplementation, type SideSource } from '../../harness/sides/index';
import type { Implementation } from '../../harness/base/problem';
import { loadBackend } from '../../src/index';

/*
 * Draws docs/images/report.svg, the picture of the README: the text of a run whose second side forgets the carried gradient, and the heat maps of that side. `npm run docs:picture`
 */

const host = scratchImplementation();
const width = 900;
const lineHeight = 17;
const problem = makeProblem({
  ...{ id: 'example', seed: 7, batch: 4, timeSteps: 12, features: 3, units: 6, classes: 4 },
  ...{
    scale: 1,
    labels: true,
    upstreamStates: false,
    upstreamFinalState: false,
    initialState: true,
    mask: false,
  },
});

const fault = catalogue.find(({ name }) => name === 'carry/dropped');
if (fault === undefined) throw new Error('the catalogue has no carry/dropped');

/** It forgets to carry the gradient from a step to the one before. */
const wrong: Implementation = {
  ...host,
  name: 'my-rnn',
  evaluate: (asked) => replay(fault, asked),
};

const source = (implementation: Implementation): SideSource => ({
  name: implementation.name,
  required: true,
  open: () => Promise.resolve({ implementation }),
});

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

async function draw(): Promise<string> {
  const observer = new ChartData();
  const twin = tfjsImplementation(await loadBackend('cpu'));
  const report = await runParity({
    problems: [problem],
    sides: [source(twin), source(wrong)],
    observer,
    power: false,
  });
  const lines = formatSummary(report)
    .split('\n')
    .map((line) => escaped(clip(line, 112)));
  const maps = observer.sides.find(({ name }) => name === wrong.name)?.heat?.maps ?? [];
  const charts = await Promise.all(maps.map((map) => svgOf(heatFigure(map))));
  const top = 70 + lines.length * lineHeight;
  const height = top + 205;
  const text = lines.map(
    (line, i) => `<text x="16" y="${52 + i * lineHeight}" xml:space="preserve">${line}</text>`,
  );
  const nested = charts.map((svg, i) =>
    svg
      .replace('<svg', `<svg x="${10 + i * 445}" y="${top + 16}"`)
      .replace(/height="\d+" width="480"/, 'height="180" width="430"'),
  );
  const titles = maps.map(
    ({ title }, i) => `<text x="${16 + i * 445}" y="${top + 6}">${escaped(title)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>A run of rnn-parity parity: a table with a row a side, what is wrong, and error over budget by time step and unit</title>
<style>
:root { --series-1: #6cb0ff; --series-2: #ff9a5c; color: #e6eaf0; }
text { font: 13px ui-monospace, monospace; fill: #e6eaf0; }
.prompt { fill: #5fd38a; }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#12161c"/>
<text class="prompt" x="16" y="26">$ rnn-parity parity --candidate ./my-rnn.ts --html report.html</text>
${[...text, ...titles, ...nested].join('\n')}
</svg>
`;
}

void draw().then((svg) => writeFileSync('docs/images/report.svg', svg));
