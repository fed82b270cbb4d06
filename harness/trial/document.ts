import {
  bullets,
  htmlOf,
  section,
  share,
  table,
  textOf,
  type Cell,
  type Document,
  type Fact,
  type Section,
  type Table,
} from '../reports/index';
import { version } from '../base/version';
import type { HarmlessRow, TrialReport, TrialRow } from './report';

/** What the page is marked with, so that a later run knows that it may replace it. */
export const trialTitle = 'rnn-parity: the harness on trial';

const columns = [
  { text: 'fault' },
  { text: 'planted', title: 'how often it was planted' },
  { text: 'caught', title: 'wrong in any view, so that a user learns of it' },
  { text: 'results', title: 'results compared with the reference' },
  { text: 'steps', title: 'one equation of one time step at a time, from its own values before it' },
  { text: 'probe', title: 'single weights, in a probe of one step' },
  { text: 'repeat', title: 'right at first, and wrong when the same is asked again' },
  { text: 'update', title: 'updates of training checks' },
  { text: 'referee', title: 'third opinions, without knowing any verdict' },
  { text: 'located', title: 'phase right, and time step or update where it has one' },
  { text: 'side', title: 'the faulty side is named' },
  { text: 'scratch', title: 'the same fault on the scratch side: scratch is named' },
  { text: 'kind', title: 'the fault is named' },
] as const;

const groups: readonly (readonly [title: string, belongs: (row: TrialRow) => boolean])[] = [
  ['Forward pass', ({ phase, singleStep }) => phase === 'forward' && !singleStep],
  [
    'Loss and output',
    ({ phase, singleStep, byTraining }) => phase === 'loss' && !singleStep && byTraining === 0,
  ],
  ['Backward pass', ({ phase, singleStep }) => phase === 'backward' && !singleStep],
  ['One time step alone', ({ singleStep }) => singleStep],
  ['Update: the optimizer', ({ phase, byTraining }) => phase === 'update' || byTraining > 0],
];

/** Misses that a terminal shows. */
const shownMisses = 12;

/** The trial for a terminal: a line for each fault, what was harmless, what was missed, the score, and the verdict last. */
export function formatTrial(report: TrialReport): string {
  const facts = factsOf(report).map(({ label, value }) => `${label.toLowerCase()} ${value}`);
  return [
    textOf({ sections: [...trialSections(report, shownMisses), ...notRunSection(report)] }),
    `${countOf(report)}, ${report.seconds.toFixed(0)} s`,
    `${facts.join('; ')}\n${verdictOf(report)}`,
  ].join('\n\n');
}

/** The trial as one self-contained page that opens offline. */
export function trialPage(report: TrialReport, settings: readonly string[] = []): Promise<string> {
  const { hosts, notRun, exitCode, seed, seconds } = report;
  const rows = [
    ['command', `rnn-parity trial ${settings.join(' ')}`.trim()],
    ['seed', String(seed)],
    ['hosts', hosts.join(', ')],
    ...notRun.map(({ name, reason }) => [`${name} did not run`, reason]),
    ['seconds', seconds.toFixed(0)],
    ['rnn-parity', version],
    ['Node.js', `${process.version}, ${process.platform} ${process.arch}`],
  ];
  const page: Document = {
    title: trialTitle,
    subtitle: { text: verdictOf(report), tone: exitCode === 0 ? 'good' : 'bad' },
    facts: factsOf(report),
    sections: [...trialSections(report), { title: 'Settings and versions', blocks: [table(rows)] }],
    footer: `rnn-parity ${version}, format ${report.format}. Every fault is a few readable lines in harness/faults/; docs/trial.md says how to read this page.`,
  };
  return htmlOf(page);
}

/** How the trial ended, in one line. */
function verdictOf({ exitCode, score, break: threshold }: TrialReport): string {
  return exitCode === 0
    ? `TRIAL PASSED: at least ${threshold} % caught, no right side blamed, no wrong name`
    : `TRIAL FAILED: ${percent(score.caught)} caught (--break ${threshold}), ${score.sideWrong + score.kindWrong + score.blamed} wrong names or sides`;
}

