import { formatPlace, isGreen, type CaseVerdict, type TensorVerdict } from '../judge/index';
import type { ParityReport, SideReport } from './report';

/** The lines of a side's table, and which tensors they gather. */
const groups: readonly (readonly [name: string, has: (tensor: string, caseId: string) => boolean])[] = [
  ['training', (_, id) => id.startsWith('step/') || id.startsWith('trajectory/')],
  ['states', (tensor) => tensor === 'states' || tensor === 'finalState'],
  ['output, loss', (tensor) => ['logits', 'probabilities', 'loss'].includes(tensor)],
  ['gradients', (tensor) => tensor.startsWith('gradients.')],
  ['other', () => true],
];
const shownOrder = ['states', 'output, loss', 'gradients', 'training', 'other'];

const mostFailures = 12;
const mostErrors = 5;

/** The report as text for people: a line per side and tensor group, then what went wrong, worst first. */
export function formatSummary(report: ParityReport): string {
  const lines = report.sides.flatMap((side) => sideLines(side, report));
  lines.push(...failureLines(report), ...errorLines(report));
  for (const fault of report.audit.slice(0, mostFailures)) lines.push(`not accounted for: ${fault}`);
  if (report.audit.length > mostFailures) lines.push(`... and ${report.audit.length - mostFailures} more`);
  for (const { implementation, tensor } of report.unshown) {
    lines.push(
      `not shown: ${implementation} never had to prove ${tensor} (ill-conditioned or vanished in every case)`,
    );
  }
  for (const note of report.notes) lines.push(`note: ${note}`);
  lines.push(conclusion(report));
  return lines.join('\n');
}

function sideLines(side: SideReport, report: ParityReport): string[] {
  if (side.status === 'not run') {
    const required = side.required ? ' (required)' : '';
    return [`${side.name}: NOT RUN${required}: ${side.reason ?? 'unknown reason'}`, ''];
  }
  const cases = report.cases.filter((verdict) => verdict.implementation === side.name);
  const compared = cases.reduce((sum, verdict) => sum + verdict.ledger.compared, 0);
  const version = side.version === undefined ? '' : ` (${side.version})`;
  const head = `${side.name}${version}: ${count(cases.length, 'case')}, ${compared.toLocaleString('en')} numbers compared`;
  const rows = shownOrder.flatMap((group) => {
    const tensors = tensorsOf(cases, group);
    return tensors.length === 0 ? [] : [groupLine(group, tensors)];
  });
  return [head, ...rows, ''];
}

function tensorsOf(cases: readonly CaseVerdict[], group: string): TensorVerdict[] {
  return cases.flatMap((verdict) =>
    verdict.tensors.filter(
      ({ tensor, caseId }) => groups.find(([, has]) => has(tensor, caseId))?.[0] === group,
    ),
  );
}

function groupLine(group: string, tensors: readonly TensorVerdict[]): string {
  const red = tensors.filter(isRed).length;
  const ill = tensors.filter(({ status }) => status === 'ill').length;
  const omitted = tensors.filter(({ status }) => status === 'omitted').length;
  const judged = tensors.filter(({ status }) => status !== 'ill' && status !== 'omitted');
  const worst = worstFirst(judged).find((verdict) => verdict.worst !== undefined);
  const state = red > 0 ? `${red} RED` : judged.length === 0 ? '-' : 'ok';
  const extra = [
    ...(ill > 0 ? [`${ill} ill-conditioned`] : []),
    ...(omitted > 0 ? [`${omitted} omitted`] : []),
  ];
  const where = worst?.worst === undefined ? 'nothing compared' : worstInWords(worst);
  return `  ${group.padEnd(13)}${state.padEnd(7)}${where}${extra.length > 0 ? ` [${extra.join(', ')}]` : ''}`;
}

function worstInWords({ tensor, caseId, worst }: TensorVerdict): string {
  if (worst === undefined) return '';
  const place = formatPlace(worst.at);
  const used = Number.isNaN(worst.usedShare) ? '' : ` (${percent(worst.usedShare)} used)`;
  return `worst error ${short(worst.error)} of ${short(worst.allowed)} allowed${used}: ${tensor}${place === '' ? '' : ` at ${place}`}, ${caseId}`;
}

function failureLines(report: ParityReport): string[] {
  const red = worstFirst(report.cases.flatMap((verdict) => verdict.tensors.filter(isRed)));
  if (red.length === 0) return [];
  const lines = [`${count(red.length, 'tensor')} red, worst first:`];
  for (const verdict of red.slice(0, mostFailures)) lines.push(...failure(verdict));
  if (red.length > mostFailures) lines.push(`  ... and ${red.length - mostFailures} more (--json tells all)`);
  lines.push(`  run the first again: ${commandFor(red[0], report)}`, '');
  return lines;
}

