import { expectedNumbers, type Diagnosis } from '../../diagnosis/index';
import { ranIn, type ParityReport } from '../report';
import { failingCases, failingProblems, labelOf, usedInWords, type FailingCase } from './failing';
import { failedOf, firstDiagnosis } from './failures';
import { placeInWords } from './place';
import { clip, count, oneLine, stepsInWords } from '../../reports/index';

/** No line of verdict is longer. */
export const verdictWidth = 120;

/**
 * The whole report in one line of at most 120 characters: how it ended and, for a mismatch, who is wrong, in which case, phase and
 * tensor, from which time step on, and what it looks like.
 */
export function formatVerdict(report: ParityReport): string {
  return shortest(sentences(report).map(oneLine));
}

/** The first that is short enough; the last is cut. */
function shortest(sentences: readonly string[]): string {
  return (
    sentences.find((sentence) => sentence.length <= verdictWidth) ??
    clip(sentences[sentences.length - 1], verdictWidth)
  );
}

/** From the one that says most to the one that is shortest. */
function sentences(report: ParityReport): string[] {
  const { verdict, sides, cases, errors } = report;
  const ran = ranIn(report);
  const notRun = sides.filter((side) => side.status === 'not run').map((side) => side.name);
  const missing = notRun.length > 0 ? `; not run: ${notRun.join(', ')}` : '';
  const missingCount = notRun.length > 0 ? `; ${notRun.length} not run` : '';
  switch (verdict) {
    case 'parity': {
      const where = `in ${cases.length === 1 ? '' : 'all '}${count(cases.length, 'comparison')}`;
      const agree = ran.length === 1 ? 'agrees' : 'agree';
      const ill = cases.filter(({ status }) => status === 'ill').length;
      const but = ill === 0 ? '' : `, ${ill} of them ill-conditioned`;
      return [
        `PARITY: ${ran.join(', ')} ${agree} with the reference ${where}${but}${missing}`,
        `PARITY: ${count(ran.length, 'side')} ${agree} with the reference ${where}${but}${missing}`,
        `PARITY: ${count(ran.length, 'side')} ${agree} with the reference ${where}${but}${missingCount}`,
      ];
    }
    case 'mismatch':
      return mismatch(report, [missing, missingCount]);
    case 'error': {
      const first = errors.at(0);
      if (first === undefined) return [`ERROR: ${report.audit[0]}${missing}`, `ERROR: ${report.audit[0]}`];
      const failed = failingCases(cases).length;
      const others = `${errors.length > 1 ? `; ${count(errors.length, 'error')} in all` : ''}${failed > 0 ? `; ${failedOf(failed, cases.length)}` : ''}`;
      const message = oneLine(first.message);
      const room = verdictWidth - `ERROR: ${first.implementation}, ${first.caseId}: ${others}`.length;
      return [
        `ERROR: ${first.implementation}, ${first.caseId}: ${message}${others}${missing}`,
        `ERROR: ${first.implementation}, ${first.caseId}: ${message}${others}`,
        `ERROR: ${first.implementation}, ${first.caseId}: ${clip(message, Math.max(12, room))}${others}`,
        `ERROR: ${clip(first.implementation, 24)}, ${clip(first.caseId, 24)}: ${clip(message, 24)}${others}`,
      ];
    }
    case 'backend not run': {
      const required = sides.filter((side) => side.required && side.status === 'not run');
      const names = required.map(({ name }) => name).join(', ');
      const rest = ran.length === 0 ? 'nothing was compared' : 'what did run agrees';
      return [
        `NOT RUN: required, but not available: ${names}; ${rest}`,
        `NOT RUN: ${count(required.length, 'required side')} not available; ${rest}`,
      ];
    }
  }
}

