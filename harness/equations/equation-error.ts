/** A formula that cannot be taken: where it stands, why, and how to write it. */
export class EquationError extends Error {
  override readonly name = 'EquationError';
  /** counted from 1, in the text of the equations */ readonly line: number;
  /** counted from 1 */ readonly column: number;

  /**
   * @param cell name of the cell
   * @param text all equations
   * @param at offset in the text, counted from 0
   */
  constructor(cell: string, text: string, at: number, what: string) {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const start = before.lastIndexOf('\n') + 1;
    const whole = text.slice(start).split('\n', 1)[0];
    const indent = whole.length - whole.trimStart().length;
    const column = at - start + 1;
    const caret = ' '.repeat(Math.max(0, at - start - indent));
    super(`${cell}, line ${line}, column ${column}: ${what}\n    ${whole.trim()}\n    ${caret}^`);
    this.line = line;
    this.column = column;
  }
}

/** The nearest of the names, where it is near enough to be meant: at most a third of its letters differ. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const best = names
    .map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance)
    .at(0);
  return best !== undefined && best.distance <= Math.max(1, best.other.length / 3) ? best.other : undefined;
}

/** Insertions, deletions and replacements from one word to the other (Levenshtein 1966). */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++)
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1));
    row = next;
  }
  return row[other.length];
}
