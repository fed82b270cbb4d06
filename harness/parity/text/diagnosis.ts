import { expectedNumbers, type Diagnosis, type FaultClass, type WrongNumber } from '../../diagnosis/index';
import type { TensorVerdict } from '../../judge/index';
import { capped, oneLine, short, stepsInWords } from '../../reports/index';
import type { ParityReport } from '../report';
import { labelOf, usedInWords } from './failing';
import { placeInWords } from './place';

const phases: Readonly<Record<Diagnosis['phase'], string>> = {
  forward: 'the forward pass',
  loss: 'output and loss',
  backward: 'the backward pass',
  update: 'the update of the weights',
};

/**
 * What is wrong with one answer, for people: where it begins, both numbers, what it looks like, which side is at fault, what is
 * wrong only because of it, and what could not be seen.
 */
export function formatDiagnosis(diagnosis: Diagnosis, report: ParityReport): string[] {
  const { formula, worst, kind, inherited, unseen, sideNote } = diagnosis;
  const found = [
    ...(worst === undefined ? [] : [numbersInWords(diagnosis, worst, report)]),
    ...(formula === undefined ? [] : [formula]),
  ];
  return [
    `begins in ${beginning(diagnosis)}, case ${diagnosis.caseId}`,
    ...(found.length === 0 ? [] : [`numbers: ${found.join('; ')}`]),
    `looks like: ${kind === undefined ? 'no fault of the catalogue' : faultClassInWords(kind)}`,
    `at fault: ${culprit(diagnosis)}${sideNote === '' ? '' : `; ${sideNote}`}`,
    ...(inherited.length === 0 ? [] : [`wrong only because of it: ${inherited.join(', ')}`]),
    ...(unseen.length === 0 ? [] : [`not seen: ${unseen.join('; ')}`]),
  ];
}

/** The same in one line. */
export function formatDiagnosisShort(diagnosis: Diagnosis): string {
  const { implementation, caseId, kind } = diagnosis;
  const looks = kind === undefined ? '' : `; looks like ${kind.names.join(' or ')}`;
  return oneLine(
    `${implementation}, ${caseId}: begins in ${beginning(diagnosis)}${looks}; at fault: ${culprit(diagnosis)}`,
  );
}

/** `the backward pass: dPreActivations at time step 3`. */
function beginning({ phase, tensor, timeSteps }: Diagnosis): string {
  const steps = timeSteps === undefined || timeSteps.length === 0 ? '' : ` at ${stepsInWords(timeSteps)}`;
  return `${phases[phase]}: ${tensor}${steps}`;
}

function numbersInWords(
  diagnosis: Diagnosis,
  { at, given, expected, ulps }: WrongNumber,
  report: ParityReport,
): string {
  const place = placeInWords(diagnosis, at, report);
  const distance = Number.isFinite(ulps) ? ` (${capped(ulps)} ULPs apart)` : '';
  return `${String(given)}, expected ${String(expected)}${place === '' ? '' : ` at ${place}`}${distance}`;
}

function faultClassInWords({ names, words, page }: FaultClass): string {
  const unsaid = names.filter((name) => !isSaid(name, names, words));
  return `${words} (${unsaid.length === 0 ? '' : `${unsaid.join(' or ')}; `}${page})`;
}

/** A fault that formulas generate is named by its own sentence, after its layer; the layer is said only where it tells two names apart. */
function isSaid(name: string, names: readonly string[], words: string): boolean {
  const inLayer = (one: string): string => one.replace(/^\w+, /, '');
  const sentence = inLayer(name);
  return words.includes(sentence) && names.filter((one) => inLayer(one) === sentence).length === 1;
}

export function culprit({ side, implementation }: Diagnosis): string {
  if (side === 'both') return `both scratch and ${implementation}`;
  return side === expectedNumbers ? 'the expected numbers' : side;
}

/** The worst failing tensor with both numbers: what there is where nothing was diagnosed. */
export function tensorInWords(tensor: TensorVerdict, report: ParityReport): string {
  const { worst, reason, status } = tensor;
  if (worst === undefined) return `${labelOf(tensor)} ${reason ?? usedInWords(tensor)}`;
  const place = placeInWords(tensor, worst.at, report);
  const why = status === 'differs' && worst.usedShare > 1 ? '' : ` (${reason ?? usedInWords(tensor)})`;
  return `${labelOf(tensor)}${place === '' ? '' : ` at ${place}`}: ${String(worst.given)}, expected ${String(worst.reference)}${why}`;
}

/** How far beyond its budget the worst tensor is, where the budget comes from, and the tolerance that would have been needed. */
export function budgetInWords(tensor: TensorVerdict): string | undefined {
  const { worst, needed, tolerance } = tensor;
  if (worst === undefined || !Number.isFinite(worst.error)) return undefined;
  const budget = `${short(worst.allowed)}${tolerance === undefined ? '' : ` = ${tolerance}`}`;
  const wanted =
    needed === undefined
      ? ''
      : `; it would have needed --atol ${short(needed.absolute)} or --rtol ${short(needed.relative)}`;
  return `${labelOf(tensor)} used ${usedInWords(tensor)} its budget: error ${short(worst.error)}, allowed ${budget}${wanted}`;
}
