/** Exactly the options of T: the compiler refuses a list that lacks one or has one too many. */
export type OptionNames<T> = { readonly [K in keyof T]-?: true };

/**
 * Refuses an option that does not exist: a typo would otherwise be ignored and a default used in its place.
 *
 * @param name of what takes the options, for messages
 * @param word for one of them, for messages
 * @throws RangeError with the name of the option and the nearest one that exists; TypeError when it is no object
 */
export function checkOptions(
  options: object,
  known: Readonly<Record<string, unknown>>,
  name: string,
  word = 'option',
): void {
  const given: unknown = options;
  // a Map and an empty array would pass, and nothing of them would be read
  if (typeof given !== 'object' || given === null || Symbol.iterator in given) {
    throw new TypeError(
      `${name}${word === 'option' ? ': options' : ''} is ${describe(given)}; pass an object with any of ${Object.keys(known).join(', ')}, or leave it out.`,
    );
  }
  for (const option in options) {
    if (!Object.hasOwn(known, option)) {
      const names = Object.keys(known);
      throw new RangeError(
        `${name}: there is no ${word} ${option}; the nearest is ${nearest(option, names)} (there are ${names.join(', ')}), so correct the name or leave it out.`,
      );
    }
  }
}

/**
 * Refuses a value that is none of the choices.
 *
 * @throws RangeError with the nearest choice
 */
export function checkChoice<T extends string | number>(given: T, choices: readonly T[], name: string): T {
  if (choices.includes(given)) return given;
  const names = choices.map(String);
  const text = asText(given);
  throw new RangeError(
    `${name} is ${text}; the nearest is ${nearest(text, names)} (there are ${names.join(', ')}), so pass one of those.`,
  );
}

/** A value for a message: text in quotes, so that `'3'` is not taken for 3, nor 3n or [3], and the beginning of a long one. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 80 ? JSON.stringify(value) : `${JSON.stringify(value.slice(0, 77))}...`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' || typeof value === 'function') return describe(value);
  const simple = value as number | boolean | symbol | undefined;
  return String(simple);
}

/** A name for a message, as it is; anything else as `shown` has it. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : shown(value));

/** What a value is, for messages: `an array of 3`, `a string`, `undefined`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  // typed arrays and maps by their names: a Float64Array
  const kind = Symbol.iterator in value ? value.constructor.name : 'object';
  return `${/^[AEIOU]/i.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** @throws TypeError when it is neither true nor false */
export function checkFlag(given: boolean, name: string): boolean {
  if (typeof given === 'boolean') return given;
  throw new TypeError(`${name} is ${shown(given)}; it is either true or false, so pass one of those.`);
}

/**
 * The name that a word is probably meant to be: one that differs by a letter or two, a plural, capitals, or that it abbreviates; undefined
 * for a word that resembles none.
 */
export function resembles(word: string, names: readonly string[]): string | undefined {
  const name = nearest(word, names);
  const near = editDistance(word.toLowerCase(), name.toLowerCase()) <= Math.min(2, word.length / 3);
  return near ? name : undefined;
}

/**
 * The name that the fewest changes of a letter lead to. One whose words begin with the letters of `word`, as learningRate with lr, counts
 * as half a change; another that it abbreviates as one.
 */
function nearest(word: string, names: readonly string[]): string {
  const asked = word.toLowerCase();
  const distance = (name: string): number => {
    const lower = name.toLowerCase();
    const initials = name.replace(/(?<=.)[^A-Z]/g, '').toLowerCase();
    const short = initials === asked ? 0.5 : abbreviates(asked, lower) ? 1 : Infinity;
    return Math.min(editDistance(asked, lower), short);
  };
  return names.reduce((best, name) => (distance(name) < distance(best) ? name : best));
}

/** The fewest letters to insert, delete or replace (Levenshtein 1966), row by row of the table of prefixes. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1] + Number(from[i - 1] !== to[j - 1]);
      row[j] = Math.min(replaced, above[j] + 1, row[j - 1] + 1);
    }
  }
  return row[to.length];
}

/** Whether the letters of `word` stand in `name` in that order, the first one first. */
function abbreviates(word: string, name: string): boolean {
  if (word[0] !== name[0]) return false;
  let found = 0;
  for (const letter of name) if (letter === word[found]) found++;
  return found === word.length;
}
