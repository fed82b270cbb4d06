import { InvalidArgumentError, Option } from 'commander';
import type { DefineCommand } from './command';
import type { TrainChoices } from '../training/settings';

export interface TrainFlags {
  readonly data?: string;
  readonly model?: 'scratch' | 'tfjs' | 'graph' | 'both' | 'auto';
  readonly backend?: 'tensorflow' | 'wasm' | 'cpu';
  readonly gradients?: 'autodiff' | 'bptt';
  readonly units?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: 'sgd' | 'adam';
  readonly learningRate?: number;
  readonly decay?: 'linear' | 'none';
  readonly clipNorm?: number;
  readonly validation?: number;
  readonly patience?: number;
  readonly seed?: number;
  readonly initializer?: 'keras' | 'notebook';
  readonly standardize?: boolean;
  readonly sequenceColumn?: string;
  readonly stepColumn?: string;
  readonly labelColumn?: string;
  readonly featureColumns?: string;
  readonly delimiter?: string;
  readonly skipMalformed?: boolean;
  readonly timeSteps?: number;
  readonly examples?: number;
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: string;
  readonly checkpointSeconds: number;
  readonly tensorboard?: string;
  readonly json?: string | true;
}

/** A number of a flag; anything else is refused by name. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number was expected.');
  return value;
}

const group = 'Data:';

/** The flags that say how a table is read; shared with predict and evaluate. */
export function columnOptions(): Option[] {
  return [
    new Option('--sequence-column <name>', 'column with the id of the sequence (default: sequence)'),
    new Option('--step-column <name>', 'column that orders the steps (default: step, else file order)'),
    new Option('--label-column <name>', 'column with the label (default: label)'),
    new Option('--feature-columns <names>', 'columns with features, comma between (default: all others)'),
    new Option('--delimiter <text>', 'what separates fields (default: comma, or tab in .tsv)'),
    new Option('--skip-malformed', 'leave out the sequences of malformed rows, and say which'),
  ].map((option) => option.helpGroup(group));
}

/** `rnn-parity train`. */
export const defineTrain: DefineCommand = (program, finish) => {
  const command = program
    .command('train')
    .description(
      'train the network by hand, its TensorFlow.js twin, or both side by side on the same batches',
    )
    .addOption(
      new Option(
        '--data <source>',
        'digits, notebook, memory, or a .npz, .csv, .tsv or .jsonl file (default: digits)',
      ).helpGroup(group),
    )
    .addOption(
      new Option('--validation <share>', 'share of the examples kept back (default: 0.2)')
        .argParser(toNumber)
        .helpGroup(group),
    )
    .addOption(
      new Option('--standardize', 'scale features to mean 0, deviation 1 (default for files)').helpGroup(
        group,
      ),
    )
    .addOption(
      new Option('--no-standardize', 'take features as they are').helpGroup(group).default(undefined),
    );
  for (const option of columnOptions()) command.addOption(option);
  command
    .addOption(
      new Option('--time-steps <n>', 'memory: steps from the symbol to the question (default: 20)')
        .argParser(toNumber)
        .helpGroup(group),
    )
    .addOption(
      new Option('--examples <n>', 'memory: number of sequences (default: 2000)')
        .argParser(toNumber)
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '--model <kind>',
        'what to train; auto: what should be fastest here (default: tfjs)',
      ).choices(['scratch', 'tfjs', 'graph', 'both', 'auto']),
    )
    .addOption(
      new Option('--backend <name>', 'of the TensorFlow.js side (default: tensorflow)').choices([
        'tensorflow',
        'wasm',
        'cpu',
      ]),
    )
    .addOption(
      new Option(
        '--gradients <method>',
        'of tfjs: written by hand, or its autodiff (default: bptt; with both: autodiff)',
      ).choices(['bptt', 'autodiff']),
    )
    .option('--units <n>', 'size of the recurrent state (default: 128)', toNumber)
    .option('--epochs <n>', 'passes over the data (default: 12)', toNumber)
    .option('--batch-size <n>', 'examples per update (default: 64)', toNumber)
    .addOption(new Option('--optimizer <name>', 'update rule (default: adam)').choices(['sgd', 'adam']))
    .option('--learning-rate <x>', 'step size (default: 0.002)', toNumber)
    .addOption(
      new Option('--decay <kind>', 'learning rate over the epochs (default: linear, down to 0)').choices([
        'linear',
        'none',
      ]),
    )
    .option('--clip-norm <x>', 'largest global norm of the gradients, 0 for none (default: 1)', toNumber)
    .option(
      '--patience <n>',
      'stop after n epochs without a better validation loss, keep the best (default: 0, never)',
      toNumber,
    )
    .option(
      '--seed <n>',
      'of the split, the initial weights and the order of the examples (default: 1)',
      toNumber,
    )
    .addOption(
      new Option('--initializer <kind>', 'of the weights (default: keras)').choices(['keras', 'notebook']),
    )
    .option('--out <dir>', 'where everything goes (default: the first free runs/DATA-MODEL-n)')
    .option('--force', 'replace the files of an earlier run in --out')
    .option('--resume <dir>', 'continue the run in this directory')
    .addOption(
      new Option('--checkpoint-seconds <x>', 'time between checkpoints within an epoch')
        .argParser(toNumber)
        .default(30),
    )
    .option('--tensorboard <dir>', 'write event files for TensorBoard (needs the tensorflow backend)')
    .option('--json [file]', 'the result as JSON, on stdout or into a file')
    .addHelpText(
      'after',
      `
Defaults depend on the data; those named are for digits (docs/training.md has the table).
Exit codes: 0 trained, 1 diverged or the two sides parted, 2 usage, 3 the backend did not run, 130 interrupted.`,
    )
    .action(async (flags: TrainFlags) => {
      const { trainCommand } = await import('./run-train.js');
      finish(await trainCommand(flags));
    });
};

type DataFlags = Pick<
  TrainFlags,
  | 'data'
  | 'validation'
  | 'standardize'
  | 'delimiter'
  | 'skipMalformed'
  | 'timeSteps'
  | 'examples'
  | 'sequenceColumn'
  | 'stepColumn'
  | 'labelColumn'
  | 'featureColumns'
>;

/** The flags as choices; what is not given stays open. */
export function choicesOf(flags: TrainFlags): TrainChoices {
  const own = [
    'model',
    'backend',
    'gradients',
    'units',
    'epochs',
    'batchSize',
    'optimizer',
    'learningRate',
    'decay',
    'clipNorm',
    'patience',
    'seed',
    'initializer',
  ] as const;
  return { ...given(flags, own), data: dataChoicesOf(flags) };
}

/** The flags that say where data come from and how they are read. */
export function dataChoicesOf(flags: DataFlags): NonNullable<TrainChoices['data']> {
  const columns = {
    ...(flags.sequenceColumn !== undefined && { sequence: flags.sequenceColumn }),
    ...(flags.stepColumn !== undefined && { step: flags.stepColumn }),
    ...(flags.labelColumn !== undefined && { label: flags.labelColumn }),
    ...(flags.featureColumns !== undefined && {
      features: flags.featureColumns.split(',').map((name) => name.trim()),
    }),
  };
  const own = ['validation', 'standardize', 'delimiter', 'skipMalformed', 'timeSteps', 'examples'] as const;
  return {
    ...given(flags, own),
    ...(flags.data !== undefined && { source: flags.data }),
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

function given<T extends object, K extends keyof T>(
  flags: T,
  names: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const entries = names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]);
  return Object.fromEntries(entries) as never;
}
