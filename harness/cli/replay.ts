import type { Command } from 'commander';
import type { OpenSide } from '../sides/index';
import type { CaseFile } from '../fuzz/case-file';
import { BackendNotRunError, UsageError, type Outcome } from '../base/outcome';
import { refuseIdle, type DefineCommand } from './command';
import * as options from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

interface Flags {
  readonly backends?: string;
  readonly python?: string;
  readonly candidate?: string;
  readonly timeout: number;
  readonly json?: JsonFlag;
}

/** `rnn-parity replay` */
export const defineReplay: DefineCommand = (program, finish) => {
  const command = program
    .command('replay')
    .description('run a failing case that fuzz saved again, and compare the verdicts')
    .argument('<file>', 'the case file, as fuzz wrote it');
  options
    .addOptions(command, [
      ...options.backendsAndPython('run it on these instead of the side that it was found on'),
      ...options.candidateOptions(),
      options.jsonOption('both verdicts'),
    ])
    .addHelpText(
      'after',
      `
${options.exitText}.
0 means that the failure is gone, 1 that it is still there, as git bisect run expects.

Examples:
  rnn-parity replay fuzz-cases/1-17-tfjs-wasm.json
  rnn-parity replay fuzz-cases/1-17-mine.json --candidate ./my-rnn.ts`,
    )
    .action(async (file: string, flags: Flags, command: Command) => {
      if (flags.candidate === undefined) refuseIdle(command, 'without --candidate', ['timeout']);
      finish(await replay(file, flags, command));
    });
};

async function replay(file: string, flags: Flags, command: Command): Promise<Outcome> {
  const { readCaseFile } = await import('../fuzz/case-file.js');
  const { formatReplay, replayCase } = await import('../fuzz/replay.js');
  const { sidesFor } = await import('../fuzz/sides.js');
  const { SideUnavailableError } = await import('../sides/index.js');
  await checkOutputs(outputOf('--json', flags.json, 'rnn-parity-replay/'), [file]);
  const { found, problem } = await readCaseFile(file);
  const sides: OpenSide[] = [];
  try {
    const sided = sideOf(found, file, flags);
    options.refuseIdlePython(command, '--backends', sided.backends);
    for (const { source } of sidesFor({ ...sided, python: flags.python, timeoutSeconds: flags.timeout }))
      sides.push(await source.open());
    const result = await replayCase(found, problem, sides);
    const text = formatReplay(result, problem);
    return await withJson({ exitCode: result.exitCode, text, json: result, summarizes: true }, flags.json);
  } catch (error) {
    if (error instanceof SideUnavailableError) throw new BackendNotRunError(error.message, { cause: error });
    throw error;
  } finally {
    for (const { implementation } of sides) implementation.dispose?.();
  }
}

/** The side that the case was found on, unless the flags name others. A file never decides which code is run. */
function sideOf({ side }: CaseFile, file: string, flags: Flags): Pick<Flags, 'backends' | 'candidate'> {
  if (flags.backends !== undefined || flags.candidate !== undefined) return flags;
  if (side.backend !== undefined) return { backends: side.backend };
  throw new UsageError(
    `${file} was found on the candidate ${JSON.stringify(side.name)}${side.candidate === undefined ? '' : ` (${side.candidate})`}; name the module to run it on: --candidate ${side.candidate ?? 'MODULE'}.`,
  );
}
