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

/** Every beginning with the first end, then with the second. */
const combined = (beginnings: readonly string[], ends: readonly string[]): string[] =>
  ends.flatMap((end) => beginnings.map((beginning) => `${beginning}${end}`));

/** From the one that says most to the one that is shortest. */
function sentences(report: ParityReport): string[] {
  const { verdict, sides, cases, errors, audit } = report;
  const ran = ranIn(report);
  const notRun = sides.filter((side) => side.status === 'not run').map((side) => side.name);
  const missing =
    notRun.length > 0 ? [`; not run: ${notRun.join(', ')}`, `; ${notRun.length} not run`] : [''];
  switch (verdict) {
    case 'parity': {
      const where = `in ${cases.length === 1 ? '' : 'all '}${count(cases.length, 'comparison')}`;
      const agree = ran.length === 1 ? 'agrees' : 'agree';
      const ill = cases.filter(({ status }) => status === 'ill').length;
      const but = ill === 0 ? '' : `, ${ill} of them ill-conditioned`;
      const beginnings = [ran.join(', '), count(ran.length, 'side')].map(
        (who) => `PARITY: ${who} ${agree} with the reference ${where}${but}`,
      );
      return combined(beginnings, missing);
    }
    case 'mismatch':
      return mismatch(report, missing);
    case 'error': {
      const first = errors.at(0);
      if (first === undefined) return combined([`ERROR: ${audit[0]}`], [missing[0], '']);
      const failed = failingCases(cases).length;
      const others = `${errors.length > 1 ? `; ${count(errors.length, 'error')} in all` : ''}${failed > 0 ? `; ${failedOf(failed, cases.length)}` : ''}`;
      const { implementation, caseId } = first;
      const says = (side: string, id: string, message: string): string =>
        `ERROR: ${side}, ${id}: ${message}${others}`;
      const message = oneLine(first.message);
      const room = verdictWidth - says(implementation, caseId, '').length;
      return [
        ...combined([says(implementation, caseId, message)], [missing[0], '']),
        says(implementation, caseId, clip(message, Math.max(12, room))),
        says(clip(implementation, 24), clip(caseId, 24), clip(message, 24)),
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

function mismatch(report: ParityReport, missing: readonly string[]): string[] {
  const { audit, cases, unshown } = report;
  const problems = failingProblems(cases);
  if (problems.length === 0) {
    const faults = [
      ...(audit.length > 0 ? [`${count(audit.length, 'thing')} not accounted for`] : []),
      ...(unshown.length > 0 ? [`${count(unshown.length, 'tensor')} never shown to be right`] : []),
    ].join(', ');
    return combined([`MISMATCH: ${faults}`], [`: ${audit[0] ?? ''}`, '']);
  }
  const failed = cases.filter(({ status }) => status === 'fail').length;
  const counts = `; ${failedOf(failed, cases.length)}`;
  const diagnosis = problems
    .map(({ implementation }) => firstDiagnosis(report, implementation))
    .find((found) => found !== undefined);
  const all = diagnosis === undefined ? undiagnosed(problems[0], report) : diagnosed(diagnosis);
  const beginnings = all.map((beginning) => `MISMATCH: ${beginning}`);
  const ends = [...missing.map((rest) => `${counts}${rest}`), counts, ''];
  return [...combined(beginnings.slice(0, -1), ends), ...beginnings.slice(-1)];
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
