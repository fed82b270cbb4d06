import { isBackendByName } from '../../base/framework-names';
import type { Diagnosis } from '../../diagnosis/index';
import { problemIdOf } from '../../examine/index';
import type { TensorVerdict } from '../../judge/index';
import { count, oneLine, quoted, type Part } from '../../reports/index';
import type { ParityReport } from '../report';
import { budgetInWords, formatDiagnosis, formatDiagnosisShort, tensorInWords } from './diagnosis';
import { failingProblems, labelOf, type FailingCase } from './failing';
import { commonOf, ratioOf } from './patterns';

/** Names of tensors that one line may list. */
const mostNames = 8;
const mostLines = 24;

/** What was found out about a failing case, in whichever view it fails. */
export function diagnosisFor(
  failing: Pick<FailingCase, 'implementation' | 'caseId'>,
  diagnoses: readonly Diagnosis[],
): Diagnosis | undefined {
  return diagnoses.find(
    ({ implementation, caseId }) =>
      implementation === failing.implementation && problemIdOf(caseId) === problemIdOf(failing.caseId),
  );
}

/** The diagnosis that speaks for a side: updates come last, because they are made from gradients. */
export function firstDiagnosis(report: ParityReport, side: string): Diagnosis | undefined {
  const own = report.diagnoses.filter(({ implementation }) => implementation === side);
  return own.find(({ phase }) => phase !== 'update') ?? own.at(0);
}

/**
 * What fails, a block a side: how much, where it begins and both numbers, what it looks like, what the failing problems have in
 * common. A side that fails in the same way as one before it is a line. `verbose` lists every failing problem besides.
 */
export function failurePart(report: ParityReport, { command = true, verbose = false } = {}): Part {
  const problems = failingProblems(report.cases);
  const sides = [...new Set(problems.map(({ implementation }) => implementation))];
  if (sides.length === 0) return { least: 0, lines: () => [] };
  const blocks = sides.map((side) => sideBlock(side, problems, report));
  const known = new Set<string>();
  const short = blocks.map(({ head, like }) => {
    const isAlike = like !== undefined && known.has(like);
    if (like !== undefined) known.add(like);
    return isAlike ? `${head}, in the same way` : undefined;
  });
  const last = command
    ? [`run it again: ${commandFor(firstDiagnosis(report, sides[0]) ?? problems[0], report)}`]
    : [];
  const all = verbose
    ? ['every failing problem, worst first:', ...problems.map((one) => `  ${caseLine(one, report)}`)]
    : [];
  return {
    least: 1 + last.length,
    lines: (room) => {
      const most = (verbose ? room : Math.min(room, mostLines)) - last.length - all.length;
      const lines: string[] = [];
      for (const [i, { head, body }] of blocks.entries()) {
        const own = short[i] === undefined ? [head, ...body.map((line) => `  ${line}`)] : [short[i]];
        const later = blocks.length - i - 1 > 0 ? 1 : 0;
        const free = most - lines.length - later;
        if (free < 1) {
          lines.push(
            `... and ${count(blocks.length - i, 'more side')} with failing comparisons (--verbose shows them)`,
          );
          break;
        }
        lines.push(...own.slice(0, free));
      }
      return [...lines, ...all, ...last];
    },
  };
}

interface SideBlock {
  readonly head: string;
  readonly body: readonly string[];
  /** the same for sides that fail alike */ readonly like: string | undefined;
}

