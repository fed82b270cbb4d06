/** The largest used share of the budget by time step and unit, over all examples. */
export interface HeatMap {
  /** `states`, `dz (gradient of the pre-activations)` */ readonly title: string;
  /** `unit`, `feature` */ readonly rowAxis: string;
  /** time steps and rows before neighbours were put together */ readonly timeSteps: number;
  readonly rows: number;
  readonly cells: readonly HeatCell[];
}

export interface HeatCell {
  /** first and last time step that the cell stands for; the same unless there are too many to draw */
  readonly step: readonly [first: number, last: number];
  readonly row: readonly [first: number, last: number];
  /** error / allowed; above 1 fails */ readonly share: number;
}

const mostColumns = 60;
const mostRows = 40;

/**
 * @param error |given - reference| of [B, T, N], row-major
 * @param allowed of the same elements
 * @param shape B, T, N
 */
export function heatMap(
  title: string,
  rowAxis: string,
  error: Float64Array,
  allowed: number | Float64Array,
  [batch, timeSteps, rows]: readonly [number, number, number],
): HeatMap {
  const wide = Math.ceil(timeSteps / mostColumns);
  const high = Math.ceil(rows / mostRows);
  const columns = Math.ceil(timeSteps / wide);
  const shares = new Float64Array(columns * Math.ceil(rows / high));
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < timeSteps; t++)
      for (let u = 0; u < rows; u++) {
        const at = (b * timeSteps + t) * rows + u;
        const cell = Math.floor(u / high) * columns + Math.floor(t / wide);
        shares[cell] = Math.max(
          shares[cell],
          shareOf(error[at], typeof allowed === 'number' ? allowed : allowed[at]),
        );
      }
  const range = (first: number, width: number, end: number): readonly [number, number] => [
    first * width,
    Math.min((first + 1) * width, end) - 1,
  ];
  const cells = Array.from(shares, (share, i): HeatCell => ({
    step: range(i % columns, wide, timeSteps),
    row: range(Math.floor(i / columns), high, rows),
    share,
  }));
  return { title, rowAxis, timeSteps, rows, cells };
}

function shareOf(error: number, allowed: number): number {
  if (error === 0) return 0;
  const share = error / allowed;
  return Number.isNaN(share) ? Infinity : share;
}
