import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { toFloat32 } from '../../to-tensors';
import { kernelsOf } from '../kernels';

/**
 * What one layer hands to the next: one tensor [B, N] per time step, or a single one without a time axis. (A tensor of all
 * steps would have to be cut again, and wasm copies the whole of it for every piece.) A layer with a bias reads the steps with a
 * column of ones, which carries it: [x_t, 1] · [kernel; bias].
 */
export class Signal {
  private extended: { readonly steps: readonly Tf.Tensor[]; readonly rows?: Tf.Tensor } | undefined;

  constructor(
    private readonly tf: typeof Tf,
    readonly steps: readonly Tf.Tensor[],
    readonly hasTime: boolean,
  ) {}

  /** [B, T, N] of the host as a signal, with its column of ones. */
  static upload(tf: typeof Tf, tensor: Tensor, name: string): Signal {
    const rounded = toFloat32(tensor, name);
    const [batch, timeSteps, width] = tensor.shape;
    const count = timeSteps * batch;
    const rows = new Float32Array((width + 1) * count).fill(1, width * count);
    const steps = Array.from({ length: timeSteps }, (_, t) => {
      const step = new Float32Array(batch * (width + 1)).fill(1);
      for (let b = 0; b < batch; b++) {
        const from = (b * timeSteps + t) * width;
        for (let f = 0; f < width; f++) {
          step[b * (width + 1) + f] = rows[f * count + t * batch + b] = rounded[from + f];
        }
      }
      return tf.tensor2d(step, [batch, width + 1]);
    });
    const signal = new Signal(tf, [], true);
    signal.extended = { steps, rows: tf.tensor2d(rows, [width + 1, count]) };
    return signal;
  }

  get timeSteps(): number {
    return Math.max(this.steps.length, this.extended?.steps.length ?? 0);
  }

  /** The steps with a column of ones, [B, N + 1] each. */
  withOnes(): readonly Tf.Tensor[] {
    if (this.extended === undefined) {
      const ones = this.tf.ones([this.steps[0].shape[0], 1]);
      const { sideBySide } = kernelsOf(this.tf);
      this.extended = { steps: this.steps.map((step) => sideBySide([step, ones])) };
    }
    return this.extended.steps;
  }

  /** All rows of `withOnes`, step after step, transposed: [N + 1, T·B]. */
  rowsTransposed(): Tf.Tensor {
    const { concat, transpose } = kernelsOf(this.tf);
    const steps = this.withOnes();
    const rows = this.extended?.rows ?? transpose(concat(steps));
    this.extended = { steps, rows };
    return rows;
  }
}

/** One tensor [B, n] per time step of [B, T, n] on the host; a single one of [B, n]. */
export function uploadSteps(tf: typeof Tf, tensor: Tensor, name: string): Tf.Tensor[] {
  const rounded = toFloat32(tensor, name);
  if (tensor.shape.length === 2) return [tf.tensor2d(rounded, [tensor.shape[0], tensor.shape[1]])];
  const [batch, timeSteps, width] = tensor.shape;
  return Array.from({ length: timeSteps }, (_, t) => {
    const step = new Float32Array(batch * width);
    for (let b = 0; b < batch; b++) {
      const from = (b * timeSteps + t) * width;
      step.set(rounded.subarray(from, from + width), b * width);
    }
    return tf.tensor2d(step, [batch, width]);
  });
}

/** The mask of one time step. */
export interface StepMask {
  /** [B, 1]: 1 where the step counts */ readonly counts: Tf.Tensor;
  /** [B, 1]: 1 where it does not */ readonly skips: Tf.Tensor;
}

/** One pair of columns per step; undefined at a step that counts for every example. @param mask [B, T] */
export function uploadMask(
  tf: typeof Tf,
  { data, shape: [batch, timeSteps] }: Tensor,
): (StepMask | undefined)[] {
  return Array.from({ length: timeSteps }, (_, t) => {
    const counts = Float32Array.from({ length: batch }, (_unused, b) => data[b * timeSteps + t]);
    if (!counts.includes(0)) return undefined;
    const skips = counts.map((m) => 1 - m);
    return { counts: tf.tensor2d(counts, [batch, 1]), skips: tf.tensor2d(skips, [batch, 1]) };
  });
}
