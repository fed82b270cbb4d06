import { formatPlace, type CaseVerdict, type TensorVerdict } from '../../judge/index';
import type { ParityReport, SideReport } from '../report';
import { type Part, count, oneLine, percent, short } from '../../reports/index';
import { isRed, worstFirst } from './red';

/** The lines of a side's table, and which tensors they gather. */
const groups: readonly (readonly [name: string, has: (tensor: string, caseId: string) => boolean])[] = [
  ['training', (_, id) => id.startsWith('step/') || id.startsWith('trajectory/')],
  ['states', (tensor) => tensor === 'states' || tensor === 'finalState'],
  ['output, loss', (tensor) => ['logits', 'probabilities', 'loss'].includes(tensor)],
  ['gradients', (tensor) => tensor.startsWith('gradients.') || tensor === 'dPreActivations'],
  ['other', () => true],
];
const shownOrder = ['states', 'output, loss', 'gradients', 'training', 'other'];

/**
 * A table for each side, a line a group of tensors: worst error against what is allowed. With less room only red sides keep their
 * table; with less still every side is one line; the last resort is to count them.
 */
export function sidePart(report: ParityReport): Part {
  const sides = report.sides.map((side) => describe(side, report));
  if (sides.length === 0) return { least: 0, lines: () => [] };
  const forms = [
    sides.flatMap(({ head, rows }) => [head, ...rows, '']),
    sides.flatMap(({ head, rows }) => [head, ...rows]),
    sides.flatMap(({ head, rows, short: line, red }) => (red ? [head, ...rows] : [line])),
    sides.map((side) => side.short),
  ];
  return {
    least: 1,
    lines: (room) => {
      const form = forms.find((lines) => lines.length <= room);
      if (form !== undefined) return form;
      // Red sides before those that are well: what is counted only should be the dullest.
      const sorted = [...sides].sort((one, other) => Number(other.red) - Number(one.red));
      const left = sorted.slice(room - 1);
      const red = left.filter((side) => side.red).length;
      return [
        ...sorted.slice(0, room - 1).map((side) => side.short),
        `... and ${count(left.length, 'more side')}, ${red === 0 ? 'none' : red} of them red`,
      ];
    },
  };
}

interface DescribedSide {
  readonly head: string;
  readonly rows: readonly string[];
  /** all of it in one line */ readonly short: string;
  readonly red: boolean;
}

function describe(side: SideReport, report: ParityReport): DescribedSide {
  if (side.status === 'not run') {
    const required = side.required ? ' (required)' : '';
    const head = `${side.name}: NOT RUN${required}: ${oneLine(side.reason ?? 'unknown reason')}`;
    return { head, rows: [], short: head, red: side.required };
  }
  const cases = report.cases.filter((verdict) => verdict.implementation === side.name);
  const compared = cases.reduce((sum, verdict) => sum + verdict.ledger.compared, 0);
  const version = side.version === undefined ? '' : ` (${side.version})`;
  const head = `${side.name}${version}: ${count(cases.length, 'case')}, ${compared.toLocaleString('en')} numbers compared`;
  const rows = shownOrder.flatMap((group) => {
    const tensors = tensorsOf(cases, group);
    return tensors.length === 0 ? [] : [groupLine(group, tensors)];
  });
  const tensors = cases.flatMap((verdict) => verdict.tensors);
  const { state, where, extra } = worstOf(tensors);
  return {
    head,
    rows,
    short: `${head}: ${state === '-' ? '' : `${state}, `}${where}${extra}`,
    red: tensors.some(isRed) || report.errors.some(({ implementation }) => implementation === side.name),
  };
}

function tensorsOf(cases: readonly CaseVerdict[], group: string): TensorVerdict[] {
  return cases.flatMap((verdict) =>
    verdict.tensors.filter(
      ({ tensor, caseId }) => groups.find(([, has]) => has(tensor, caseId))?.[0] === group,
    ),
  );
}

function groupLine(group: string, tensors: readonly TensorVerdict[]): string {
  const { state, where, extra } = worstOf(tensors);
  return `  ${group.padEnd(13)}${state.padEnd(7)}${where}${extra}`;
}

function worstOf(tensors: readonly TensorVerdict[]): { state: string; where: string; extra: string } {
  const red = tensors.filter(isRed).length;
  const ill = tensors.filter(({ status }) => status === 'ill').length;
  const omitted = tensors.filter(({ status }) => status === 'omitted').length;
  const judged = tensors.filter(({ status }) => status !== 'ill' && status !== 'omitted');
  const worst = worstFirst(judged).find((verdict) => verdict.worst !== undefined);
  const extra = [
    ...(ill > 0 ? [`${ill} ill-conditioned`] : []),
    ...(omitted > 0 ? [`${omitted} omitted`] : []),
  ];
  return {
    state: red > 0 ? `${red} RED` : judged.length === 0 ? '-' : 'ok',
    where: worst?.worst === undefined ? 'nothing compared' : worstInWords(worst),
    extra: extra.length > 0 ? ` [${extra.join(', ')}]` : '',
  };
}

function worstInWords({ tensor, caseId, worst }: TensorVerdict): string {
  if (worst === undefined) return '';
  const place = formatPlace(worst.at);
  const used = Number.isNaN(worst.usedShare) ? '' : ` (${percent(worst.usedShare)} used)`;
  return `worst error ${short(worst.error)} of ${short(worst.allowed)} allowed${used}: ${tensor}${place === '' ? '' : ` at ${place}`}, ${caseId}`;
}