function sideBlock(side: string, problems: readonly FailingCase[], report: ParityReport): SideBlock {
  const own = problems.filter(({ implementation }) => implementation === side);
  const cases = report.cases.filter(({ implementation }) => implementation === side);
  const failed = cases.filter(({ status }) => status === 'fail').length;
  const head = `${side}: ${failedOf(failed, cases.length)}: ${tensorCounts(own)}`;
  const diagnosis = firstDiagnosis(report, side);
  const first =
    own.find((one) => diagnosis !== undefined && diagnosisFor(one, [diagnosis]) !== undefined) ?? own[0];
  const [worst] = first.failing as readonly (TensorVerdict | undefined)[];
  const ratio = ratioOf(report, side);
  const patterns = [commonOf(report, side), ratio, ratio === undefined ? diagnosis?.clue : undefined];
  const found = diagnosis === undefined ? [caseLine(first, report)] : formatDiagnosis(diagnosis, report);
  const likes = [diagnosis, ...report.diagnoses]
    .filter((one) => one !== undefined && one.implementation === side && isUnlike(one, diagnosis))
    .map((one) => `also: ${formatDiagnosisShort(one!)}`);
  const body = [
    ...found.slice(0, 4),
    ...patterns.filter((line) => line !== undefined),
    ...found.slice(4),
    ...[worst === undefined ? undefined : budgetInWords(worst)].filter((line) => line !== undefined),
    ...likes.slice(0, 2),
  ];
  const like =
    diagnosis &&
    JSON.stringify([diagnosis.phase, diagnosis.tensor, diagnosis.kind?.names, diagnosis.side === side]);
  return { head, body, like };
}

/** `12 of 766 comparisons fail`. */
export function failedOf(failed: number, all: number): string {
  return `${failed.toLocaleString('en')} of ${count(all, 'comparison')} ${failed === 1 ? 'fails' : 'fail'}`;
}

/** A second mistake: another tensor, or another fault of the catalogue. */
function isUnlike(one: Diagnosis, first: Diagnosis | undefined): boolean {
  const signs = [one, first].map((found) => [found?.phase, found?.tensor, found?.kind?.names.join()].join());
  return signs[0] !== signs[1];
}

/** `states 14, logits 9, and 3 more tensors`. */
function tensorCounts(problems: readonly FailingCase[]): string {
  const counts = new Map<string, number>();
  for (const { failing } of problems)
    for (const { tensor } of failing) counts.set(tensor, (counts.get(tensor) ?? 0) + 1);
  const sorted = [...counts].sort(([, one], [, other]) => other - one).map(([tensor, n]) => `${tensor} ${n}`);
  if (sorted.length === 0) return 'the ledger does not add up';
  const left = sorted.length - mostNames;
  return left > 0
    ? `${sorted.slice(0, mostNames).join(', ')} and ${count(left, 'more tensor')}`
    : sorted.join(', ');
}

/** A failing case in one line: its worst tensor with both numbers, and the names of the rest. */
export function caseLine(
  { implementation, caseId, failing, ledger }: FailingCase,
  report: ParityReport,
): string {
  const where = `${implementation}, ${caseId}`;
  if (ledger !== undefined) return oneLine(`${where}: ${ledger}`);
  const [first, ...others] = failing;
  const names = others.map(labelOf);
  const left = names.length - mostNames;
  const also = left > 0 ? [...names.slice(0, mostNames), `${left} more`] : names;
  return oneLine(
    `${where}: ${tensorInWords(first, report)}${also.length === 0 ? '' : `; also failing: ${also.join(', ')}`}`,
  );
}

/** The command line that runs this one case again, on the same side. */
export function commandFor(
  { implementation, caseId }: { readonly implementation: string; readonly caseId: string },
  report: ParityReport,
): string {
  const { seed, vectors, candidate, flags = [] } = report;
  const id = problemIdOf(caseId).replace(/^(trajectory\/[^/]+)\/.*/, '$1');
  if (report.browser !== undefined) {
    const which = flags.length > 0 ? flags.map(quoted).join(' ') : `--seed ${seed} --only ${quoted(id)}`;
    return `rnn-parity browser --sides ${implementation.replace('browser:', '')} ${which}`;
  }
  const backend = isBackendByName(implementation) ? implementation : /^tfjs:(.*)/.exec(implementation)?.[1];
  return [
    'rnn-parity parity',
    ...(backend === undefined ? [] : [`--backends ${backend}`]),
    ...(candidate === undefined ? [] : [`--candidate ${quoted(candidate)}`]),
    ...(vectors === undefined ? [`--seed ${seed}`] : [`--vectors ${vectors.map(quoted).join(' ')}`]),
    ...flags.map(quoted),
    `--only ${quoted(id)}`,
  ].join(' ');
}
