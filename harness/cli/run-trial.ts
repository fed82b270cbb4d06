import {
  parseSideNames,
  scratchImplementation,
  sideNames,
  sideSource,
  SideUnavailableError,
  type OpenSide,
  type SideName,
} from '../sides/index';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../base/outcome';
import { checkOutputs, writeOutput, type Output } from './outputs';
import { isSelected } from '../parity/select';
import { stderrProgress } from '../base/progress';
import type { TrialFlags } from './trial';
import { trialPage, trialTitle } from '../trial/html/index';
import type { TrialReport } from '../trial/report';
import { formatTrial } from '../trial/table';
import { everyName, runTrial } from '../trial/trial';
import type { Host } from '../trial/update-trial';

/** What `rnn-parity trial` does once its flags are read. */
export async function runTrialCommand(flags: TrialFlags, args: readonly string[] = []): Promise<Outcome> {
  const { only, backends } = flags;
  const isWanted = (name: string): boolean => isSelected(name, only);
  if (!everyName.some(isWanted)) {
    throw new UsageError(
      `no fault matches --only ${JSON.stringify(only)}; names look like ${everyName[0]}, ${everyName[40]} (a part of a name is enough, * and ? are wildcards).`,
    );
  }
  const outputs = outputsOf(flags);
  await checkOutputs([outputs.json, outputs.html].filter((output) => output !== undefined));
  const { hosts, notRun } = await openHosts(
    backends === undefined ? sideNames : parseSideNames(backends),
    backends !== undefined,
  );
  try {
    const report = await runTrial({
      hosts,
      notRun,
      float64: { ...scratchImplementation(), name: 'float64 side' },
      isWanted,
      seed: flags.seed,
      shapes: flags.shapes,
      seeds: flags.seeds,
      break: flags.break,
      progress: stderrProgress,
    });
    return await outcomeOf(report, flags, outputs, args);
  } finally {
    for (const { implementation } of hosts) implementation.dispose?.();
  }
}

async function openHosts(
  names: readonly SideName[],
  required: boolean,
): Promise<{ hosts: Host[]; notRun: TrialReport['notRun'] }> {
  const hosts: Host[] = [];
  const notRun: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      hosts.push(trainable(await sideSource(name, required).open()));
    } catch (error) {
      if (!(error instanceof SideUnavailableError)) throw error;
      if (required) throw new BackendNotRunError(`--backends ${name}: ${error.message}`, { cause: error });
      notRun.push({ name, reason: error.message });
    }
  }
  if (hosts.length === 0)
    throw new BackendNotRunError('no backend could be opened, so that there is nothing to plant a fault in.');
  return { hosts, notRun };
}

function trainable(side: OpenSide): Host {
  const { createClassifier } = side;
  if (createClassifier === undefined)
    throw new Error(`${side.implementation.name} has no optimizer to plant in`);
  return { ...side, createClassifier };
}

type Outputs = Readonly<Partial<Record<'json' | 'html', Output>>>;

function outputsOf({ json, html }: TrialFlags): Outputs {
  return {
    ...(typeof json === 'string' &&
      json !== '-' && { json: { flag: '--json', file: json, mark: 'rnn-parity-trial/' } }),
    ...(html !== undefined && { html: { flag: '--html', file: html, mark: `<title>${trialTitle}</title>` } }),
  };
}

async function outcomeOf(
  report: TrialReport,
  flags: TrialFlags,
  { json, html }: Outputs,
  args: readonly string[],
): Promise<Outcome> {
  const text = formatTrial(report);
  const exitCode = report.exitCode === 0 ? exitCodes.parity : exitCodes.mismatch;
  const asJson = `${JSON.stringify(report, null, 2)}\n`;
  if (json !== undefined) await writeOutput(json, asJson);
  if (html !== undefined) await writeOutput(html, trialPage(report, args));
  if (flags.json !== true && flags.json !== '-') return { exitCode, text };
  process.stderr.write(`${text}\n`);
  return { exitCode, text: asJson };
}
