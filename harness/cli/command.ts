import path from 'node:path';
import type { Argument, Command, Option } from 'commander';
import { UsageError, type Outcome } from '../base/outcome';

/** An option of a command. Its value has the type T, which only the compiler sees. */
export interface Flag<T> extends Option {
  readonly gives?: () => T;
  default(value: unknown, shown?: string): this & Flag<Exclude<T, undefined>>;
  makeOptionMandatory(): this & Flag<Exclude<T, undefined>>;
}

/** The options of a command in the order of its help, by the names that they have in the code. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The values that a command line gives to a table of options. */
export type FlagsOf<F extends FlagTable> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** What a command line holds besides the values of options. */
export interface Given<Name> {
  /** the arguments without a flag */ readonly values: readonly string[];
  /** all arguments, for reports; absolute paths are private, so only their last names are kept */
  readonly line: readonly string[];
  /**
   * Refuses options that were given although they change nothing: who gives one acts on the belief that it did.
   *
   * @param because what makes them idle, as the end of a sentence: `with --vectors`, `without --candidate`
   */
  readonly refuseIdle: (because: string, ...names: readonly Name[]) => void;
}

interface Description<F extends FlagTable> {
  readonly name: string;
  readonly description: string;
  /** instead of the description, in the list of commands */ readonly summary?: string;
  readonly argument?: Argument;
  readonly flags: F;
  /** below the options: exit codes, examples */ readonly help?: string;
  /** Heavy rooms are imported in here only, so that --help stays fast. */
  readonly run: (flags: FlagsOf<F>, given: Given<keyof F>) => Promise<Outcome>;
}

/** Adds one command to the program. */
export type DefineCommand = (program: Command, finish: (outcome: Outcome) => void) => void;

export function defineCommand<F extends FlagTable>(description: Description<F>): DefineCommand {
  const { name, summary = '', argument, flags, help, run } = description;
  return (program, finish) => {
    const command = program.command(name).summary(summary).description(description.description);
    if (argument !== undefined) command.addArgument(argument);
    for (const flag of Object.values(flags)) command.addOption(flag);
    checkGiven(command);
    if (help !== undefined) command.addHelpText('after', `\n${help}`);
    command.action(async () => {
      const all = command.opts();
      const values = Object.entries(flags).map(([key, flag]) => [key, all[flag.attributeName()] as unknown]);
      // commander keeps them on the program, though its typings do not say so
      const { rawArgs } = program as unknown as { readonly rawArgs: readonly string[] };
      const given: Given<keyof F> = {
        values: command.processedArgs.flat() as string[],
        line: rawArgs
          .slice(rawArgs.indexOf(name) + 1)
          .map((argument) => (path.isAbsolute(argument) ? path.basename(argument) : argument)),
        refuseIdle: (because, ...names) =>
          refuseIdle(
            command,
            because,
            Object.keys(flags)
              .filter((key) => names.includes(key))
              .map((key) => flags[key]),
          ),
      };
      finish(await run(Object.fromEntries(values) as FlagsOf<F>, given));
    });
  };
}

function refuseIdle(command: Command, because: string, options: readonly Option[]): void {
  const idle = options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (idle.length === 0) return;
  const [changes, them] = idle.length === 1 ? ['changes', 'it'] : ['change', 'them'];
  throw new UsageError(
    `${idle.map(({ long }) => long).join(' and ')} ${changes} nothing ${because}; leave ${them} out.`,
  );
}

/**
 * Makes a command refuse an option that is given twice, or together with its opposite (`--standardize --no-standardize`): commander takes
 * the last one and says nothing. Options that collect, whose preset is a list, may be given again. An empty value (`--out "$OUT"` where
 * there is no OUT) is refused as well, and so is an empty argument.
 */
function checkGiven(command: Command): void {
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
