import type { Axis } from './expression';

/** The axes of a weight: a matrix [rows, columns], or a vector [columns] that is used element by element. */
export interface WeightShape {
  readonly rows?: Axis;
  readonly columns: Axis;
}

/** Sizes that the letters of axes stand for. */
export interface CellSizes {
  readonly features: number;
  readonly units: number;
}

/** How many columns a block has. */
export function widthOf(axis: Axis, { features, units }: CellSizes): number {
  return axis.reduce((sum, block) => sum + (block === 'F' ? features : units), 0);
}

/** First and last column (exclusive) of every block of a part; one range where the part is all of the axis. */
export function rangesOf(
  axis: Axis,
  part: Axis | undefined,
  sizes: CellSizes,
): readonly (readonly [from: number, to: number])[] {
  if (part === undefined) return [[0, widthOf(axis, sizes)]];
  return part.map((block) => {
    const from = widthOf(axis.slice(0, axis.indexOf(block)), sizes);
    return [from, from + widthOf([block], sizes)];
  });
}

/** [F, U] of a weight as numbers */
export function shapeOf({ rows, columns }: WeightShape, sizes: CellSizes): number[] {
  return [...(rows === undefined ? [] : [widthOf(rows, sizes)]), widthOf(columns, sizes)];
}

/** [F, U] or [F, 4 x U (i f c o)] as text */
export function shapeText({ rows, columns }: WeightShape): string {
  return `[${[rows, columns].flatMap((axis) => (axis === undefined ? [] : [axisText(axis)])).join(', ')}]`;
}

function axisText(axis: Axis): string {
  if (axis.length === 1) return axis[0] === 'F' ? 'F' : 'U';
  return `${axis.length} x U (${axis.join(' ')})`;
}
