import path from 'node:path';
import type { Command } from 'commander';

/** The arguments after a command's name, for reports; of absolute paths, which are nobody's business, only the names are kept. */
export function argumentsOf(command: Command): string[] {
  // commander keeps them on the program, though its typings do not say so
  const { rawArgs = [] } = (command.parent ?? {}) as { readonly rawArgs?: readonly string[] };
  return rawArgs
    .slice(rawArgs.indexOf(command.name()) + 1)
    .map((argument) => (path.isAbsolute(argument) ? path.basename(argument) : argument));
}
