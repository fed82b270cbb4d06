import { UsageError } from '../../base/outcome';
import { listed, lookalikeOf, quoted, warnAlike, type Notes } from './notes';
import { className, classNamedTwice, parseNumber, type Decimal } from '../../base/number-text';
import type { SequenceData } from './sequences';

/** What a label has to be, for messages. */
export const labelExpected =
  'a whole number or text was expected: this is a classifier, which learns classes, and does no regression';

/** What pandas, R and spreadsheets write where a value is missing. */
const missing = /^(?:na|n\/a|#n\/a|nan|<na>|nat|null)$/i;

/** Labels as text, turned into indices of sorted class names. */
export class LabelTable {
  /** every spelling that was read -> class */ private readonly spellings = new Map<string, number>();
  private readonly classes = new Map<string, number>();
  private real: { readonly text: string; readonly place: string } | undefined;

  /**
   * @param source how messages call the file
   * @param column how messages call what holds the labels, for example `column "label"`
   */
  constructor(
    private readonly source: string,
    private readonly column: string,
    private readonly decimal: Decimal = '.',
  ) {}

  /**
   * @param text not empty
   * @param place where it is, for messages: `line 7`
   */
  index(text: string, place: string): number {
    const known = this.spellings.get(text);
    if (known !== undefined) return known;
    const name = className(text, this.decimal);
    const index = this.classes.get(name) ?? this.classes.size;
    this.classes.set(name, index);
    this.spellings.set(text, index);
    if (this.isReal(name)) this.real ??= { text, place };
    return index;
  }

  private isReal(name: string): boolean {
    const value = parseNumber(name, this.decimal);
    return value !== undefined && !Number.isInteger(value);
  }

  /** Throws UsageError when the labels are real numbers: a quantity, where classes are needed. */
  refuseReal(): void {
    if (this.real === undefined) return;
    const names = [...this.classes.keys()].filter((name) => !missing.test(name));
    const reals = names.filter((name) => this.isReal(name)).length;
    const numbers = names.filter((name) => parseNumber(name, this.decimal) !== undefined).length;
    // A few numbers such as 1.5 among texts are texts too.
    if (numbers < names.length && reals * 2 <= names.length) return;
    throw new UsageError(
      `${this.source}: ${this.real.place}: ${this.column} holds real numbers (${listed(names, 3)}), a quantity; ${labelExpected}. Cut the quantity into classes (for example "low", "middle", "high"), name another label column, or write versions and codes as text ("v1.5").`,
    );
  }

  /** The class names that are used, sorted, and the labels rewritten to their order. Notes what was merged and what looks wrong. */
  sorted(labels: Int32Array, notes: Notes): { classNames: string[]; labels: Int32Array } {
    this.refuseReal();
    const names = [...this.classes.keys()];
    const used = new Set(labels);
    const classNames = sortClassNames(names.filter((_, i) => used.has(i)));
    const twice = classNamedTwice(classNames);
    if (twice !== undefined)
      throw new UsageError(
        `${this.source}: ${this.column} has the labels ${quoted(twice)} and ${quoted(className(twice))}, which are one class where the decimal sign is a point; write them alike, or as text.`,
      );
    const place = new Map(classNames.map((name, i) => [name, i]));
    const order = names.map((name) => place.get(name) ?? -1);
    this.describe(classNames, notes);
    if (labels.length >= 20 && classNames.length > labels.length / 2)
      notes.warn(
        `${classNames.length} classes for ${labels.length} sequences: a quantity or an id is hardly a label, and this is a classifier`,
      );
    return { classNames, labels: labels.map((label) => order[label]) };
  }

  private describe(classNames: readonly string[], notes: Notes): void {
    const names = [...this.classes.keys()];
    const renamed = [...this.spellings]
      .map(([text, index]) => [text, names[index]] as const)
      .filter(([text, name]) => text !== name && classNames.includes(name));
    if (renamed.length > 0) {
      const shown = renamed.slice(0, 3).map(([text, name]) => `${quoted(text)} is class ${quoted(name)}`);
      notes.say(
        `labels without white space at the ends, and equal numbers as one class: ${shown.join(', ')}${renamed.length > 3 ? ` and ${renamed.length - 3} more` : ''}`,
      );
    }
    const marks = classNames.filter((name) => missing.test(name));
    if (marks.length > 0)
      notes.warn(
        `class ${listed(marks)} looks like the mark of a missing label; it is taken as a class, so remove its sequences if it is not one`,
      );
    warnAlike('classes', classNames, notes);
  }
}

/**
 * Data whose labels are the class indices of a model. A model whose classes are the numbers of its outputs (`0`, `1`, ...) takes the classes
 * of the data in their order, where there are as many and none of them is such a number: of `1`, `2`, `3` the data do not say whether `1` is its
 * output 1 or its first one.
 *
 * @param classNames of the model, in the order of its outputs; no two of them are one label (`metadataOf`)
 * @param notes gets which output stands for which class, where the names do not say it
 * @throws UsageError with the labels that the model does not know
 */
export function relabelled(data: SequenceData, classNames: readonly string[], notes?: Notes): SequenceData {
  // data name a whole number by its digits; a model from elsewhere may say 1.0
  const known = new Map(classNames.map((name, c) => [className(name), c]));
  const unknown = data.classNames.filter((name) => !known.has(name));
  const counts = classNames.every((name, c) => name === String(c));
  if (unknown.length > 0 && counts && data.classNames.length === classNames.length) {
    if (unknown.length < data.classNames.length)
      throw new UsageError(
        `${data.source} has the labels ${listed(data.classNames)}, the model the classes ${listed(classNames)}: whether a label is the number of an output or stands in its place is not clear; number the labels from 0, or name the outputs with import --class-names ${data.classNames.join(',').slice(0, 60)}.`,
      );
    notes?.say(
      `no label is a class of the model, whose classes are the numbers of its outputs: these are ${listed(data.classNames)}, in this order`,
    );
    return data;
  }
  if (unknown.length > 0)
    throw new UsageError(
      `${data.source} has labels the model does not know: ${unknown.slice(0, 10).join(', ')}; it knows ${classNames.slice(0, 20).join(', ')}.${lookalikeOf(unknown[0], classNames)}`,
    );
  const labels = data.labels?.map((label) => known.get(data.classNames[label]) ?? -1);
  return { ...data, classNames, ...(labels && { labels }) };
}

/** Whole numbers in numeric order, anything else by code units. */
export function sortClassNames(names: readonly string[]): string[] {
  const numeric = names.every((name) => /^-?\d{1,15}$/.test(name));
  return [...names].sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
}

/**
 * The class index of one row of one-hot labels, or undefined when the row is not exactly one 1 among zeros.
 */
export function oneHotIndex(row: ArrayLike<unknown>): number | undefined {
  const values = Array.from(row);
  const at = values.indexOf(1);
  return at >= 0 && values.every((x, i) => x === (i === at ? 1 : 0)) ? at : undefined;
}
