import { judgeClaims } from './claims';
import type { BenchReport, SizeReport } from './schema';
import { describeSize } from '../size';
import {
  claimTable,
  describeCrossovers,
  enduranceTable,
  failureLines,
  spellSize,
  sweepTable,
  taskTable,
  type PlainTable,
} from './tables';
import { taskTitles } from '../task';

/** The report for a terminal. */
export function textReport(report: BenchReport): string {
  const { machine, absent, warnings, sweeps, endurance } = report;
  const swept = new Set(sweeps.flatMap(({ sizes }) => sizes));
  const blocks = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, ${report.started.slice(0, 10)}`,
    ...report.sizes
      .filter(({ size }) => !swept.has(size.name))
      .map((size) => sizeBlock(size, report.baseline)),
    ...sweeps.map((sweep) =>
      [
        `Sweep over ${sweep.letter} from ${describeSize(sweep.base)}, ${taskTitles[sweep.task]}`,
        alignTable(sweepTable(report, sweep)),
        ...describeCrossovers(sweep),
      ].join('\n'),
    ),
    ...(endurance.length === 0 ? [] : [`Endurance\n${alignTable(enduranceTable(endurance))}`]),
    ...claimBlock(report),
    ...(absent.length === 0
      ? []
      : [['Absent', ...absent.map(({ engine, reason }) => `  ${engine}: ${reason}`)].join('\n')]),
    ...(warnings.length === 0 ? [] : [['Warnings', ...warnings.map((line) => `  ${line}`)].join('\n')]),
  ];
  return blocks.join('\n\n');
}

function sizeBlock(report: SizeReport, baseline: string | undefined): string {
  const title = `${report.size.name}: ${spellSize(report)}`;
  const tasks = report.tasks
    .filter(({ results }) => results.length > 0)
    .map(
      (task) => `${taskTitles[task.task]}, ${task.rounds} rounds\n${alignTable(taskTable(task, baseline))}`,
    );
  return [title, ...tasks, ...failureLines(report)].join('\n\n');
}

/** Only promises that this run measured; the rest would be noise. */
function claimBlock(report: BenchReport): string[] {
  const measured = judgeClaims(report).filter(({ verdict }) => verdict !== 'not measured');
  return measured.length === 0 ? [] : [`Promises\n${alignTable(claimTable(measured))}`];
}

/** Columns padded to their widest cell; the first to the left, the others to the left too, as ranges read better so. */
export function alignTable({ head, rows }: PlainTable): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  return [head, ...rows]
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd())
    .join('\n');
}
