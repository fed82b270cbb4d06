import {
  html,
  page,
  table,
  type Fact,
  type Html,
  type HtmlPart,
  type Section,
  count,
  percent,
  short,
} from '../../reports/index';
import { version } from '../../base/version';
import { formatPlace, type TensorVerdict } from '../../judge/index';
import type { ParityReport } from '../report';
import { formatDiagnosis } from '../text/diagnosis';
import { diagnosisFor } from '../text/failures';
import { isRed, redCases, redProblems, worstFirst, type RedCase } from '../text/red';
import { formatVerdict } from '../text/verdict-line';
import type { SideCharts } from './chart-data';
import { budgetScatter, heatFigure, ulpFigure } from './charts';

/** What the page is marked with, so that a later run knows that it may replace it. */
export const pageTitle = 'rnn-parity: parity report';

const inSight = 10;
const mostFailures = 200;
const mostDiagnoses = 6;

export interface PageData {
  readonly report: ParityReport;
  /** what an observer of the run collected (`ChartData`) */ readonly charts: readonly SideCharts[];
  /** the arguments of the command */ readonly settings?: readonly string[];
  /** more sections, before the settings */ readonly sections?: readonly Section[];
}

/** The report as one self-contained page that opens offline: verdict, what is wrong, charts, settings. */
export async function parityPage({
  report,
  charts,
  settings = [],
  sections = [],
}: PageData): Promise<string> {
  const red = redCases(report.cases);
  return page({
    title: pageTitle,
    subtitle: html`<strong class="${report.verdict === 'parity' ? 'good' : 'bad'}"
      >${formatVerdict(report)}</strong
    >`,
    facts: facts(report, red),
    sections: [
      ...wrong(report, red),
      { title: 'Sides', body: sideTable(report) },
      ...(await heatSections(charts)),
      { title: 'Error against budget', body: await budgetScatter(report) },
      ...(await ulpSections(charts)),
      ...sections,
      ...remarks(report),
      { title: 'Settings and versions', body: settingsTable(report, settings) },
    ],
    footer: `rnn-parity ${version}, format ${report.format}. This page holds no script and asks for nothing from outside; point at a cell or dot for its numbers.`,
  });
}

function facts({ verdict, cases, sides }: ParityReport, red: readonly RedCase[]): Fact[] {
  const numbers = cases.reduce((sum, { ledger }) => sum + ledger.compared, 0);
  const judged = cases.flatMap(({ tensors }) => tensors.filter(({ status }) => status === 'pass'));
  const most = judged.reduce((max, { worst }) => Math.max(max, worst?.usedShare ?? 0), 0);
  const ran = sides.filter(({ status }) => status === 'ran').length;
  return [
    { label: 'Verdict', value: verdict, tone: verdict === 'parity' ? 'good' : 'bad' },
    { label: 'Sides', value: ran === sides.length ? String(ran) : `${ran} of ${sides.length}` },
    { label: 'Comparisons', value: cases.length.toLocaleString('en') },
    { label: 'Numbers compared', value: numbers.toLocaleString('en') },
    red.length > 0
      ? { label: 'Comparisons red', value: red.length.toLocaleString('en'), tone: 'bad' }
      : { label: 'Most of a budget used', value: percent(most) },
  ];
}

function wrong(report: ParityReport, red: readonly RedCase[]): Section[] {
  const { errors, audit, unshown, complete } = report;
  const faults = [
    ...errors.map(({ implementation, caseId, message }) => `${implementation}, ${caseId}: ${message}`),
    ...audit.map((fault) => `not accounted for: ${fault}`),
    ...(complete ? unshown : []).map(
      ({ implementation, tensor }) => `${implementation} never had to prove ${tensor}`,
    ),
  ];
  if (red.length + faults.length === 0) return [];
  const problems = redProblems(report.cases);
  const diagnoses = report.diagnoses.slice(0, mostDiagnoses).map((diagnosis) => {
    const own = problems.find((one) => diagnosisFor(one, [diagnosis]) !== undefined);
    return html`<pre>${formatDiagnosis(diagnosis, own?.red).join('\n')}</pre>`;
  });
  return [
    {
      title: 'What is wrong',
      body: [...diagnoses, ...bullets(faults), ...(red.length > 0 ? [failureTable(red)] : [])],
    },
  ];
}

/** The worst in sight, the others folded. */
function failureTable(red: readonly RedCase[]): Html {
  const all = worstFirst(red.flatMap(({ red: tensors }) => tensors));
  const [first, folded] = [all.slice(0, inSight), all.slice(inSight, mostFailures)];
  const left = all.length - first.length - folded.length;
  return html`${failureRows(`${count(all.length, 'red tensor')}, worst first`, first)}${
    folded.length === 0
      ? undefined
      : html`<details>
          <summary>${count(folded.length, 'more red tensor')}</summary>
          ${failureRows(left > 0 ? `${left.toLocaleString('en')} more are in the JSON report` : '', folded)}
        </details>`
  }`;
}

