import {
  bullets,
  code,
  count,
  fold,
  heading,
  htmlOf,
  paragraph,
  percent,
  row,
  section,
  short,
  table,
  type Block,
  type Fact,
  type Section,
  type Table,
} from '../../reports/index';
import { version } from '../../base/version';
import type { TensorVerdict } from '../../judge/index';
import { ofSide, ranIn, type ParityReport } from '../report';
import { formatDiagnosis } from '../text/diagnosis';
import { failingCases, usedInWords, worstFirst, type FailingCase } from '../text/failing';
import { placeInWords } from '../text/place';
import { patternsOf } from '../text/patterns';
import { sideTable } from '../text/sides';
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
  /** default `parity` */ readonly command?: string;
  /** the arguments of the command */ readonly settings?: readonly string[];
  /** more sections, before the settings */ readonly sections?: readonly Section[];
}

/** The report as one self-contained page that opens offline: verdict, what is wrong, charts, settings. */
export function parityPage({
  report,
  charts,
  command = 'parity',
  settings = [],
  sections = [],
}: PageData): Promise<string> {
  const failing = failingCases(report.cases);
  return htmlOf({
    title: pageTitle,
    subtitle: { text: formatVerdict(report), tone: report.verdict === 'parity' ? 'good' : 'bad' },
    facts: facts(report, failing),
    sections: [
      ...section('What is wrong', wrong(report, failing)),
      {
        title: 'Sides',
        intro:
          'The largest share of its budget that any tensor of a group used: up to 100 % is explained by rounding.',
        blocks: [sideTable(report)],
      },
      ...heatSections(charts),
      { title: 'Error against budget', blocks: [budgetScatter(report)] },
      ...section(
        'Units in the last place',
        charts.length === 0 ? [] : [row(...charts.map(ulpFigure))],
        aboutUlps,
      ),
      ...sections,
      ...section('Warnings and notes', bullets([...report.warnings, ...report.notes])),
      { title: 'Settings and versions', blocks: [settingsTable(report, [command, ...settings])] },
    ],
    footer: `rnn-parity ${version}, format ${report.format}. This page holds no script and asks for nothing from outside; point at a cell or dot for its numbers.`,
  });
}

const aboutUlps =
  'Distance of every number from the float64 reference rounded to the precision of the side. Long tails are results near zero, ' +
  'where cancellation leaves few digits; the budget allows for them.';

function facts(report: ParityReport, failing: readonly FailingCase[]): Fact[] {
  const { verdict, cases, sides } = report;
  const ran = ranIn(report).length;
  const numbers = cases.reduce((sum, { ledger }) => sum + ledger.compared, 0);
  const judged = cases.flatMap(({ tensors }) => tensors.filter(({ status }) => status === 'pass'));
  const shares = judged.map(({ worst }) => worst?.usedShare ?? 0).filter((share) => share <= 1);
  return [
    { label: 'Verdict', value: verdict, tone: verdict === 'parity' ? 'good' : 'bad' },
    { label: 'Sides', value: ran === sides.length ? String(ran) : `${ran} of ${sides.length}` },
    { label: 'Comparisons', value: cases.length.toLocaleString('en') },
    { label: 'Numbers compared', value: numbers.toLocaleString('en') },
    failing.length > 0
      ? { label: 'Comparisons that fail', value: failing.length.toLocaleString('en'), tone: 'bad' }
      : {
          label: 'Most of a budget used',
          value: percent(shares.reduce((max, share) => Math.max(max, share), 0)),
        },
  ];
}

