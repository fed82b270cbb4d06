import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseSideNames } from '../sides/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import { stderrProgress } from '../base/progress';
import { auditLedger, type Findings } from '../parity/conclude';
import type { ParityFlags } from './parity';
import { ChartData, pageTitle, parityPage } from '../parity/html/index';
import { formatJunit } from '../parity/junit';
import { checkOutputs, writeOutput, type Output } from './outputs';
import { formatReport, reportFormat, type ParityReport } from '../parity/report';
import { runParity } from '../parity/run';
import { formatSummary } from '../parity/summary';
import { trialSections } from '../trial/html/index';
import { readTrialReport } from '../trial/read-report';

/** What `rnn-parity parity` does once its flags are read. */
export async function runParityCommand(flags: ParityFlags, args: readonly string[] = []): Promise<Outcome> {
  if (flags.checkReport !== undefined) return checkReport(flags.checkReport);
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

/** Holds a report that was written earlier against its own plan. */
async function checkReport(file: string): Promise<Outcome> {
  let report: ParityReport;
  try {
    report = JSON.parse(await readFile(file, 'utf8')) as ParityReport;
  } catch (error) {
    throw new UsageError(`${file} cannot be read as a report: ${(error as Error).message}`, { cause: error });
  }
  if ((report as Partial<ParityReport> | null)?.format !== reportFormat) {
    throw new UsageError(
      `${file} is no report of this version; "${reportFormat}" was expected as its format.`,
    );
  }
  const faults = auditFaults(report, file);
  if (faults.length > 0) {
    const lines = faults.map((fault) => `not accounted for: ${fault}`);
    return { exitCode: exitCodes.mismatch, text: [...lines, `MISMATCH: ${file} is not complete`].join('\n') };
  }
  return {
    exitCode: report.exitCode,
    text: `${file} accounts for everything it planned; its verdict is: ${report.verdict}`,
  };
}

function auditFaults(report: ParityReport, file: string): string[] {
  try {
    return auditLedger(report satisfies Findings);
  } catch (error) {
    throw new UsageError(`${file} lacks parts of a report: ${(error as Error).message}`, { cause: error });
  }
}
