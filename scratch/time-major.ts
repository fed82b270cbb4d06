/**
 * The public methods take and give [B, T, N]; inside, the rows of one time step lie together, [T, B, N], so that a step is one
 * matrix and all steps together are one taller matrix.
 */

/** [B, T, N] to [T, B, N]. */
export function toTimeMajor(
  data: Float64Array,
  batch: number,
  timeSteps: number,
  width: number,
  out: Float64Array = new Float64Array(data.length),
): Float64Array {
  return swapLeadingAxes(data, batch, timeSteps, width, out);
}

/** [T, B, N] to [B, T, N]. */
export function fromTimeMajor(
  data: Float64Array,
  batch: number,
  timeSteps: number,
  width: number,
): Float64Array {
  return swapLeadingAxes(data, timeSteps, batch, width, new Float64Array(batch * timeSteps * width));
}

/** out[j, i, n] = data[i, j, n] */
function swapLeadingAxes(
  data: Float64Array,
  I: number,
  J: number,
  N: number,
  out: Float64Array,
): Float64Array {
  let from = 0;
  for (let i = 0; i < I; i++) {
    for (let j = 0; j < J; j++) {
      const to = (j * I + i) * N;
      for (let n = 0; n < N; n++) out[to + n] = data[from++];
    }
  }
  return out;
}
