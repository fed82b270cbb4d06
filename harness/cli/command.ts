import path from 'node:path';
import type { Command } from 'commander';
import type { Outcome } from '../base/outcome';

/** Adds one command to the program. Heavy rooms are imported inside its action only, so that --help stays fast. */
export type DefineCommand = (program: Command, finish: (outcome: Outcome) => void) => void;

/** The arguments after a command's name, for reports; absolute paths are private, so only their last names are kept. */
export function argumentsOf(command: Command): string[] {
  // commander keeps them on the program, though its typings do not say so
  const { rawArgs = [] } = (command.parent ?? {}) as { readonly rawArgs?: readonly string[] };
  return rawArgs
    .slice(rawArgs.indexOf(command.name()) + 1)
    .map((argument) => (path.isAbsolute(argument) ? path.basename(argument) : argument));
}