/** The numbers of the trial that a reader wants first. */
function factsOf({ score, layers }: TrialReport): Fact[] {
  const wrong = score.sideWrong + score.kindWrong + score.blamed;
  const goal = (label: string, value: number, least: number): Fact => ({
    label,
    value: percent(value),
    tone: value >= least ? 'good' : 'bad',
  });
  return [
    goal('Faults caught', score.caught, 100),
    goal('Single steps located', score.localised, 95),
    ...(layers === undefined ? [goal('Updates located', score.updates, 95)] : []),
    goal('Side named', score.side, 99),
    goal('Kind named', score.kind, 90),
    ...(layers === undefined ? [] : [goal('Kind named alone', score.alone, 90)]),
    { label: 'Wrong names or sides', value: String(wrong), tone: wrong === 0 ? 'good' : 'bad' },
  ];
}

/** The matrix of faults, what was harmless, and what was not as it should be. */
export function trialSections(report: TrialReport, mostMisses = Infinity): Section[] {
  const { rows, equivalents, heldOut, misses, perHost } = report;
  const left = misses.length - mostMisses;
  const shown =
    left > 0 ? [...misses.slice(0, mostMisses), `... and ${left} more (--json lists all)`] : misses;
  const hostTable = table(
    perHost.map((host) => [
      ...[host.name, host.planted, host.caught, host.localised, host.sideNamed, host.kindNamed],
    ]),
    { head: ['host', 'planted', 'caught', 'located', 'side', 'kind'] },
  );
  return [
    ...section(
      'The harness on trial',
      rows.length === 0 ? [] : [matrixOf(rows)],
      `${countOf(report)}, and what the harness found. Point at a name for the mistake, at a cell for the counts.`,
    ),
    ...section('Each host', perHost.length < 2 ? [] : [hostTable]),
    ...harmless('Equivalent changes: no side may be blamed', 'proof', equivalents),
    ...harmless('Not in the catalogue: caught, and given no name', 'why', heldOut),
    ...section('Misses', bullets(shown), `${misses.length} results were not as they should be.`),
  ];
}

function notRunSection({ notRun }: TrialReport): Section[] {
  return section('Did not run', bullets(notRun.map(({ name, reason }) => `${name}: ${reason}`)));
}

function countOf({ rows, hosts, seed, shapes, seeds, layers }: TrialReport): string {
  const times = layers === undefined ? `${shapes} shapes x ${seeds} problems` : `${seeds} times each`;
  return `${layers === undefined ? '' : `${layers}: `}${rows.length} known mistakes, planted ${total(rows).toLocaleString('en')} times in ${hosts.join(', ')} in turn (${times}, seed ${seed})`;
}

function matrixOf(rows: readonly TrialRow[]): Table {
  const shown = groups.map(([title, belongs]) => {
    const own = rows.filter(belongs).sort((one, other) => (one.family < other.family ? -1 : 1));
    return {
      title: `${title}: ${own.length} faults, planted ${total(own).toLocaleString('en')} times`,
      rows: own.map(cellsOf),
    };
  });
  return {
    kind: 'table',
    look: 'grid',
    caption: 'On a page: per cent of the plantings; orange where all was expected and something is missing',
    head: columns,
    groups: shown.filter((group) => group.rows.length > 0),
  };
}

function cellsOf(row: TrialRow): Cell[] {
  const views = [row.byResults, row.bySteps, row.byProbe, row.byRepeat, row.byTraining, row.byReferee];
  const wanted = [row.localised, row.sideNamed, row.scratchNamed, row.kindNamed];
  const counts = [row.caught, ...views, ...wanted];
  const isWanted = (i: number): boolean => i === 0 || i > views.length;
  return [
    { text: row.name, title: `${row.fault} (${row.family})` },
    row.planted,
    ...counts.map((count, i) => share(count, row.planted, columns[i + 2].text, isWanted(i))),
  ];
}

function harmless(title: string, why: string, rows: readonly HarmlessRow[]): Section[] {
  const cells = (row: HarmlessRow): Cell[] => [
    ...[row.name, row.planted, row.caught, row.blamed, row.kindWrong, row.why],
  ];
  const head = ['change', 'planted', 'caught', 'side blamed', 'wrong name', why];
  return section(title, rows.length === 0 ? [] : [table(rows.map(cells), { head })]);
}

function total(rows: readonly TrialRow[]): number {
  return rows.reduce((sum, { planted }) => sum + planted, 0);
}

/** Rounded down, so that 100 means all. */
function percent(value: number): string {
  return `${Math.floor(value * 10) / 10} %`;
}
