import { problemIdOf } from '../../examine/index';
import {
  bullets,
  count,
  fold,
  heading,
  paragraph,
  percent,
  row,
  table,
  type Block,
  type Cell,
  type Mark,
} from '../../reports/index';
import { heatFigure } from '../html/charts';
import type { SideCharts } from '../html/chart-data';
import { ofSide, type BrowserSideFacts, type ParityReport, type SideReport } from '../report';
import { formatDiagnosis } from '../text/diagnosis';
import { failingProblems, usedInWords, worstFirst } from '../text/failing';
import { caseLine } from '../text/failures';
import { defectsOf } from './defects';
import { halfInWords, sideInWords, stateOf, unknownInWords, unseenInWords, type SideState } from './words';

/** Of a run as far as it has come. */
export interface PageState {
  readonly report: ParityReport;
  readonly charts: readonly SideCharts[];
  /** comparisons done and planned, by side */ readonly progress: ReadonlyMap<
    string,
    readonly [done: number, all: number]
  >;
}

const marks: Readonly<Record<SideState, Mark>> = {
  right: { text: '●\u00a0right', tone: 'good' },
  wrong: { text: '✗\u00a0MISMATCH', tone: 'bad' },
  error: { text: '✗\u00a0ERROR', tone: 'bad' },
  'not run': { text: '○\u00a0not\u00a0run' },
  unfinished: { text: '…\u00a0not\u00a0done' },
};

/** Where a case is run alone: seed, side and case. The flags belong to the side. */
export function linkOf(report: Pick<ParityReport, 'seed'>, side: string, caseId: string): `#${string}` {
  const id = problemIdOf(caseId).replace(/^(trajectory\/[^/]+)\/.*/, '$1');
  return `#side=${encodeURIComponent(side)}&seed=${report.seed}&only=${encodeURIComponent(id)}`;
}

