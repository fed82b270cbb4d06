import type { Diagnosis, Kind, WrongNumber } from '../../diagnosis/index';
import { formatPlace, type TensorVerdict } from '../../judge/index';
import { labelOf } from './red';
import { count, oneLine, percent, short, stepsInWords } from '../../reports/index';

/**
 * What is wrong with one answer, for people: where it begins, both numbers, what it looks like, whose fault it is, what
 * only follows from it, and what could not be seen.
 *
 * @param red the red tensors of the same case, worst first
 */
export function formatDiagnosis(diagnosis: Diagnosis, red: readonly TensorVerdict[] = []): string[] {
  const { formula, worst, kind, inherited, unseen } = diagnosis;
  const lines = [
    `${diagnosis.implementation}, ${diagnosis.caseId}: ${beginning(diagnosis)}`,
    ...(worst === undefined ? [] : [`  ${numbers(worst)}${formula === undefined ? '' : `; ${formula}`}`]),
    ...(worst === undefined && formula !== undefined ? [`  equation: ${formula}`] : []),
    `  looks like: ${kind === undefined ? 'no mistake of the catalogue' : kindInWords(kind)}`,
    `  at fault: ${culprit(diagnosis)}${diagnosis.sideNote === '' ? '' : `; ${diagnosis.sideNote}`}`,
    ...(inherited.length === 0 ? [] : [`  wrong only because of it: ${inherited.join(', ')}`]),
    ...redResults(red),
    ...(unseen.length === 0 ? [] : [`  not seen: ${unseen.join('; ')}`]),
  ];
  return lines;
}

/** The same in one line. */
export function formatDiagnosisShort(diagnosis: Diagnosis): string {
  const { implementation, caseId, kind } = diagnosis;
  const looks = kind === undefined ? '' : `; looks like ${kind.names.join(' or ')}`;
  return oneLine(
    `${implementation}, ${caseId}: ${beginning(diagnosis)}${looks}; at fault: ${culprit(diagnosis)}`,
  );
}

/** `backward begins to go wrong in dPreActivations at time step 3`. */
function beginning({ phase, tensor, timeSteps }: Diagnosis): string {
  const steps = timeSteps === undefined || timeSteps.length === 0 ? '' : ` at ${stepsInWords(timeSteps)}`;
  return `goes wrong in phase ${phase}: ${tensor}${steps}`;
}

function numbers({ at, given, expected, ulps }: WrongNumber): string {
  const place = formatPlace(at);
  const distance = Number.isFinite(ulps)
    ? ulps < 1e9
      ? ulps.toLocaleString('en')
      : short(ulps)
    : String(ulps);
  return `${place === '' ? '' : `at ${place}: `}${String(given)}, expected ${String(expected)} (${distance} ULPs apart)`;
}

export function kindInWords({ names, words, page }: Kind): string {
  return `${words} (${names.join(' or ')}; ${page})`;
}

export function culprit({ side, implementation }: Diagnosis): string {
  if (side === 'both') return `both scratch and ${implementation}`;
  return side === 'undecided' ? 'undecided' : side;
}

/** Every red result with its share of the budget, and the tolerance the worst would have needed. */
function redResults(red: readonly TensorVerdict[]): string[] {
  if (red.length === 0) return [];
  const results = red.map((verdict) => {
    const { status, worst } = verdict;
    const how = status === 'differs' && worst !== undefined ? percent(worst.usedShare) : status;
    return `${labelOf(verdict)} ${how}`;
  });
  const [worst] = red;
  return [
    `  ${count(red.length, 'red result')}, share of the budget used: ${results.join(', ')}`,
    ...tolerance(worst).map((line) => `  ${line}`),
  ];
}

/** The worst tensor's error, the formula of its tolerance in words, and the tolerance that would have been needed. */
export function tolerance({ tensor, worst, needed, tolerance: formula }: TensorVerdict): string[] {
  if (worst === undefined) return [];
  const error = `${tensor}: error ${short(worst.error)}, allowed ${short(worst.allowed)}`;
  return [`${error}${formula === undefined ? '' : ` = ${formula}`}${neededInWords(needed)}`];
}

function neededInWords(needed: TensorVerdict['needed']): string {
  if (needed === undefined) return '';
  return `; it would have needed --atol ${short(needed.absolute)} or --rtol ${short(needed.relative)}`;
}