/** The command line that puts this one case again, to the same side. */
function commandFor({ implementation, caseId }: TensorVerdict, report: ParityReport): string {
  const { seed, vectors, candidate } = report;
  const backend = implementation === 'graph' ? 'graph' : /^tfjs:(.*)/.exec(implementation)?.[1];
  const id = caseId.replace(/^(trajectory\/[^/]+)\/.*/, '$1');
  return [
    'rnn-parity parity',
    ...(backend === undefined ? [] : [`--backends ${backend}`]),
    ...(candidate === undefined ? [] : [`--candidate ${quoted(candidate)}`]),
    ...(vectors === undefined ? [`--seed ${seed}`] : [`--vectors ${vectors.map(quoted).join(' ')}`]),
    `--only ${quoted(id)}`,
  ].join(' ');
}

function failure({ implementation, caseId, tensor, reason, worst, tolerance }: TensorVerdict): string[] {
  const lines = [`  ${implementation}, ${caseId}: ${tensor} ${reason ?? ''}`];
  if (worst !== undefined) {
    const place = formatPlace(worst.at);
    lines.push(
      `    ${place === '' ? '' : `at ${place}: `}${String(worst.given)}, expected ${String(worst.reference)}; error ${short(worst.error)}, allowed ${short(worst.allowed)}`,
    );
    if (tolerance !== undefined) lines.push(`    tolerance: ${tolerance}`);
  }
  return lines;
}

function errorLines({ errors }: ParityReport): string[] {
  const lines = errors
    .slice(0, mostErrors)
    .flatMap(({ implementation, caseId, message, trace }, i) => [
      `error: ${implementation}, ${caseId}: ${message}`,
      ...(i === 0 ? stackOf(trace) : []),
    ]);
  if (errors.length > mostErrors) lines.push(`... and ${errors.length - mostErrors} more errors`);
  return lines;
}

function stackOf(trace: string): string[] {
  return trace
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => `  ${line.trim()}`);
}

function conclusion({ verdict, sides, cases, errors }: ParityReport): string {
  const ran = sides.filter((side) => side.status === 'ran').map((side) => side.name);
  const notRun = sides.filter((side) => side.status === 'not run').map((side) => side.name);
  const missing = notRun.length > 0 ? `; not run: ${notRun.join(', ')}` : '';
  const failed = cases.filter((c) => c.status === 'fail').length;
  switch (verdict) {
    case 'parity':
      return `PARITY: ${ran.join(', ')} agree${ran.length === 1 ? 's' : ''} with the reference in ${cases.length === 1 ? '' : 'all '}${count(cases.length, 'comparison')}${missing}`;
    case 'mismatch':
      return `MISMATCH: ${failed} of ${count(cases.length, 'comparison')} red${missing}`;
    case 'error':
      return `ERROR: ${count(errors.length, 'case')} could not be judged, ${failed} of ${count(cases.length, 'comparison')} red${missing}`;
    case 'backend not run':
      return `NOT RUN: required, but not available: ${notRun.join(', ')}; ${ran.length === 0 ? 'nothing was compared' : 'what did run agrees'}`;
  }
}

function isRed(verdict: TensorVerdict): boolean {
  return !isGreen(verdict) && verdict.status !== 'ill';
}

/** NaN, infinities and what is missing come first, then the largest share of the tolerance. */
function worstFirst(verdicts: readonly TensorVerdict[]): TensorVerdict[] {
  const rank = ({ status, worst }: TensorVerdict): number => {
    if (status === 'nan' || status === 'infinity') return Number.MAX_VALUE;
    if (worst === undefined) return status === 'pass' || status === 'zero' ? -1 : Number.MAX_VALUE / 2;
    return Number.isNaN(worst.usedShare) ? Number.MAX_VALUE : Math.min(worst.usedShare, Number.MAX_VALUE / 4);
  };
  return [...verdicts].sort((one, other) => rank(other) - rank(one));
}

function short(x: number): string {
  return Number.isFinite(x) ? x.toExponential(1) : String(x);
}

function percent(share: number): string {
  const value = 100 * share;
  if (value > 1e6) return `${short(share)} times`;
  return `${value >= 10 ? value.toFixed(0) : value.toPrecision(2)} %`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : JSON.stringify(text);
}
