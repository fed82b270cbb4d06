import { readJsonFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { trialFormat, type TrialReport } from './report';

const lists = ['hosts', 'notRun', 'rows', 'perHost', 'equivalents', 'heldOut', 'misses'] as const;
const shares = ['caught', 'localised', 'updates', 'kind', 'side'] as const;

/**
 * Reads what `rnn-parity trial --json FILE` wrote.
 *
 * @throws UsageError where it cannot be read, is of another format, or lacks a part
 */
export async function readTrialReport(file: string): Promise<TrialReport> {
  const report = await parsed(file);
  const { format }: { readonly format?: unknown } = report;
  if (format !== trialFormat) {
    throw new UsageError(
      `--trial ${file} has the format ${JSON.stringify(format ?? null)}, but ${JSON.stringify(trialFormat)} was expected; make it again with \`rnn-parity trial --json ${file}\`.`,
    );
  }
  const missing = [
    ...lists.filter((name) => !Array.isArray(report[name])),
    ...shares.filter((name) => typeof report.score?.[name] !== 'number').map((name) => `score.${name}`),
  ];
  if (missing.length > 0) {
    throw new UsageError(
      `--trial ${file} lacks ${missing.join(', ')}, which every report of ${trialFormat} has; make it again with \`rnn-parity trial --json ${file}\`.`,
    );
  }
  return report as TrialReport;
}

async function parsed(file: string): Promise<Partial<TrialReport>> {
  const found = await readJsonFile(file, 'a file of `rnn-parity trial --json FILE`');
  return typeof found === 'object' && found !== null ? found : {};
}