/** The table of sides: small ones first, a word alongside every colour. */
export function sideTable({ report, progress }: PageState, names: readonly string[]): Block {
  const rows = names.map((name): Cell[] => {
    const side = report.sides.find((one) => one.name === name);
    const [, planned] = progress.get(name) ?? [0, 0];
    const { cases } = ofSide(report, name);
    const judged = cases
      .flatMap(({ tensors }) => tensors)
      .filter(({ status }) => !['ill', 'omitted'].includes(status));
    const worst = worstFirst(judged).at(0);
    const failing = failingProblems(cases).length;
    const ids = [...new Set(cases.map(({ caseId }) => problemIdOf(caseId)))];
    const updates = ids.filter((id) => /^(step|trajectory)\//.test(id)).length;
    const all = [
      ...(ids.length > updates ? [count(ids.length - updates, 'problem')] : []),
      ...(updates > 0 ? [count(updates, 'training step')] : []),
    ].join(', ');
    const state = side === undefined ? 'unfinished' : stateOf(report, name);
    return [
      {
        text: name.slice('browser:'.length),
        href: `#side=${encodeURIComponent(name)}&seed=${report.seed}`,
      },
      deviceCell(side, state),
      marks[state],
      state === 'unfinished' ? `${planned} planned` : failing > 0 ? `${failing} wrong of ${all}` : all,
      worst === undefined ? '' : `${usedInWords(worst)} ${worst.tensor}`,
    ];
  });
  return table(rows, { head: ['side', 'device', 'verdict', 'problems', 'worst share of its error budget'] });
}

function deviceCell(side: SideReport | undefined, state: SideState): string {
  if (side?.status === 'not run') return side.reason ?? '';
  return side?.version ?? (state === 'unfinished' ? 'not open yet' : 'never opened');
}

/** What is wrong on a side: known defects by name, what each failing problem shows, and a link that runs it alone. */
export function wrongBlocks({ report }: PageState): Block[] {
  const names = report.sides
    .map(({ name }) => name)
    .filter((name) => ['wrong', 'error'].includes(stateOf(report, name)));
  return names.flatMap((name) => {
    const { found, unexplained } = defectsOf(report, name);
    const half = halfInWords(report, name);
    const { cases, diagnoses, errors } = ofSide(report, name);
    const problems = failingProblems(cases);
    const facts = report.browser?.sides.find((one) => one.name === name);
    const rows = problems
      .slice(0, 12)
      .map((one): Cell[] => [
        { text: one.caseId, href: linkOf(report, name, one.caseId), title: 'run only this here' },
        caseLine(one, report).slice(`${name}, ${one.caseId}: `.length),
      ]);
    return [
      heading(
        `${sideInWords(name)}: ${problems.length === 0 ? 'an error' : `${count(problems.length, 'problem')} wrong`}`,
      ),
      ...bullets([
        ...found.map(
          ({ defect, cases }) =>
            `Known: ${defect.words} (${cases.length} comparisons). Cause: ${defect.cause}. ${defect.issue === undefined ? 'No upstream report is known.' : `Reported as ${defect.issue}.`}`,
        ),
        ...(half === undefined ? [] : [`It ${half}.`]),
        ...(unexplained > 0 && half === undefined ? [`${unknownInWords(unexplained)}.`] : []),
        ...errors.map(({ caseId, message }) => (caseId.startsWith('(') ? message : `${caseId}: ${message}`)),
        ...(facts?.complaints ?? []).map((line) => `The device complained: ${line}`),
        ...(facts === undefined ? [] : [flagsInWords(facts)]),
      ]),
      ...(rows.length === 0
        ? []
        : [table(rows, { head: ['problem (run only this here)', 'what is wrong'] })]),
      ...diagnoses
        .slice(0, 2)
        .map((diagnosis) =>
          fold(
            `Diagnosis of ${diagnosis.caseId}`,
            ...formatDiagnosis(diagnosis, report).map((line) => paragraph(line)),
          ),
        ),
    ];
  });
}

const flagsInWords = ({ flags }: BrowserSideFacts): string =>
  `Flags: ${
    Object.entries(flags)
      .map(([flag, value]) => `${flag}=${value}`)
      .join(', ') || 'none'
  }.`;

/** Time step to the right, unit downwards; the number is under the pointer, and the largest in the caption. */
export function heatBlocks({ charts, report }: PageState): Block[] {
  return charts.flatMap(({ name, heat }) =>
    heat === undefined
      ? []
      : [
          fold(
            `${sideInWords(name)}: ${stateOf(report, name)}, ${heat.caseId}`,
            row(...heat.maps.map(heatFigure)),
          ),
        ],
  );
}

/** Two digits, without an exponent where it is not needed. */
const inUnits = (x: number): string => String(Number(x.toPrecision(2)));

/** What each device computes by, measured on it; no budget is made of it. */
export function arithmeticTable({ report }: PageState): Block[] {
  const rows = (report.browser?.sides ?? []).flatMap(({ name, arithmetic }): Cell[][] => {
    if (arithmetic === undefined) return [];
    const { functions, tanhAbsolute, flushesSubnormals, halfPrecision, sums, divisionsNotNearest } =
      arithmetic;
    const largest = (wanted: string): string =>
      `${inUnits(functions.find((one) => one.name === wanted)?.largest ?? NaN)} u|f|`;
    return [
      [
        name.slice('browser:'.length),
        `${largest('tanh')}, near 0 ${inUnits(tanhAbsolute)} u`,
        largest('exp'),
        largest('log'),
        largest('sigmoid'),
        flushesSubnormals ? 'flushed to zero' : 'kept',
        sums,
        divisionsNotNearest === 0 ? 'all nearest' : `${percent(divisionsNotNearest / 4096)} not nearest`,
        halfPrecision ? 'HALF (11 bits)' : 'single (24 bits)',
      ],
    ];
  });
  const head = ['side', 'tanh', 'exp', 'log', 'sigmoid', 'below 2^-126', 'sums', 'divisions', 'precision'];
  return rows.length === 0 ? [] : [table(rows, { head })];
}

export function unseenBlocks({ report }: PageState): Block[] {
  return bullets(unseenInWords(report));
}