function mismatch(report: ParityReport, [missing, missingCount]: readonly [string, string]): string[] {
  const problems = failingProblems(report.cases);
  const failed = report.cases.filter(({ status }) => status === 'fail').length;
  if (problems.length === 0) {
    const faults = [
      ...(report.audit.length > 0 ? [`${count(report.audit.length, 'thing')} not accounted for`] : []),
      ...(report.unshown.length > 0
        ? [`${count(report.unshown.length, 'tensor')} never shown to be right`]
        : []),
    ].join(', ');
    return [`MISMATCH: ${faults}: ${report.audit[0] ?? ''}`, `MISMATCH: ${faults}`];
  }
  const counts = failedOf(failed, report.cases.length);
  const diagnosis = problems
    .map(({ implementation }) => firstDiagnosis(report, implementation))
    .find((found) => found !== undefined);
  const beginnings = diagnosis === undefined ? undiagnosed(problems[0], report) : diagnosed(diagnosis);
  const longer = beginnings.slice(0, -1);
  const tails = [`; ${counts}${missing}`, `; ${counts}${missingCount}`, `; ${counts}`, ''];
  return [
    // where it begins is worth more than how often it fails
    ...[longer.slice(0, 4), longer.slice(4)].flatMap((some) =>
      tails.flatMap((tail) => some.map((beginning) => `MISMATCH: ${beginning}${tail}`)),
    ),
    `MISMATCH: ${beginnings[beginnings.length - 1]}`,
  ];
}

/** From the longest to the shortest; the last fits always. What the mistake is called is said before where it begins. */
function diagnosed(diagnosis: Diagnosis): string[] {
  const { implementation, caseId, phase, tensor, timeSteps = [], kind } = diagnosis;
  const all = timeSteps.length === 0 ? '' : ` at ${stepsInWords(timeSteps)}`;
  const first = timeSteps.length > 1 ? ` from time step ${timeSteps[0]}` : all;
  const begins = (name: string, id: string, steps: string): string =>
    `${culprits(diagnosis, name)} in ${id}, ${phase}, ${tensor}${steps}`;
  const shortest = begins(clip(implementation, 20), clip(caseId, 20), first);
  if (kind === undefined)
    return [
      begins(implementation, caseId, all),
      begins(implementation, caseId, first),
      begins(clip(implementation, 24), clip(caseId, 20), first),
      shortest,
    ];
  const name = nameInWords(kind);
  const culprit = culprits(diagnosis, clip(implementation, 20));
  const [layer] = tensor.split(', ');
  return [
    `${begins(implementation, caseId, all)}: ${kind.words}`,
    `${begins(implementation, caseId, all)}: ${name}`,
    `${begins(implementation, caseId, first)}: ${name}`,
    `${begins(clip(implementation, 20), clip(caseId, 20), first)}: ${name}`,
    `${culprit}, ${phase}, ${tensor}${first}: ${name}`,
    `${culprit}, ${layer}: ${name}`,
    clip(`${culprit}, ${layer}: ${name}`, verdictWidth - 'MISMATCH: '.length),
  ];
}

/** `carry/dropped`; a mistake of formulas without its layer, which the tensor says; how many more nothing tells apart. */
function nameInWords({ names: [first, ...more] }: NonNullable<Diagnosis['kind']>): string {
  return `${first.replace(/^\w+, /, '')}${more.length === 0 ? '' : ` (or ${more.length} more)`}`;
}

function culprits({ side, implementation }: Diagnosis, name: string): string {
  if (side === 'both') return `scratch and ${name} are wrong`;
  if (side === 'undecided') return `${name} differs`;
  if (side === expectedNumbers) return `the expected numbers are wrong against ${name}`;
  return side === implementation ? `${name} is wrong` : `${side} is wrong against ${name}`;
}

function undiagnosed(
  { implementation, caseId, failing, ledger }: FailingCase,
  report: ParityReport,
): string[] {
  if (ledger !== undefined) {
    return [
      `${implementation}, ${caseId}: ${ledger}`,
      `${clip(implementation, 20)}, ${clip(caseId, 20)}: ${clip(ledger, 60)}`,
    ];
  }
  const [first] = failing;
  const { status, worst } = first;
  const tensor = labelOf(first);
  const place = worst === undefined ? '' : placeInWords(first, worst.at, report);
  const isShare = status === 'differs' && worst !== undefined && worst.usedShare > 1;
  const how = isShare ? `${usedInWords(first)} its budget` : `is ${usedInWords(first)}`;
  // what cannot be read, or was changed: its reason says what to do, and no number is worst
  if (worst === undefined && first.reason !== undefined)
    return [
      clip(
        `${implementation} differs in ${caseId}, ${tensor} ${first.reason}`,
        verdictWidth - 'MISMATCH: '.length,
      ),
    ];
  return [
    `${implementation} differs in ${caseId}, ${tensor} ${how}${place === '' ? '' : ` at ${place}`}`,
    `${implementation} differs in ${caseId}, ${tensor} ${how}`,
    `${clip(implementation, 24)} differs in ${clip(caseId, 24)}, ${clip(tensor, 30)} ${how}`,
  ];
}
