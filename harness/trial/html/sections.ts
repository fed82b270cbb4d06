import {
  html,
  shareTable,
  table,
  type Fact,
  type Html,
  type HtmlPart,
  type Section,
} from '../../reports/index';
import type { HarmlessRow, TrialReport, TrialRow } from '../report';

const columns = [
  { name: 'caught', title: 'turned red in any view, so that a user is told' },
  { name: 'results', title: 'results compared with the reference' },
  { name: 'steps', title: 'one equation of one time step at a time, from its own values before it' },
  { name: 'probe', title: 'single weights, in a probe of one step' },
  { name: 'repeat', title: 'right at first, and wrong when the same is asked again' },
  { name: 'update', title: 'updates of training checks' },
  { name: 'referee', title: 'third opinions, without knowing any verdict' },
  { name: 'located', title: 'phase right, and time step or update where it has one' },
  { name: 'side', title: 'the faulty side is named' },
  { name: 'scratch', title: 'the same fault on the scratch side: scratch is named' },
  { name: 'kind', title: 'the kind of mistake is named' },
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

/** The numbers of the trial that a reader wants first. */
export function trialFacts({ score }: TrialReport): Fact[] {
  const wrong = score.sideWrong + score.kindWrong + score.accused;
  const goal = (label: string, value: number, least: number): Fact => ({
    label,
    value: percent(value),
    tone: value >= least ? 'good' : 'bad',
  });
  return [
    goal('Faults caught', score.caught, 100),
    goal('Single steps located', score.localised, 95),
    goal('Updates located', score.updates, 95),
    goal('Side named', score.side, 99),
    goal('Kind named', score.kind, 90),
    { label: 'Wrong accusations', value: String(wrong), tone: wrong === 0 ? 'good' : 'bad' },
  ];
}

/** The fault matrix, what was harmless, and what was not as it should be. */
export function trialSections(report: TrialReport): Section[] {
  const { rows, equivalents, heldOut, misses, hosts, seed, shapes, seeds } = report;
  return [
    {
      title: 'The harness on trial',
      intro: `${rows.length} known mistakes, planted ${count(total(rows))} times in ${hosts.join(', ')} in turn (${shapes} shapes x ${seeds} problems, seed ${seed}), and what the harness made of them. Point at a name for the mistake, at a cell for the counts.`,
      body: matrixOf(rows),
    },
    ...(report.perHost.length === 0 ? [] : [{ title: 'Each host', body: hostTable(report) }]),
    ...harmless('Equivalent changes: nothing may be accused', 'proof', equivalents),
    ...harmless('Not in the catalogue: caught, and called by no other name', 'why', heldOut),
    ...(misses.length === 0
      ? []
      : [
          {
            title: 'Misses',
            intro: `${count(misses.length)} things were not as they should be.`,
            body: html`<ul>
              ${misses.map((miss) => html`<li>${miss}</li>`)}
            </ul>`,
          },
        ]),
  ];
}

function matrixOf(rows: readonly TrialRow[]): Html {
  const shown = groups.map(([title, belongs]) => {
    const own = rows.filter(belongs).sort((one, other) => (one.family < other.family ? -1 : 1));
    return {
      name: `${title}: ${own.length} faults, planted ${count(total(own))} times`,
      rows: own.map((row) => ({
        name: row.name,
        title: `${row.fault} (${row.family})`,
        cells: cellsOf(row),
      })),
    };
  });
  return shareTable({
    caption: 'Per cent of the plantings; orange where all was expected and something is missing',
    columns,
    groups: shown.filter((group) => group.rows.length > 0),
  });
}

function cellsOf(row: TrialRow) {
  const of = row.planted;
  const oracles = [row.byResults, row.bySteps, row.byProbe, row.byRepeat, row.byTraining, row.byReferee];
  const wanted = [row.localised, row.sideNamed, row.scratchNamed, row.kindNamed];
  return [
    { count: row.caught, of, all: true },
    ...oracles.map((caught) => ({ count: caught, of })),
    ...wanted.map((right) => ({ count: right, of, all: true })),
  ];
}

function hostTable({ perHost }: TrialReport): Html {
  return table({
    head: ['host', 'planted', 'caught', 'located', 'side', 'kind'],
    rows: perHost.map(({ name, planted, caught, localised, sideNamed, kindNamed }) => [
      name,
      planted,
      caught,
      localised,
      sideNamed,
      kindNamed,
    ]),
  });
}

function harmless(title: string, why: string, rows: readonly HarmlessRow[]): Section[] {
  if (rows.length === 0) return [];
  const cells = (row: HarmlessRow): HtmlPart[] => [
    row.name,
    row.planted,
    row.caught,
    row.accused,
    row.kindWrong,
    row.why,
  ];
  const head = ['change', 'planted', 'caught', 'accused', 'kind wrong', why];
  return [{ title, body: table({ head, rows: rows.map(cells) }) }];
}

function total(rows: readonly TrialRow[]): number {
  return rows.reduce((sum, { planted }) => sum + planted, 0);
}

function count(n: number): string {
  return n.toLocaleString('en');
}

/** Rounded down, so that 100 means all. */
function percent(value: number): string {
  return `${Math.floor(value * 10) / 10} %`;
}
