import { Argument } from 'commander';
import type { OpenSide } from '../sides/index';
import type { CaseFile } from '../fuzz/case-file';
import { BackendNotRunError, UsageError } from '../base/outcome';
import { defineCommand } from './command';
import * as options from './options';
import { openOutputs } from './outputs';

export const defineReplay = defineCommand({
  name: 'replay',
  description: 'run a failing case that fuzz saved again, and compare the verdicts',
  argument: new Argument('<file>', 'the case file, as fuzz wrote it'),
  flags: {
    ...options.backendsFlags('run it on these instead of the side that it was found on'),
    ...options.candidateFlags,
    json: options.jsonFlag('both verdicts'),
  },
  help: `${options.exitText}.
0 means that the failure is gone, 1 that it is still there, as git bisect run expects.

Examples:
  rnn-parity replay fuzz-cases/1-17-tfjs-wasm.json
  rnn-parity replay fuzz-cases/1-17-mine.json --candidate ./my-rnn.ts`,
  async run(flags, command) {
    if (flags.candidate === undefined) command.refuseIdle('without --candidate', 'timeout');
    const [file] = command.values;
    const { readCaseFile } = await import('../fuzz/case-file.js');
    const { formatReplay, replayCase } = await import('../fuzz/replay.js');
    const { sidesFor } = await import('../fuzz/sides.js');
    const { SideUnavailableError } = await import('../sides/index.js');
    const outputs = await openOutputs(flags, { json: 'rnn-parity-replay/' }, [file]);
    const { found, problem } = await readCaseFile(file);
    const sides: OpenSide[] = [];
    try {
      const sided = sideOf(found, file, flags);
      options.refuseIdlePython(command, '--backends', sided.backends, 'python');
      for (const { source } of sidesFor({ ...sided, python: flags.python, timeoutSeconds: flags.timeout }))
        sides.push(await source.open());
      const result = await replayCase(found, problem, sides);
      const text = formatReplay(result, problem);
      return await outputs.outcome({ exitCode: result.exitCode, text, json: result, summarizes: true });
    } catch (error) {
      if (error instanceof SideUnavailableError)
        throw new BackendNotRunError(error.message, { cause: error });
      throw error;
    } finally {
      for (const { implementation } of sides) implementation.dispose?.();
    }
  },
});

interface ChosenSide {
  readonly backends?: string | undefined;
  readonly candidate?: string | undefined;
}

/** The side that the case was found on, unless the flags name others. A file never decides which code is run. */
function sideOf({ side }: CaseFile, file: string, { backends, candidate }: ChosenSide): ChosenSide {
  if (backends !== undefined || candidate !== undefined) return { backends, candidate };
  if (side.backend !== undefined) return { backends: side.backend };
  throw new UsageError(
    `${file} was found on the candidate ${JSON.stringify(side.name)}${side.candidate === undefined ? '' : ` (${side.candidate})`}; name the module to run it on: --candidate ${side.candidate ?? 'MODULE'}.`,
  );
}
