import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseSideNames } from '../sides/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import { stderrProgress } from '../base/progress';
import type { ParityFlags } from './parity';
import { ChartData, pageTitle, parityPage } from '../parity/html/index';
import { formatJunit } from '../parity/junit';
import { checkOutputs, writeOutput, type Output } from './outputs';
import { checkReport, formatReport } from '../parity/report-file';
import { runParity } from '../parity/run';
import { formatSummary } from '../parity/summary';
import { trialSections } from '../trial/html/index';
import { readTrialReport } from '../trial/read-report';

/** What `rnn-parity parity` does once its flags are read. */
export async function runParityCommand(flags: ParityFlags, args: readonly string[] = []): Promise<Outcome> {
  if (flags.checkReport !== undefined) return auditFile(flags.checkReport);
  const { json, junit, html } = outputsOf(flags);
  await checkOutputs([json, junit, html].filter((output) => output !== undefined));
  if (flags.trial !== undefined && html === undefined)
    throw new UsageError('--trial is shown on the page of --html; give --html FILE as well.');
  const trial = flags.trial === undefined ? undefined : await readTrialReport(flags.trial);
  const tolerance = { absolute: flags.atol, relative: flags.rtol };
  const charts = html === undefined ? undefined : new ChartData(tolerance);
  const report = await runParity({
    backends: flags.backends === undefined ? undefined : parseSideNames(flags.backends),
    requireNative: !['', '0', 'false', undefined].includes(process.env.NATIVE_REQUIRED),
    only: flags.only,
    seed: flags.seed,
    cases: flags.cases,
    vectors: flags.vectors,
    candidate: flags.candidate,
    timeoutSeconds: flags.timeout,
    tolerance,
    observer: charts,
    progress: stderrProgress,
    processes: availableParallelism() > 1 ? 2 : 1,
  });
  const text = formatSummary(report);
  const { exitCode } = report;
  if (json !== undefined) await writeOutput(json, formatReport(report));
  if (junit !== undefined) await writeOutput(junit, formatJunit(report));
  if (html !== undefined && charts !== undefined) {
    await writeOutput(
      html,
      await parityPage({
        report,
        charts: charts.sides,
        settings: args,
        sections: trial === undefined ? [] : trialSections(trial),
      }),
    );
  }
  if (flags.json !== true && flags.json !== '-') return { exitCode, text };
  process.stderr.write(`${text}\n`);
  return { exitCode, text: formatReport(report) };
}

type Outputs = Readonly<Partial<Record<'json' | 'junit' | 'html', Output>>>;

function outputsOf({ json, junit, html }: ParityFlags): Outputs {
  return {
    ...(typeof json === 'string' &&
      json !== '-' && { json: { flag: '--json', file: json, mark: 'rnn-parity-report/' } }),
    ...(junit !== undefined && {
      junit: { flag: '--junit', file: junit, mark: '<testsuites name="rnn-parity"' },
    }),
    ...(html !== undefined && { html: { flag: '--html', file: html, mark: `<title>${pageTitle}</title>` } }),
  };
}

/** Derives the verdict of a report that was written earlier again, from its own numbers. */
async function auditFile(file: string): Promise<Outcome> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `${file} cannot be read: ${(error as Error).message}; give a file that --json wrote.`,
      {
        cause: error,
      },
    );
  }
  const { report, faults } = await checkReport(text, file);
  if (faults.length > 0) {
    const shown = faults.slice(0, 20);
    const more = faults.length > shown.length ? [`... and ${faults.length - shown.length} more`] : [];
    const verdict = `MISMATCH: ${file} does not follow from its own numbers (${faults.length} contradictions)`;
    return { exitCode: exitCodes.mismatch, text: [...shown, ...more, verdict].join('\n') };
  }
  return {
    exitCode: report.exitCode,
    text: `${file} accounts for everything it planned, and its verdict follows from its numbers: ${report.verdict}`,
  };
}
