import { problemIdOf } from '../../examine/index';
import type { Diagnosis } from '../../diagnosis/index';
import { formatPlace, type TensorVerdict } from '../../judge/index';
import type { ParityReport } from '../report';
import { formatDiagnosis, formatDiagnosisShort, tolerance } from './diagnosis';
import { type Part, count, listed, oneLine, quoted, short } from '../../reports/index';
import { labelOf, redProblems, type RedCase } from './red';

/** Names of tensors that one line may list. */
const mostNames = 14;
const mostLines = 26;

/**
 * The red cases, worst first, but the worst of every side before any other: these in full, with their diagnoses; then a line a
 * case; what has no room is counted by side and tensor.
 */
export function failurePart(report: ParityReport, { command: told = true } = {}): Part {
  const cases = worstOfEachSideFirst(redProblems(report.cases));
  if (cases.length === 0) return { least: 0, lines: () => [] };
  const tensors = cases.reduce((sum, { red }) => sum + red.length, 0);
  const failed = report.cases.filter(({ status }) => status === 'fail').length;
  const head = `${count(tensors, 'tensor')} red in ${failed} of ${count(report.cases.length, 'comparison')}, worst first:`;
  const command = told ? [`run the first again: ${commandFor(cases[0], report)}`] : [];
  return {
    least: 3,
    lines: (room) => [head, ...caseLines(cases, report.diagnoses, Math.min(room, mostLines) - 2), ...command],
  };
}

function worstOfEachSideFirst(cases: readonly RedCase[]): RedCase[] {
  const sides = new Set<string>();
  const first = cases.filter(({ implementation }) => sides.size < sides.add(implementation).size);
  return [...first, ...cases.filter((red) => !first.includes(red))];
}

/** A red case in one line: its worst tensor with both numbers, and the names of the others. */
/** What was found out about a red case, whichever way of asking its problem it is. */
export function diagnosisFor(
  red: Pick<RedCase, 'implementation' | 'caseId'>,
  diagnoses: readonly Diagnosis[],
): Diagnosis | undefined {
  return diagnoses.find(
    ({ implementation, caseId }) =>
      implementation === red.implementation && problemIdOf(caseId) === problemIdOf(red.caseId),
  );
}

function caseLines(
  cases: readonly RedCase[],
  diagnoses: readonly Diagnosis[],
  room: number,
): readonly string[] {
  const lines: string[] = [];
  const toldInFull = new Set<string>();
  for (const [i, red] of cases.entries()) {
    // One line stays free to count the cases that are left, unless this is the last.
    const free = room - lines.length - (i < cases.length - 1 ? 1 : 0);
    const diagnosis = diagnosisFor(red, diagnoses);
    const full = diagnosis === undefined ? undiagnosed(red) : formatDiagnosis(diagnosis, red.red);
    if (!toldInFull.has(red.implementation) && full.length <= free) {
      lines.push(...full);
      toldInFull.add(red.implementation);
      continue;
    }
    if (free < 1) {
      lines.push(restLine(cases.slice(i)));
      break;
    }
    lines.push(diagnosis === undefined ? caseLine(red) : formatDiagnosisShort(diagnosis));
  }
  return lines.map((line) => `  ${line}`);
}

/** A red case that nobody diagnosed: its worst tensor with both numbers, and the other red ones by name. */
function undiagnosed(redCase: RedCase): string[] {
  const [worst, ...others] = redCase.red as readonly (TensorVerdict | undefined)[];
  if (worst === undefined) return [caseLine(redCase)];
  return [
    caseLine({ ...redCase, red: [worst] }),
    ...tolerance(worst).map((line) => `  ${line}`),
    ...(others.length === 0 ? [] : [`  red too: ${names(redCase.red.slice(1))}`]),
  ];
}

/** A red case in one line: its worst tensor with both numbers, and the names of the others. */
export function caseLine({ implementation, caseId, red, ledger }: RedCase): string {
  const where = `${implementation}, ${caseId}`;
  if (ledger !== undefined) return oneLine(`${where}: ${ledger}`);
  const [first, ...others] = red;
  const { reason, worst } = first;
  const place = worst === undefined ? '' : formatPlace(worst.at);
  const found =
    worst === undefined
      ? ''
      : `${place === '' ? '' : ` at ${place}`}: ${String(worst.given)}, expected ${String(worst.reference)}; error ${short(worst.error)}, allowed ${short(worst.allowed)}`;
  const why = reason === undefined ? '' : worst === undefined ? ` ${reason}` : ` (${reason})`;
  const also = others.length === 0 ? '' : `; red too: ${names(others)}`;
  return oneLine(`${where}: ${labelOf(first)}${found}${why}${also}`);
}

function names(tensors: readonly TensorVerdict[]): string {
  const all = tensors.map(labelOf);
  if (all.length <= mostNames) return all.join(', ');
  return [...all.slice(0, mostNames - 1), `${all.length - mostNames + 1} more`].join(', ');
}

/** `... and 37 more tensors of 12 cases: tfjs:wasm (states 12, logits 12, loss 13)`. */
function restLine(cases: readonly RedCase[]): string {
  const bySide = new Map<string, Map<string, number>>();
  let tensors = 0;
  for (const { implementation, red } of cases) {
    const side = bySide.get(implementation) ?? new Map<string, number>();
    bySide.set(implementation, side);
    for (const { tensor } of red) side.set(tensor, (side.get(tensor) ?? 0) + 1);
    tensors += red.length;
  }
  const sides = [...bySide].map(([side, counts]) => {
    const sorted = [...counts].sort(([, one], [, other]) => other - one);
    const shown = sorted.slice(0, mostNames).map(([tensor, n]) => `${tensor} ${n}`);
    const left = sorted.slice(mostNames).reduce((sum, [, n]) => sum + n, 0);
    return `${side} (${[...shown, ...(left > 0 ? [`others ${left}`] : [])].join(', ')})`;
  });
  return `... and ${count(tensors, 'more tensor')} of ${count(cases.length, 'case')}: ${listed(sides)}`;
}

/** The command line that puts this one case again, to the same side. */
export function commandFor(
  { implementation, caseId }: { readonly implementation: string; readonly caseId: string },
  report: ParityReport,
): string {
  const { seed, vectors, candidate } = report;
  const backend = implementation === 'graph' ? 'graph' : /^tfjs:(.*)/.exec(implementation)?.[1];
  const id = problemIdOf(caseId).replace(/^(trajectory\/[^/]+)\/.*/, '$1');
  return [
    'rnn-parity parity',
    ...(backend === undefined ? [] : [`--backends ${backend}`]),
    ...(candidate === undefined ? [] : [`--candidate ${quoted(candidate)}`]),
    ...(vectors === undefined ? [`--seed ${seed}`] : [`--vectors ${vectors.map(quoted).join(' ')}`]),
    `--only ${quoted(id)}`,
  ].join(' ');
}
