import path from 'node:path';
import type { Command } from 'commander';
import { UsageError, type Outcome } from '../base/outcome';

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

/**
 * Refuses options that were given although they change nothing: who gives one acts on the belief that it did.
 *
 * @param because what makes them idle, as the end of a sentence: `with --vectors`, `without --candidate`
 * @param names as the flags' keys: `checkReport` is `--check-report`
 */
export function refuseIdle(command: Command, because: string, names: readonly string[]): void {
  const idle = command.options.filter(
    (option) =>
      names.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (idle.length === 0) return;
  const [first] = idle;
  throw new UsageError(
    `${idle.map(({ long }) => long).join(' and ')} ${idle.length === 1 ? 'changes' : 'change'} nothing ${because}; leave ${first === idle.at(-1) ? 'it' : 'them'} out.`,
  );
}

/**
 * Makes a command refuse an option that is given twice, or together with its opposite (`--standardize --no-standardize`): commander takes
 * the last one and says nothing. Options that collect, whose preset is a list, may be given again. An empty value (`--out "$OUT"` where
 * there is no OUT) is refused as well, and so is an empty argument.
 */
export function checkGiven(command: Command): void {
  command.hook('preAction', () => {
    const empty = command.args.indexOf('');
    if (empty < 0) return;
    const { registeredArguments: all } = command;
    throw new UsageError(`${(all[empty] ?? all.at(-1)).name()} is empty; give a value, or leave it out.`);
  });
  const given = new Map<string, string>();
  for (const option of command.options) {
    const [key, flag] = [option.attributeName(), option.long ?? option.flags];
    command.on(`option:${option.name()}`, (value: unknown) => {
      if (value === '') throw new UsageError(`${flag} is empty; give a value, or leave it out.`);
      if (option.variadic || Array.isArray(option.defaultValue)) return;
      const before = given.get(key);
      if (before === flag) throw new UsageError(`${flag} is given twice; keep one of them.`);
      if (before !== undefined)
        throw new UsageError(`${before} and ${flag} contradict each other; keep one of them.`);
      given.set(key, flag);
    });
  }
}
