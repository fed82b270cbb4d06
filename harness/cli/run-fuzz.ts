import { writeFileAtomic } from '../base/files/index';
import { SideUnavailableError, type OpenSide } from '../sides/index';
import { stopOnInterrupt } from '../base/interrupt';
import { BackendNotRunError, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import { stderrProgress } from '../base/progress';
import { readCaseFile, type CaseFile } from '../fuzz/case-file';
import type { FuzzFlags, MergeFlags, ReplayFlags } from './fuzz';
import { mergeSummaries, readSummaries } from '../fuzz/merge';
import { formatReplay, replayCase } from '../fuzz/replay';
import { runFuzz } from '../fuzz/run';
import { sidesFor } from '../fuzz/sides';
import { formatFuzzSummary } from '../fuzz/summary-text';

/** What `rnn-parity fuzz` does once its flags are read. */
export async function fuzzCommand(flags: FuzzFlags): Promise<Outcome> {
  const stop = stopOnInterrupt('finishing the problem under way');
  try {
    const summary = await runFuzz({
      sides: sidesFor({
        ...flags,
        timeoutSeconds: flags.timeout,
        requireNative: !['', '0', 'false', undefined].includes(process.env.NATIVE_REQUIRED),
      }),
      seed: flags.seed,
      plan: flags.cases === undefined ? { seconds: flags.time ?? 60 } : { cases: flags.cases },
      shard: flags.shard,
      out: flags.out,
      shrinkSeconds: flags.shrink,
      signal: stop.signal,
      progress: stderrProgress,
    });
    return await outcome(summary.exitCode, formatFuzzSummary(summary), summary, flags.json);
  } finally {
    stop.dispose();
  }
}

/** What `rnn-parity replay` does once its flags are read. */
export async function replayCommand(file: string, flags: ReplayFlags): Promise<Outcome> {
  const { found, problem } = await readCaseFile(file);
  const sides: OpenSide[] = [];
  try {
    for (const { source } of sidesFor({ ...sideOf(found, file, flags), timeoutSeconds: flags.timeout }))
      sides.push(await source.open());
    const result = await replayCase(found, problem, sides);
    return await outcome(result.exitCode, formatReplay(result, problem), result, flags.json);
  } catch (error) {
    if (error instanceof SideUnavailableError) throw new BackendNotRunError(error.message, { cause: error });
    throw error;
  } finally {
    for (const { implementation } of sides) implementation.dispose?.();
  }
}

/** The side that the case was found on, unless the flags name others. A file never decides which code is run. */
function sideOf(
  { side }: CaseFile,
  file: string,
  flags: ReplayFlags,
): Pick<ReplayFlags, 'backends' | 'candidate'> {
  if (flags.backends !== undefined || flags.candidate !== undefined) return flags;
  if (side.backend !== undefined) return { backends: side.backend };
  throw new UsageError(
    `${file} was found on the candidate ${JSON.stringify(side.name)}${side.candidate === undefined ? '' : ` (${side.candidate})`}; name the module to put it to: --candidate ${side.candidate ?? 'MODULE'}.`,
  );
}

/** What `rnn-parity merge` does once its flags are read. */
export async function mergeCommand(files: readonly string[], flags: MergeFlags): Promise<Outcome> {
  const merged = mergeSummaries(await readSummaries(files), files);
  return outcome(merged.exitCode, formatFuzzSummary(merged), merged, flags.json);
}

async function outcome(
  exitCode: ExitCode,
  text: string,
  value: unknown,
  json: string | true | undefined,
): Promise<Outcome> {
  if (json === undefined) return { exitCode, text };
  const machine = `${JSON.stringify(value, undefined, 1)}\n`;
  if (json === true || json === '-') {
    process.stderr.write(`${text}\n`);
    return { exitCode, text: machine };
  }
  try {
    await writeFileAtomic(json, machine);
  } catch (error) {
    throw new UsageError(`--json ${json} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  return { exitCode, text };
}
