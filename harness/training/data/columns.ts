import { UsageError } from '../../base/outcome';
import type { LoadOptions } from './load-options';
import { listed, lookalikeOf, quoted, type Notes } from './notes';
import { parseNumber } from '../../base/number-text';

/** Where the columns of a table are; -1: there is none. */
export interface Layout {
  readonly sequence: number;
  readonly step: number;
  readonly label: number;
  readonly features: readonly number[];
  readonly columns: readonly string[];
}

/** The name of the column with the sequence ids. */
export const sequenceColumn = (options: LoadOptions): string => options.columns?.sequence ?? 'sequence';

/** An index that pandas or R wrote without a name, or that pandas named when it read one. */
const unnamed = (column: string): boolean => column === '' || /^Unnamed: \d+(_level_\d+)?$/.test(column);

/**
 * Finds the columns that the options name in a header.
 *
 * @throws UsageError that lists the header and says which flag or change helps
 */
export function readHeader(
  file: string,
  header: readonly string[],
  options: LoadOptions,
  notes: Notes,
): Layout {
  const columns = header.map((name) => name.trim());
  const wanted = options.columns ?? {};
  const repeated = columns.find((name, i) => !unnamed(name) && columns.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new UsageError(`${file}: the header has column ${quoted(repeated)} twice; rename one.`);
  const find = (name: string, flag: string, needed: boolean): number => {
    const at = columns.indexOf(name);
    if (at < 0 && needed)
      throw new UsageError(
        `${file} has no column ${quoted(name)}; its header reads ${columns.map(quoted).join(', ')}, so name the right one with ${flag}.${lookalikeOf(name, columns) || hint(columns)}`,
      );
    return at;
  };
  const needLabels = options.needLabels ?? true;
  const sequence = find(sequenceColumn(options), '--sequence-column', true);
  const step = find(wanted.step ?? 'step', '--step-column', wanted.step !== undefined);
  const label = find(wanted.label ?? 'label', '--label-column', needLabels);
  const roles = { '--sequence-column': sequence, '--step-column': step, '--label-column': label };
  const asked = Object.entries(roles).filter(([, at]) => at >= 0);
  for (const [flag, at] of asked) {
    const other = asked.find(([name, column]) => name !== flag && column === at)?.[0];
    if (other !== undefined)
      throw new UsageError(
        `${file}: column ${quoted(columns[at])} is taken for ${flag} and for ${other}; name another column for one of them.`,
      );
  }
  const taken = new Set([sequence, step, label]);
  const others = [...columns.keys()].filter((i) => !taken.has(i));
  const features =
    wanted.features?.map((name) => find(name, '--feature-columns', true)) ??
    others.filter((i) => !unnamed(columns[i]));
  const clash = features.find((column) => taken.has(column));
  if (clash !== undefined || new Set(features).size !== features.length)
    throw new UsageError(
      `${file}: a column of ${features.map((c) => quoted(columns[c])).join(', ')} is used twice; the sequence, step and label columns are not features.`,
    );
  if (features.length === 0)
    throw new UsageError(`${file} has no feature column; its header reads ${columns.join(', ')}.`);
  const leftOut = others.filter((i) => unnamed(columns[i]) && !features.includes(i));
  if (wanted.features === undefined && leftOut.length > 0)
    notes.say(
      `left out, without a name in the header, as an index that pandas or R writes: column ${leftOut.map((i) => i + 1).join(', ')}; name a column to use it`,
    );
  const unused = others.filter((i) => columns[i] !== '' && !features.includes(i));
  if (wanted.features !== undefined && unused.length > 0)
    notes.say(`columns that are not used: ${listed(unused.map((i) => columns[i]))}`);
  if (step < 0) notes.say('no column "step": the steps of a sequence are its rows in the order of the file');
  return { sequence, step, label, features, columns };
}

/** The features of data, or those that a model reads. */
export interface Features {
  readonly features: number;
  /** in their order; absent where they have no names */ readonly featureNames?:
    readonly string[] | undefined;
}

/**
 * @param source of the data
 * @throws UsageError when a model reads other features than the data have, or the same in another order
 */
export function checkFeatures(source: string, found: Features, model: Features): void {
  const isTable = found.featureNames !== undefined;
  if (found.features !== model.features)
    throw new UsageError(
      `${source} has ${found.features} features, the model takes ${model.features}; ${isTable ? 'choose them with --feature-columns' : `give ${model.features} numbers a time step`}.`,
    );
  const [names, trained] = [found.featureNames, model.featureNames];
  if (names === undefined || trained === undefined || names.join('\0') === trained.join('\0')) return;
  throw new UsageError(
    `${source} has the features ${names.join(', ')} but the model was trained on ${trained.join(', ')}; put them in that order with --feature-columns ${trained.join(',')}.`,
  );
}

/** What the header looks like when it is not the header of a table in long form. */
function hint(columns: readonly string[]): string {
  if (columns.every((name) => parseNumber(name) !== undefined || name === ''))
    return ' All of them are numbers: is the header line missing?';
  if (columns[0].startsWith('#'))
    return ' The first line looks like a comment; the header has to be the first line, so remove what stands above it.';
  const separator = columns.length === 1 ? /[,;|\t ]/.exec(columns[0])?.[0] : undefined;
  if (separator !== undefined)
    return ` That is one column: if ${quoted(separator)} separates the names, pass --delimiter ${quoted(separator)}.`;
  return wideHint(columns);
}

/** A sentence about columns that look like the time steps of a sequence (`t0, t1, t2`), else nothing. */
export function wideHint(columns: readonly string[]): string {
  const groups = new Map<string, string[]>();
  for (const name of columns) {
    const [, stem] = (/^(.*?)[_\-. []?\d+\]?$/.exec(name) ?? []) as (string | undefined)[];
    if (stem !== undefined) groups.set(stem, [...(groups.get(stem) ?? []), name]);
  }
  const steps = [...groups].find(([, names]) => names.length >= 3);
  if (steps === undefined) return '';
  return ` Columns ${listed(steps[1], 3)} look like the time steps of one sequence; a table has one row a time step here, as pandas.wide_to_long(df, ${quoted(steps[0])}, i="sequence", j="step").reset_index() makes it.`;
}
