import { below, columnsOf, selectRows, sideBySide, type Matrix } from '../matrix';
import type { Block } from '../operations/operation';
import type { Arithmetic } from './arithmetic';

type Rearranging<V extends Block> = Pick<
  Arithmetic<V>,
  'columns' | 'sideBySide' | 'rows' | 'below' | 'select'
>;

/**
 * Rows and columns moved about, which computes nothing: the same for every kind of number. A number consists of matrices of one
 * shape; `matrices` takes it apart and `make` puts it together.
 */
export function rearranging<V extends Block>(
  matrices: (of: V) => readonly Matrix[],
  make: (matrices: readonly Matrix[], rows: number, columns: number) => V,
): Rearranging<V> {
  const each = (
    parts: readonly V[],
    rows: number,
    columns: number,
    change: (matrices: readonly Matrix[]) => Matrix,
  ): V => {
    const apart = parts.map(matrices);
    return make(
      apart[0].map((_, which) => change(apart.map((one) => one[which]))),
      rows,
      columns,
    );
  };
  const total = (parts: readonly V[], count: 'rows' | 'columns'): number =>
    parts.reduce((sum, part) => sum + part[count], 0);
  return {
    columns: (of, from, to) => each([of], of.rows, to - from, ([m]) => columnsOf(m, of.rows, from, to)),
    sideBySide: (parts) =>
      parts.length === 1
        ? parts[0]
        : each(parts, parts[0].rows, total(parts, 'columns'), (all) => sideBySide(all, parts[0].rows)),
    rows: (of, from, to) =>
      each([of], to - from, of.columns, ([m]) => m.slice(from * of.columns, to * of.columns)),
    below: (parts) =>
      parts.length === 1 ? parts[0] : each(parts, total(parts, 'rows'), parts[0].columns, below),
    select: (live, real, kept) =>
      each([real, kept], real.rows, real.columns, ([one, other]) => selectRows(live, one, other)),
  };
}