function wrong(report: ParityReport, failing: readonly FailingCase[]): Block[] {
  const { errors, audit, unshown, complete } = report;
  const faults = [
    ...errors.map(({ implementation, caseId, message }) => `${implementation}, ${caseId}: ${message}`),
    ...audit.map((fault) => `not accounted for: ${fault}`),
    ...(complete ? unshown : []).map(
      ({ implementation, tensor }) => `${implementation} never had to prove ${tensor}`,
    ),
  ];
  const sides = [...new Set(failing.map(({ implementation }) => implementation))];
  const patterns = sides.flatMap((side) =>
    patternsOf(ofSide(report, side)).map((line) => paragraph(`${side}: ${line}`)),
  );
  const diagnoses = report.diagnoses
    .slice(0, mostDiagnoses)
    .map((diagnosis) => code([diagnosis.implementation, ...formatDiagnosis(diagnosis, report)]));
  return [...diagnoses, ...patterns, ...bullets(faults), ...failureTables(report, failing)];
}

/** The worst in sight, the rest folded. */
function failureTables(report: ParityReport, failing: readonly FailingCase[]): Block[] {
  const all = worstFirst(failing.flatMap((one) => one.failing));
  if (all.length === 0) return [];
  const [first, folded] = [all.slice(0, inSight), all.slice(inSight, mostFailures)];
  const left = all.length - first.length - folded.length;
  const rest = left > 0 ? `${left.toLocaleString('en')} more are in the JSON report` : undefined;
  return [
    failureTable(`${count(all.length, 'tensor')} failed, worst first`, first, report),
    ...(folded.length === 0
      ? []
      : [fold(`${folded.length.toLocaleString('en')} more`, failureTable(rest, folded, report))]),
  ];
}

function failureTable(
  caption: string | undefined,
  tensors: readonly TensorVerdict[],
  report: ParityReport,
): Table {
  const rows = tensors.map((verdict) => {
    const { implementation, caseId, tensor, worst, needed, reason = '' } = verdict;
    const where = worst === undefined ? reason : placeInWords(verdict, worst.at, report);
    const numbers =
      worst === undefined
        ? ['', '']
        : [
            `${digits(worst.given)}, expected ${digits(worst.reference)}`,
            `${short(worst.error)} of ${short(worst.allowed)}`,
          ];
    const tolerances = needed === undefined ? '' : `${short(needed.absolute)}, or ${short(needed.relative)}`;
    return [implementation, caseId, tensor, where, usedInWords(verdict), ...numbers, tolerances];
  });
  const head = [
    'side',
    'case',
    'tensor',
    'where',
    'budget used',
    'given',
    'error of allowed',
    'needed: atol, or rtol',
  ];
  return table(rows, { head, ...(caption !== undefined && { caption }) });
}

/** As many digits as single precision has; the JSON report has them all. */
function digits(x: number): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(9))) : String(x);
}

function heatSections(charts: readonly SideCharts[]): Section[] {
  const blocks = charts.flatMap(({ name, heat }): Block[] =>
    heat === undefined
      ? []
      : [
          heading(`${name}: ${heat.caseId}`),
          row(...heat.maps.map(heatFigure)),
          ...(heat.missing === undefined ? [] : [paragraph(heat.missing)]),
        ],
  );
  const intro =
    'The case of each side that used most of its budget: error over budget, the largest of all examples. Time runs to the right; ' +
    'the backward pass runs to the left, so an error of it grows to the left of the step that made it.';
  return section('Error over time step and unit', blocks, intro);
}

function settingsTable(report: ParityReport, settings: readonly string[]): Table {
  const { seed, only, vectors, candidate, complete, flags = [] } = report;
  // problems about one network replace the suite
  const about = flags.findIndex((flag) => flag === '--layers' || flag === '--equations');
  const whole = about < 0 ? 'the whole suite' : `problems about ${flags[about + 1]}`;
  return table([
    ['command', `rnn-parity ${settings.join(' ')}`],
    ['seed', String(seed)],
    ['cases', complete ? whole : only === null ? 'chosen' : `--only ${only}`],
    ...(vectors === undefined ? [] : [['vectors', vectors.join(', ')]]),
    ...(candidate === undefined ? [] : [['candidate', candidate]]),
    ['rnn-parity', version],
    ['Node.js', `${process.version}, ${process.platform} ${process.arch}`],
    ...report.sides.flatMap(({ name, version: engine }) => (engine === undefined ? [] : [[name, engine]])),
  ]);
}
