import { isFailing, type TensorVerdict } from '../../judge/index';
import {
  clip,
  count,
  oneLine,
  short,
  table,
  tableLines,
  type Cell,
  type Part,
  type Table,
} from '../../reports/index';
import { ofSide, type ParityReport, type SideReport } from '../report';
import { usedInWords, worstFirst } from './failing';
import { placeInWords } from './place';

/** The columns of the table, and which tensors they gather; the first that has a tensor takes it. */
const groups: readonly (readonly [name: string, has: (tensor: string, caseId: string) => boolean])[] = [
  ['training', (_, id) => id.startsWith('step/') || id.startsWith('trajectory/')],
  ['output', (tensor) => ['outputs', 'logits', 'probabilities', 'loss'].includes(tensor)],
  ['gradients', (tensor) => /^(?:\w+\.d\w|gradients\.|dPreActivations$)/u.test(tensor)],
  ['states', () => true],
];
const columns = ['states', 'output', 'gradients', 'training'] as const;
const widestName = 24;

/** A row a side: cases, numbers, and the largest share of its budget that any tensor of a group used. */
export function sideTable({ sides, cases }: Pick<ParityReport, 'sides' | 'cases'>): Table {
  const rows = sides.map(({ name, status }): Cell[] => {
    if (status === 'not run') return [clip(oneLine(name), widestName), 'not run', '', '', '', '', '', ''];
    const own = cases.filter(({ implementation }) => implementation === name);
    const tensors = own.flatMap((verdict) => verdict.tensors);
    const failing = own.filter((verdict) => verdict.status === 'fail').length;
    const compared = own.reduce((sum, { ledger }) => sum + ledger.compared, 0);
    return [
      clip(oneLine(name), widestName),
      own.length.toLocaleString('en'),
      failing > 0 ? { text: failing.toLocaleString('en'), tone: 'bad' } : '0',
      compared.toLocaleString('en'),
      ...columns.map((column) => shareCell(tensors.filter((tensor) => groupOf(tensor) === column))),
    ];
  });
  return table(rows, { head: ['side', 'cases', 'failing', 'numbers', ...columns] });
}

function groupOf({ tensor, caseId }: TensorVerdict): string | undefined {
  return groups.find(([, has]) => has(tensor, caseId))?.[0];
}

/** What was settled step by step, beyond its budget, used no share of it. */
function measured(tensors: readonly TensorVerdict[]): TensorVerdict[] {
  return worstFirst(tensors).filter(
    (tensor) =>
      isFailing(tensor) || (['pass', 'zero'].includes(tensor.status) && (tensor.worst?.usedShare ?? 2) <= 1),
  );
}

function shareCell(tensors: readonly TensorVerdict[]): Cell {
  const worst = measured(tensors).at(0);
  if (worst === undefined) return tensors.some(({ status }) => status === 'ill') ? 'ill' : '-';
  return {
    text: usedInWords(worst).replace('more than ', '>'),
    ...(isFailing(worst) && { tone: 'bad' as const }),
  };
}

/**
 * The table, below it the sides that did not run and, where nothing fails, the worst place of all. With less room the rows of sides
 * that pass are counted first.
 */
export function sidePart(report: ParityReport): Part {
  const failing = new Set([
    ...report.cases.filter(({ status }) => status === 'fail').map(({ implementation }) => implementation),
    ...report.errors.map(({ implementation }) => implementation),
  ]);
  const isUrgent = ({ name, status, required }: SideReport): boolean =>
    failing.has(name) || (status === 'not run' && required);
  const draw = (sides: readonly SideReport[]): string[] => [
    ...tableLines(sideTable({ ...report, sides })),
    ...sides.filter(({ status }) => status === 'not run').map(notRunLine),
  ];
  const worst = failing.size > 0 ? [] : worstLine(report);
  return {
    least: report.sides.length === 0 ? 0 : 3,
    lines: (room) => {
      const whole = [...draw(report.sides), ...worst];
      if (whole.length < room) return [...whole, ''];
      if (whole.length === room) return whole;
      const sorted = [...report.sides].sort((one, other) => Number(isUrgent(other)) - Number(isUrgent(one)));
      let shown = sorted.length - 1;
      while (shown > 0 && draw(sorted.slice(0, shown)).length + 1 > room) shown--;
      const left = sorted.slice(shown);
      const urgent = left.filter(isUrgent).length;
      return [
        ...draw(sorted.slice(0, shown)),
        `  ... and ${count(left.length, 'more side')}, ${urgent} of them failing`,
      ];
    },
  };
}

export function notRunLine({ name, required, reason }: SideReport): string {
  return `  ${name}: NOT RUN${required ? ' (required)' : ''}: ${oneLine(reason ?? 'unknown reason')}`;
}

function worstLine(report: ParityReport): string[] {
  const worst = measured(report.cases.flatMap(({ tensors }) => tensors)).at(0);
  return worst?.worst === undefined || worst.worst.usedShare === 0
    ? []
    : ['', ...worstInWords(worst, report).map((line) => `  ${line}`)];
}

/** Whose and which, then where and by how much. */
function worstInWords(tensor: TensorVerdict, report: ParityReport): string[] {
  const { implementation, caseId, worst, tensor: name } = tensor;
  const used = `largest share: ${usedInWords(tensor)} in ${name} of ${implementation}, ${caseId}`;
  if (worst === undefined) return [used];
  const place = placeInWords(tensor, worst.at, report);
  return [
    used,
    `${place === '' ? '' : `at ${place}: `}error ${short(worst.error)}, allowed ${short(worst.allowed)}`,
  ];
}

const rareWords = { ill: 'ill-conditioned', zero: 'vanished', omitted: 'omitted' };

/** For `--verbose`: the version of every side, and the worst place of every column. */
export function sideDetails(report: ParityReport): string[] {
  return report.sides
    .filter(({ status }) => status === 'ran')
    .flatMap(({ name, version }) => {
      const tensors = ofSide(report, name).cases.flatMap((verdict) => verdict.tensors);
      const counts = Object.entries(rareWords).flatMap(([status, words]) => {
        const number = tensors.filter((tensor) => tensor.status === status).length;
        return number > 0 ? [`${number.toLocaleString('en')} ${words}`] : [];
      });
      const settled = tensors.filter(
        ({ status, worst }) => status === 'pass' && (worst?.usedShare ?? 0) > 1,
      ).length;
      const rest = [...counts, ...(settled > 0 ? [`${settled} settled step by step`] : [])];
      return [
        `${name}${version === undefined ? '' : ` (${version})`}: ${count(tensors.length, 'tensor')}${rest.length > 0 ? `, ${rest.join(', ')}` : ''}`,
        ...columns.flatMap((column) => {
          const worst = measured(tensors.filter((tensor) => groupOf(tensor) === column)).at(0);
          return worst === undefined ? [] : [`  ${column}: ${worstInWords(worst, report).join(' ')}`];
        }),
      ];
    });
}
