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
