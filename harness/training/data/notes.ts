/**
 * What reading did that the file does not say by itself: guessed, merged, left out, trimmed; and warnings. Shown before training starts
 * and before predictions, so that nothing of it is silent.
 */
export class Notes {
  private readonly found = new Set<string>();

  /** Adds what was done, once. */
  say(text: string): void {
    this.found.add(`read        ${text}`);
  }

  /** Adds what is allowed but probably not meant, once. */
  warn(text: string): void {
    this.found.add(`warning     ${text}`);
  }

  get lines(): readonly string[] {
    return [...this.found];
  }
}

/** Quoted texts with commas between: all of them, or the first few and how many more. */
export function listed(texts: Iterable<string>, most = 5): string {
  const all = [...texts];
  const shown = all.slice(0, most).map(quoted);
  return all.length > most ? `${shown.join(', ')} and ${all.length - most} more` : shown.join(', ');
}

/** A text in double quotes, cut after 40 characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

/**
 * Warns of names that are different but look the same: by letter case, white space, Unicode form, letters of another alphabet, or as
 * numbers. Code points say what differs where the two print alike.
 */
export function warnAlike(what: string, names: Iterable<string>, notes: Notes): void {
  const groups = new Map<string, string>();
  const pairs: string[] = [];
  for (const name of names) {
    const look = appearance(name);
    const other = groups.get(look);
    if (other === undefined) groups.set(look, name);
    else if (pairs.length < 3) pairs.push(`${quoted(other)} and ${quoted(name)}${difference(other, name)}`);
  }
  if (pairs.length > 0)
    notes.warn(`${what} ${pairs.join(', ')} are different but look the same; write them alike if they are`);
}

/** A sentence about the name that looks like a missing one but is another, else nothing. */
export function lookalikeOf(missing: string, names: readonly string[]): string {
  const other = names.find((name) => name !== missing && appearance(name) === appearance(missing));
  if (other === undefined) return '';
  return ` ${quoted(missing)} and ${quoted(other)} look the same but are different${difference(missing, other)}.`;
}

/**
 * Letters of the Cyrillic and the Greek alphabet that print as a Latin one, below it (from Unicode's confusables.txt, Technical
 * Standard 39).
 */
const [latin, printAlike] = [
  'ABEKMHOPCTXYIJSaeopcyxijshABEZHIKMNOPTYXov',
  'АВЕКМНОРСТХУІЈЅаеорсухіјѕһΑΒΕΖΗΙΚΜΝΟΡΤΥΧον',
];
const lookalikes = new Map(Array.from(printAlike, (letter, i) => [letter, latin[i]]));

/** ` (U+00E9 and U+0065 U+0301)`: what stands in the one and the other where they differ; empty where that is plain to see. */
function difference(one: string, other: string): string {
  const [a, b] = [Array.from(one), Array.from(other)];
  while (a.length > 0 && a[0] === b[0]) [a, b].forEach((letters) => letters.shift());
  while (a.length > 0 && a.at(-1) === b.at(-1)) [a, b].forEach((letters) => letters.pop());
  if (/^[\x21-\x7e]*$/.test([...a, ...b].join(''))) return '';
  const points = (letters: readonly string[]): string =>
    letters
      .slice(0, 4)
      .map((letter) => `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`)
      .join(' ') || 'nothing';
  return ` (${points(a)} and ${points(b)})`;
}

function appearance(name: string): string {
  const text = Array.from(name.normalize('NFKC'), (letter) => lookalikes.get(letter) ?? letter)
    .join('')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ');
  const value = /^[+-]?\d{1,15}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(value) ? text : String(value);
}
