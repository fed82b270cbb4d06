import type { HarmlessRow, HostRow, TrialReport, TrialRow } from './report';

const shownMisses = 12;
const columns = [
  'planted',
  'caught',
  'result',
  'step',
  'probe',
  'repeat',
  'update',
  'referee',
  'located',
  'side',
  'kind',
] as const;

/** The matrix as text: a line for each fault, then what was harmless, what was missed, and the score. */
export function formatTrial(report: TrialReport): string {
  const { rows, equivalents, heldOut, misses, score } = report;
  const width = Math.max(...[...rows, ...equivalents, ...heldOut].map(({ name }) => name.length), 10) + 2;
  const lines =
    rows.length === 0 ? [] : [''.padEnd(width) + columns.map((name) => name.padStart(8)).join('')];
  for (const row of rows) lines.push(row.name.padEnd(width) + cells(row).join(''));
  lines.push(...harmlessLines('Equivalent, so that nothing may be accused:', equivalents, width));
  lines.push(...harmlessLines('Not in the catalogue, so that no name may be given:', heldOut, width));
  if (misses.length > 0) {
    lines.push('', `${misses.length} things were not as they should be, among them:`);
    for (const miss of misses.slice(0, shownMisses)) lines.push(`  ${miss}`);
  }
  for (const { name, reason } of report.notRun) lines.push(`note: ${name} did not run: ${reason}`);
  if (report.perHost.length > 1) lines.push('', ...report.perHost.map(hostLine));
  const planted = rows.reduce((sum, row) => sum + row.planted, 0);
  lines.push(
    '',
    `${rows.length} faults planted ${planted} times in ${report.hosts.join(', ')} (seed ${report.seed}, ${report.shapes} shapes x ${report.seeds}), ${report.seconds.toFixed(0)} s`,
    `caught ${share(score.caught)}; single steps located ${share(score.localised)}, updates ${share(score.updates)}; side named ${share(score.side)}, wrongly ${score.sideWrong}; kind named ${share(score.kind)}, wrongly ${score.kindWrong}; harmless accused ${score.accused}`,
    verdictOf(report),
  );
  return lines.join('\n');
}

/** How the trial ended, in one line. */
export function verdictOf({ exitCode, score, break: threshold }: TrialReport): string {
  return exitCode === 0
    ? `TRIAL PASSED: at least ${threshold} % caught, nobody accused wrongly`
    : `TRIAL FAILED: ${share(score.caught)} caught (--break ${threshold}), ${score.sideWrong + score.kindWrong + score.accused} wrong accusations`;
}

function cells(row: TrialRow): string[] {
  const counts = [
    row.planted,
    row.caught,
    row.byResults,
    row.bySteps,
    row.byProbe,
    row.byRepeat,
    row.byTraining,
    row.byReferee,
  ];
  return [...counts, row.localised, row.sideNamed, row.kindNamed].map((count) => String(count).padStart(8));
}

function hostLine({ name, planted, caught, localised, sideNamed, kindNamed }: HostRow): string {
  return `${name}: planted ${planted}, caught ${caught}, located ${localised}, side ${sideNamed}, kind ${kindNamed}`;
}

function harmlessLines(title: string, rows: readonly HarmlessRow[], width: number): string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(
    ({ name, planted, caught, accused, kindWrong, why }) =>
      `${name.padEnd(width)}planted ${planted}, caught ${caught}, side accused ${accused}, kind wrong ${kindWrong}; ${why}`,
  );
  return ['', title, ...lines];
}

/** Per cent, rounded down, so that 100 means all. */
function share(value: number): string {
  return `${Math.floor(value * 10) / 10} %`;
}
