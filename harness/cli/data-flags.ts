import { Option } from 'commander';
import type { TrainChoices } from '../training/settings';
import { list } from './options';

/** The flags that say where data come from and how they are read. */
export interface DataFlags {
  readonly data?: string;
  readonly validation?: number;
  readonly standardize?: boolean;
  readonly sequenceColumn?: string;
  readonly stepColumn?: string;
  readonly labelColumn?: string;
  readonly featureColumns?: string[];
  readonly delimiter?: string;
  readonly skipMalformed?: boolean;
  readonly timeSteps?: number;
  readonly examples?: number;
}

export const group = 'Data:';

/** The flags that say how a table is read; shared with predict and evaluate. */
export function columnOptions(): Option[] {
  return [
    new Option('--sequence-column <name>', 'column with the id of the sequence (default: sequence)'),
    new Option('--step-column <name>', 'column that orders the steps (default: step, else file order)'),
    new Option('--label-column <name>', 'column with the label (default: label)'),
    new Option(
      '--feature-columns <names>',
      'columns with features, comma between (default: all others)',
    ).argParser(list),
    new Option('--delimiter <text>', 'what separates fields (default: comma, or tab in .tsv)'),
    new Option('--skip-malformed', 'leave out the sequences of malformed rows, and report which'),
  ].map((option) => option.helpGroup(group));
}

/** The flags as choices; what is not given stays open. */
export function dataChoicesOf(flags: DataFlags): NonNullable<TrainChoices['data']> {
  const columns = {
    ...(flags.sequenceColumn !== undefined && { sequence: flags.sequenceColumn }),
    ...(flags.stepColumn !== undefined && { step: flags.stepColumn }),
    ...(flags.labelColumn !== undefined && { label: flags.labelColumn }),
    ...(flags.featureColumns !== undefined && { features: flags.featureColumns }),
  };
  const own = ['validation', 'standardize', 'delimiter', 'skipMalformed', 'timeSteps', 'examples'] as const;
  return {
    ...given(flags, own),
    ...(flags.data !== undefined && { source: flags.data }),
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

/** Those of `names` that the flags hold. */
export function given<T extends object, K extends keyof T>(
  flags: T,
  names: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const entries = names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]);
  return Object.fromEntries(entries) as never;
}
