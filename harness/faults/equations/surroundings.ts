import { partText, within, type Axis, type Cell, type Expression } from '../../equations/index';

/** What the step has computed where the expression stands, and what may stand for what. */
export interface Surroundings {
  /** carries whose value of this step is known here */ readonly known: readonly string[];
  /** carries of the cell */ readonly carries: readonly string[];
  /** single blocks of a quantity that can be used here, by its name */
  readonly blocks: ReadonlyMap<string, readonly string[]>;
  /** columns of every weight, and whether rows and columns are U columns each */
  readonly weights: Readonly<Record<string, { readonly rows?: Axis; readonly columns: Axis }>>;
  /** one block of a packed equation, whose weights are taken for others as a whole elsewhere */ readonly isSplit?: boolean;
  /** the function call that a quantity is the result of: tanh(z_t) for h_t */
  readonly callOfQuantity: ReadonlyMap<string, Expression>;
}

/** What stands around equation `at` of the step forward; of the backward step where `at` is the number of equations. */
export function surroundingsOf(cell: Cell, at: number): Surroundings {
  const before = cell.equations.slice(0, at);
  const uses = cell.equations.flatMap(({ right }) => [...within(right)]);
  const blocks = new Map<string, string[]>();
  for (const name of cell.axes.keys()) {
    const computed = before
      .filter(({ left }) => left === name)
      .flatMap(({ part }) => part ?? cell.axes.get(name) ?? []);
    const single = uses.flatMap((use) =>
      use.op === 'quantity' && use.name === name && use.part?.length === 1 ? use.part : [],
    );
    blocks.set(
      name,
      [...new Set(single)].filter((block) => computed.includes(block)),
    );
  }
  return {
    known: cell.carries.filter((carry) => before.some(({ left }) => left === carry)),
    carries: cell.carries,
    blocks,
    weights: cell.weights,
    callOfQuantity: new Map(
      cell.equations.flatMap(({ left, part, right }) =>
        right.op === 'call' ? [[left + partText(part), right] as const] : [],
      ),
    ),
  };
}
