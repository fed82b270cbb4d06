import { writeFileAtomic } from '../formats/index';
import {
  parseSideNames,
  scratchImplementation,
  sideSource,
  SideUnavailableError,
  type SideName,
} from '../implementations/index';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../outcome';
import { isSelected } from '../parity/select';
import type { Implementation } from '../problem';
import { stderrProgress } from '../progress';
import { equivalents, specimens, stepSpecimens } from '../specimens/index';
import type { TrialFlags } from './command';
import { heldOut } from './held-out';
import type { TrialReport } from './report';
import { formatTrial } from './table';
import { runTrial } from './trial';

const usual: readonly SideName[] = ['tensorflow', 'wasm', 'cpu'];

/** What `rnn-parity trial` does once its flags are read. */
export async function runTrialCommand(flags: TrialFlags): Promise<Outcome> {
  const { only, backends } = flags;
  const isWanted = (name: string): boolean => isSelected(name, only);
  const names = [...specimens, ...stepSpecimens(0), ...equivalents, ...heldOut].map(({ name }) => name);
  if (!names.some(isWanted)) {
    throw new UsageError(
      `no fault matches --only ${JSON.stringify(only)}; names look like ${names[0]}, ${names[40] ?? ''} (a part of a name is enough, * and ? are wildcards).`,
    );
  }
  const { hosts, notRun } = await openHosts(
    backends === undefined ? usual : parseSideNames(backends),
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
    return await outcomeOf(report, flags.json);
  } finally {
    for (const host of hosts) host.dispose?.();
  }
}

async function openHosts(
  names: readonly SideName[],
  required: boolean,
): Promise<{ hosts: Implementation[]; notRun: TrialReport['notRun'] }> {
  const hosts: Implementation[] = [];
  const notRun: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      hosts.push((await sideSource(name, required).open()).implementation);
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

async function outcomeOf(report: TrialReport, file: string | true | undefined): Promise<Outcome> {
  const text = formatTrial(report);
  const exitCode = report.exitCode === 0 ? exitCodes.parity : exitCodes.mismatch;
  if (file === undefined) return { exitCode, text };
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (file === true || file === '-') {
    process.stderr.write(`${text}\n`);
    return { exitCode, text: json };
  }
  try {
    await writeFileAtomic(file, json);
  } catch (error) {
    throw new UsageError(`--json ${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  return { exitCode, text };
}