function failureRows(caption: string, tensors: readonly TensorVerdict[]): Html {
  return table({
    ...(caption !== '' && { caption }),
    head: [
      'side',
      'case',
      'tensor',
      'where',
      'used',
      'error',
      'allowed',
      'needed: atol, or rtol',
      'given',
      'expected',
    ],
    rows: tensors.map(
      ({ implementation, caseId, tensor, status, worst, needed, reason = '' }): HtmlPart[] => {
        const where = worst === undefined ? reason : formatPlace(worst.at);
        const used = worst === undefined || status !== 'differs' ? status : percent(worst.usedShare);
        const sizes = worst === undefined ? ['', ''] : [short(worst.error), short(worst.allowed)];
        const numbers = worst === undefined ? ['', ''] : [digits(worst.given), digits(worst.reference)];
        const tolerances = needed === undefined ? '' : `${short(needed.absolute)}, ${short(needed.relative)}`;
        return [implementation, caseId, tensor, where, used, ...sizes, tolerances, ...numbers].map(whole);
      },
    ),
  });
}

/** As many digits as single precision has; the JSON report has them all. */
function digits(x: number): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(9))) : String(x);
}

function sideTable(report: ParityReport): Html {
  const rows = report.sides.map(({ name, status, version: engine = '', reason = '' }): HtmlPart[] => {
    if (status === 'not run') return [whole(name), reason, 'not run', '', '', '', '', ''];
    const cases = report.cases.filter(({ implementation }) => implementation === name);
    const tensors = cases.flatMap((verdict) => verdict.tensors);
    const red = tensors.filter(isRed).length;
    const worst = worstFirst(tensors.filter(({ status: s }) => s !== 'ill')).find(
      (one) => one.worst !== undefined,
    );
    return [
      whole(name),
      whole(engine),
      cases.length,
      cases.reduce((sum, { ledger }) => sum + ledger.compared, 0),
      red > 0 ? html`<span class="bad">${red}</span>` : 0,
      tensors.filter(({ status: s }) => s === 'ill').length,
      worst?.worst === undefined ? '' : whole(percent(worst.worst.usedShare)),
      whole(worst === undefined ? '' : `${worst.tensor}, ${worst.caseId}`),
    ];
  });
  const head = ['side', 'engine', 'cases', 'numbers', 'red tensors', 'ill-conditioned', 'most used', 'where'];
  return table({ head, rows });
}

async function heatSections(charts: readonly SideCharts[]): Promise<Section[]> {
  const parts: HtmlPart[] = [];
  for (const { name, heat } of charts) {
    if (heat === undefined) continue;
    const figures = await Promise.all(heat.maps.map(heatFigure));
    parts.push(
      html`<h3>${name}: ${heat.caseId}</h3>
        <div class="row">${figures}</div>
        ${heat.missing === undefined ? undefined : html`<p>${heat.missing}</p>`}`,
    );
  }
  if (parts.length === 0) return [];
  const intro =
    'The case of each side that used most of its budget: error over budget, the largest of all examples. Time runs to the right; ' +
    'the backward pass runs to the left, so an error of it grows to the left of the step that made it.';
  return [{ title: 'Error over time step and unit', intro, body: parts }];
}

async function ulpSections(charts: readonly SideCharts[]): Promise<Section[]> {
  if (charts.length === 0) return [];
  const intro =
    'Distance of every number from the float64 reference rounded to the precision of the side. Long tails are results near zero, ' +
    'where cancellation leaves few digits; the budget knows them.';
  const figures = await Promise.all(charts.map(ulpFigure));
  return [{ title: 'Units in the last place', intro, body: html`<div class="row">${figures}</div>` }];
}

function remarks({ warnings, notes }: ParityReport): Section[] {
  if (warnings.length + notes.length === 0) return [];
  return [{ title: 'Warnings and notes', body: bullets([...warnings, ...notes]) }];
}

function settingsTable(report: ParityReport, settings: readonly string[]): Html {
  const { seed, only, vectors, candidate, complete } = report;
  const rows: (readonly [string, string])[] = [
    ['command', `rnn-parity parity ${settings.join(' ')}`.trim()],
    ['seed', String(seed)],
    ['cases', complete ? 'the whole suite' : only === null ? 'chosen' : `--only ${only}`],
    ...(vectors === undefined ? [] : [['vectors', vectors.join(', ')] as const]),
    ...(candidate === undefined ? [] : [['candidate', candidate] as const]),
    ['rnn-parity', version],
    ['Node.js', `${process.version}, ${process.platform} ${process.arch}`],
    ...report.sides.flatMap(({ name, version: engine }) =>
      engine === undefined ? [] : [[name, engine] as const],
    ),
  ];
  return table({ rows: rows.map(([name, value]) => [whole(name), value]) });
}

function bullets(lines: readonly string[]): HtmlPart[] {
  return lines.length === 0
    ? []
    : [
        html`<ul>
          ${lines.map((line) => html`<li>${line}</li>`)}
        </ul>`,
      ];
}

/** In one piece: names of sides and tensors are not broken over lines. */
function whole(text: string): Html {
  return html`<span${text.length < 48 ? html` style="white-space: nowrap"` : undefined}>${text}</span>`;
}
