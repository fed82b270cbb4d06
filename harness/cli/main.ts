import { Command, CommanderError } from 'commander';
import { defineBench } from './bench';
import { defineExchange } from './exchange';
import { defineFuzz, defineMerge, defineReplay } from './fuzz';
import { defineDoctor, defineSetup } from './setup';
import { BackendNotRunError, exitCodes, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import { defineParity } from './parity';
import { defineTrain } from './train';
import { defineTrial } from './trial';
import { defineUseModel } from './use-model';
import { defineSweep } from './sweep';
import type { DefineCommand } from './command';
import { version } from '../base/version';

const commands: readonly DefineCommand[] = [
  defineParity,
  defineFuzz,
  defineReplay,
  defineMerge,
  defineTrain,
  defineUseModel,
  defineExchange,
  defineSetup,
  defineDoctor,
  defineBench,
  defineSweep,
  defineTrial,
];

/** Runs one command line and returns its exit code; prints the outcome's text on stdout, errors on stderr. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.parity;
  const program = new Command('rnn-parity')
    .description('Prove that two recurrent networks are the same function, forward and backward.')
    .version(version)
    .showHelpAfterError('(rnn-parity --help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 parity, 1 mismatch, 2 usage or harness error, 3 a required backend did not run.',
    );
  const finish = (outcome: Outcome): void => {
    if (outcome.text !== '')
      process.stdout.write(outcome.text.endsWith('\n') ? outcome.text : `${outcome.text}\n`);
    exitCode = outcome.exitCode;
  };
  for (const define of commands) define(program, finish);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.parity : exitCodes.usage;
  if (error instanceof UsageError) process.stderr.write(`error: ${error.message}\n`);
  else if (error instanceof BackendNotRunError) process.stderr.write(`error: ${error.message}\n`);
  else
    process.stderr.write(
      `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  return error instanceof BackendNotRunError ? exitCodes.backendNotRun : exitCodes.usage;
}
