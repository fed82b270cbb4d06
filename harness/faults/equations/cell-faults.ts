import { memoize } from '../../base/memoize';
import type { Cell } from '../../equations/index';
import { backwardFaults } from './backward-faults';
import type { CellFault } from './changes';
import { forwardFaults, remembers } from './forward-faults';
import { staleFaults } from './stale-faults';

/** Every single-place mistake in the equations of a cell, forward and backward. */
export const cellFaults = memoize((cell: Cell): readonly CellFault[] =>
  unique(
    [...forwardFaults(cell), ...backwardFaults(cell), ...(remembers(cell) ? staleFaults(cell) : [])],
    cell,
  ),
);

/** Without those that are written twice, and without the cell itself; the same words at two places are counted. */
function unique(faults: readonly CellFault[], cell: Cell): CellFault[] {
  const texts = new Set([JSON.stringify(cell.equations)]);
  const names = new Map<string, number>();
  return faults.flatMap((fault) => {
    if (texts.has(fault.text)) return [];
    texts.add(fault.text);
    const count = (names.get(fault.name) ?? 0) + 1;
    names.set(fault.name, count);
    const { cells } = fault;
    let made: readonly Cell[] | undefined;
    return [
      {
        ...fault,
        name: count === 1 ? fault.name : `${fault.name} (place ${count})`,
        cells: () => (made ??= cells()),
      },
    ];
  });
}
