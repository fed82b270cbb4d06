import { Command, CommanderError } from 'commander';
import { defineBench } from './bench';
import { defineBrowser } from './browser';
import { defineCheck } from './check';
import { defineConvert } from './convert';
import { defineDoctor } from './doctor';
import { defineEquations } from './equations';
import { defineEvaluate } from './evaluate';
import { defineExport } from './export';
import { defineFuzz } from './fuzz';
import { defineImport } from './import';
import { defineMerge } from './merge';
import { definePredict } from './predict';
import { defineReplay } from './replay';
import { defineSetup } from './setup';
import { BackendNotRunError, exitCodes, UsageError, type Outcome } from '../base/outcome';
import { defineParity } from './parity';
import { defineTrain } from './train';
import { defineTrial } from './trial';
import type { DefineCommand } from './command';
import { exitText } from './options';
import { version } from '../base/version';
import { withoutControls } from '../base/visible-text';
import { processPrinter, StdoutClosedError, type Printer } from './print';

const commands: readonly DefineCommand[] = [
  defineParity,
  defineBrowser,
  defineFuzz,
  defineReplay,
  defineMerge,
  defineTrain,
  definePredict,
  defineEvaluate,
  defineCheck,
  defineConvert,
  defineImport,
  defineExport,
  defineEquations,
  defineSetup,
  defineDoctor,
  defineBench,
  defineTrial,
];

/**
 * Runs one command line and returns its exit code; prints the outcome's text on stdout, errors on stderr. The exit
 * code stays that of the outcome where the reader of stdout has gone (`| head -1`).
 */
export async function main(args: readonly string[], printer: Printer = processPrinter): Promise<number> {
  let outcome: Outcome = { exitCode: exitCodes.parity, text: '' };
  let help = '';
  const program = new Command('rnn-parity')
    .description('Prove that two recurrent networks are the same function, forward and backward.')
    .version(version)
    .showHelpAfterError('(rnn-parity --help lists the commands)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => (help += text), writeErr: (text) => printer.err(text) })
    .addHelpText('after', `\n${exitText}.`);
  for (const define of commands) define(program, (found) => (outcome = found));
  try {
    await program.parseAsync(askedFor(args, program), { from: 'user' });
  } catch (error) {
    outcome = failed(error, printer);
  }
  if (outcome.summary !== undefined) printer.err(withNewline(outcome.summary));
  try {
    await printer.out(help + withNewline(outcome.text));
  } catch (error) {
    if (error instanceof StdoutClosedError) return outcome.exitCode;
    printer.err(`error: the result cannot be written to stdout: ${(error as Error).message}\n`);
    return exitCodes.usage;
  }
  return outcome.exitCode;
}

/** `help foo` as `foo` where there is no such command, so that it is refused by name: commander would print the program's help. */
function askedFor(args: readonly string[], program: Command): readonly string[] {
  const [first, name] = args;
  const isUnknown = args.length > 1 && program.commands.every((command) => command.name() !== name);
  return first === 'help' && isUnknown ? args.slice(1) : args;
}

/** Names in the text may come from files of users. */
const withNewline = (text: string): string =>
  withoutControls(text === '' || text.endsWith('\n') ? text : `${text}\n`);

function failed(error: unknown, printer: Printer): Outcome {
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? exitCodes.parity : exitCodes.usage, text: '' };
  printer.err(withNewline(`error: ${describeError(error)}`));
  return {
    exitCode: error instanceof BackendNotRunError ? exitCodes.backendNotRun : exitCodes.usage,
    text: '',
  };
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack = message } = error;
  if (error instanceof UsageError || error instanceof BackendNotRunError) return message;
  if (/rnn-parity|\*/.test(process.env['DEBUG'] ?? '')) return stack;
  if ('syscall' in error && error.syscall === 'uv_cwd')
    return 'the current directory does not exist any more; change to one that does (cd).';
  // what the system refused (a file, a directory, a process), in its own words: EROFS: read-only file system, mkdir 'runs'
  if ('syscall' in error) return message;
  return `${name}: ${message} (this looks like a bug of rnn-parity; run it again with DEBUG=rnn-parity for the stack trace, and report both)`;
}
