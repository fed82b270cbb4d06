import { judgeClaims } from './claims';
import { formatBytes } from './format';
import type { BenchReport, SizeReport } from './schema';
import { describeSize } from '../size';
import {
  claimTable,
  describeCrossovers,
  enduranceTable,
  engineTable,
  failureLines,
  parityTable,
  spellSize,
  sweepTable,
  taskTable,
  type PlainTable,
} from './tables';
import { taskTitles } from '../task';

/** `docs/performance.md`: the report as Markdown, made from the JSON alone. */
export function markdownReport(report: BenchReport, source: string): string {
  const { machine, sweeps, endurance, absent, warnings, baseline } = report;
  const swept = new Set(sweeps.flatMap(({ sizes }) => sizes));
  const sizes = report.sizes.filter(({ size }) => !swept.has(size.name));
  const blocks = [
    '# Performance',
    `<!-- Made by: rnn-parity bench --from ${source} --markdown. Do not edit; measure again. -->`,
    `Measured from ${minute(report.started)} to ${minute(report.finished)} UTC on ${machine.cpu}, ${machine.cores} cores, ` +
      `${formatBytes(machine.memoryBytes)}, ${machine.platform}, Node ${machine.node}. ` +
      `Load average before: ${machine.loadAverage.map((load) => load.toFixed(2)).join(', ')}.`,
    howMeasured,
    fence(['rnn-parity', 'bench', ...report.command].map(quote).join(' ')),
    ...(warnings.length === 0 ? [] : [`**Disturbed:**\n\n${warnings.map((line) => `- ${line}`).join('\n')}`]),
    '## Promises',
    'Ratios of medians of this one run.',
    markdownTable(claimTable(judgeClaims(report))),
    '## Engines',
    markdownTable(engineTable(report)),
    ...absent.map(({ engine, reason }) => `- ${engine} was absent: ${reason}`),
    ...sizes.flatMap((size) => sizeBlocks(size, baseline)),
    ...(sweeps.length === 0 ? [] : ['## Sweeps']),
    ...sweeps.flatMap((sweep) => [
      `### ${sweep.letter}, from ${describeSize(sweep.base)}`,
      `Median ${taskTitles[sweep.task]}.`,
      markdownTable(sweepTable(report, sweep)),
      ...describeCrossovers(sweep).map((line) => `- ${line}`),
    ]),
    ...(endurance.length === 0 ? [] : ['## Endurance', markdownTable(enduranceTable(endurance))]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const howMeasured = `Every engine lives in a process of its own and holds the same weights and data. Before anything is
timed, its scores, its loss and the gradients (read off the timed training step itself, at learning rate 1) must agree
with the scratch network. Then each warms up, and in every round each engine takes one sample, in shuffled order, with a
rest in between; the clock runs inside the engine's process. "faster than" is the ratio of medians, and in brackets the
quartiles of the ratio within each round. Our classifiers take plain arrays through their public methods, checked and
copied on every call; tf.layers, Keras, PyTorch and ONNX Runtime hold the batch of a training step or a forward pass in
their own tensors beforehand. OpenBLAS under NumPy chooses its kernels for this processor (OPENBLAS_CORETYPE and
OPENBLAS_L2_SIZE are unset). An epoch goes through \`fit\` (PyTorch: an index loop), data movement included. "first call" may
compile; "memory" is the resident set of the process after the last round.`;

function sizeBlocks(report: SizeReport, baseline: string | undefined): string[] {
  return [
    `## ${report.size.name}: ${spellSize(report)}`,
    ...report.tasks
      .filter(({ results }) => results.length > 0)
      .flatMap((task) => [
        `### ${capitalize(taskTitles[task.task])}`,
        `${task.rounds} rounds${
          task.othersShare === undefined
            ? ''
            : `; other processes used ${Math.round(100 * task.othersShare)} % of the processors`
        }.`,
        markdownTable(taskTable(task, baseline)),
      ]),
    ...failureLines(report).map((line) => `- ${line}`),
    '### Parity before timing',
    markdownTable(parityTable(report)),
  ];
}

/** A table of GitHub's Markdown. */
export function markdownTable({ head, rows }: PlainTable): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const fence = (text: string): string => `\`\`\`\n${text}\n\`\`\``;
const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ');
const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const quote = (argument: string): string =>
  /^[\w./:=,@-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
