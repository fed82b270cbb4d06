import { isBackendByName } from '../../base/framework-names';
import type { Diagnosis } from '../../diagnosis/index';
import { problemIdOf } from '../../examine/index';
import { count, oneLine, quoted, type Part } from '../../reports/index';
import { ofSide, placeOf, type ParityReport } from '../report';
import { budgetInWords, formatDiagnosis, formatDiagnosisShort, tensorInWords } from './diagnosis';
import { failingProblems, labelOf, type FailingCase } from './failing';
import { patternsOf } from './patterns';

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
  const known = new Set<string>();
  const blocks = sides.map((side) => sideBlock(ofSide(report, side), side, known));
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
      for (const [i, block] of blocks.entries()) {
        const left = blocks.length - i;
        const free = most - lines.length - (left > 1 ? 1 : 0);
        if (free < 1) {
          lines.push(`... and ${count(left, 'more side')} with failing comparisons (--verbose shows them)`);
          break;
        }
        lines.push(...block.slice(0, free));
      }
      return [...lines, ...all, ...last];
    },
  };
}

/**
 * @param report what it says of this side
 * @param known what sides before this one fail by; a side that fails alike is one line
 */
function sideBlock(report: ParityReport, side: string, known: Set<string>): string[] {
  const { cases, diagnoses } = report;
  const problems = failingProblems(cases);
  const failed = cases.filter(({ status }) => status === 'fail').length;
  const head = `${side}: ${failedOf(failed, cases.length)}: ${tensorCounts(problems)}`;
  const diagnosis = firstDiagnosis(report, side);
  if (diagnosis !== undefined) {
    const { phase, tensor, kind } = diagnosis;
    const sign = JSON.stringify([phase, tensor, kind?.names, diagnosis.side === side]);
    if (known.has(sign)) return [`${head}, in the same way`];
    known.add(sign);
  }
  const first =
    problems.find((one) => diagnosis !== undefined && diagnosisFor(one, [diagnosis]) !== undefined) ??
    problems[0];
  const found = diagnosis === undefined ? [caseLine(first, report)] : formatDiagnosis(diagnosis, report);
  const others = diagnoses.filter((one) => isUnlike(one, diagnosis)).slice(0, 2);
  const body = [
    ...found.slice(0, 4),
    ...patternsOf(report, diagnosis?.clue),
    ...found.slice(4),
    ...first.failing.slice(0, 1).flatMap((worst) => budgetInWords(worst) ?? []),
    ...others.map((one) => `also: ${formatDiagnosisShort(one)}`),
  ];
  return [head, ...body.map((line) => `  ${line}`)];
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
export function caseLine(one: FailingCase, report: ParityReport): string {
  const where = placeOf(one);
  const { failing, ledger } = one;
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
