import { Argument } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Cell, CellText } from '../equations/index';
import { checkRegularFile } from '../base/files/index';
import { defineCommand } from './command';
import { exitCodes, UsageError } from '../base/outcome';

export const defineEquations = defineCommand({
  name: 'equations',
  description:
    'print the forward equations of a cell, the backward equations derived from them, shapes, and what can be observed',
  argument: new Argument(
    '[cell]',
    'simple-rnn, lstm, gru (reset before the product), gru-reset-after (the default of Keras, and of --layers gru), or a module that exports `cell = defineCell({ ... })`',
  ).default('lstm'),
  flags: {},
  help: `Examples:
  rnn-parity equations gru-reset-after
  rnn-parity equations my-cell.ts`,
  async run(_, { values: [cell] }) {
    const { describeCell } = await import('../equations/index.js');
    return { exitCode: exitCodes.parity, text: describeCell(await findCell(cell)) };
  },
});

/**
 * The formulas of --equations, that a candidate is compared with.
 *
 * @throws UsageError without a candidate
 */
export async function comparedCell(equations: string, candidate: string | undefined): Promise<CellText> {
  if (candidate === undefined)
    throw new UsageError(
      '--equations gives the formulas; give --candidate as well, the implementation that is compared with them.',
    );
  const { textOfCell } = await import('../equations/index.js');
  const cell = await findCell(equations);
  return cell.text ?? textOfCell(cell);
}

/** A cell of the library by its name, or the one that a module of the user exports. */
export async function findCell(name: string): Promise<Cell> {
  const { cells } = await import('../equations/index.js');
  if (Object.hasOwn(cells, name)) return cells[name]();
  const file = resolve(name);
  if (!existsSync(file))
    throw new UsageError(
      `there is no cell ${name}, and no file of that name; cells are ${Object.keys(cells).join(', ')}, or give the path of a module that exports one as \`cell\`.`,
    );
  await checkRegularFile(file);
  try {
    return await cellIn(file, name);
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    // what defineCell says of the formulas says enough
    const ofFormulas = error.name === 'EquationError' || error.name === 'RangeError';
    throw new UsageError(ofFormulas ? error.message : `${name} cannot be loaded: ${error.message}`, {
      cause: error,
    });
  }
}

/** @throws EquationError, or whatever the module throws while it is loaded */
async function cellIn(file: string, name: string): Promise<Cell> {
  const { defineCell } = await import('../equations/index.js');
  const { importHere } = await import('../sides/candidate/index.js');
  const { cell } = (await importHere(file)) as { cell?: Partial<Cell> | CellText };
  if (typeof cell?.equations === 'string') return defineCell(cell as CellText);
  if (typeof cell !== 'object' || (cell as object | null) === null || !('backward' in cell))
    throw new UsageError(
      `${name} exports no \`cell\`; write: export const cell = defineCell({ name, carries, weights, equations });`,
    );
  return cell as Cell;
}
