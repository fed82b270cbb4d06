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

/** Warns of names that are different but look the same: by letter case, white space, Unicode form, or as numbers. */
export function warnAlike(what: string, names: Iterable<string>, notes: Notes): void {
  const groups = new Map<string, string>();
  const pairs: string[] = [];
  for (const name of names) {
    const look = appearance(name);
    const other = groups.get(look);
    if (other === undefined) groups.set(look, name);
    else if (pairs.length < 3) pairs.push(`${quoted(other)} and ${quoted(name)}`);
  }
  if (pairs.length > 0)
    notes.warn(`${what} ${pairs.join(', ')} are different but look the same; write them alike if they are`);
}

function appearance(name: string): string {
  const text = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ');
  const value = /^[+-]?\d{1,15}(\.\d*)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(value) ? text : String(value);
}
