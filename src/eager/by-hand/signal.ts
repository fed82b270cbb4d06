import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { stepsOf, toFloat32 } from '../../to-tensors';
import { kernelsOf } from '../kernels';

/**
 * What one layer hands to the next: one tensor [B, N] per time step, or a single one without a time axis. (A tensor of all
 * steps would have to be cut again, and wasm copies the whole of it for every piece.) A recurrent layer reads the steps with a
 * column of ones, which carries its bias: [x_t, 1] · [kernel; bias].
 */
export class Signal {
  protected ones: readonly Tf.Tensor[] | undefined;
  protected rows: Tf.Tensor | undefined;

  constructor(
    protected readonly tf: typeof Tf,
    private readonly given: readonly Tf.Tensor[],
    readonly hasTime: boolean,
  ) {}

  get steps(): readonly Tf.Tensor[] {
    return this.given;
  }

  /** The steps with a column of ones, [B, N + 1] each. */
  withOnes(): readonly Tf.Tensor[] {
    const one = this.ones ? undefined : this.tf.ones([this.steps[0].shape[0], 1]);
    return (this.ones ??= this.steps.map((step) => kernelsOf(this.tf).sideBySide([step, one!])));
  }

  /** All rows of `withOnes`, step after step, transposed: [N + 1, T·B]. */
  rowsTransposed(): Tf.Tensor {
    const { concat, transpose } = kernelsOf(this.tf);
    return (this.rows ??= transpose(concat(this.withOnes())));
  }
}

/** [B, T, N] of the host as a signal. */
export class HostSignal extends Signal {
  private readonly rounded: Float32Array;
  private readonly shape: readonly number[];
  private plain: readonly Tf.Tensor[] | undefined;

  constructor(tf: typeof Tf, tensor: Tensor, name: string) {
    super(tf, [], true);
    this.rounded = toFloat32(tensor, name);
    this.shape = tensor.shape;
  }

  override get steps(): readonly Tf.Tensor[] {
    return (this.plain ??= cutSteps(this.tf, this.rounded, this.shape));
  }

  override withOnes(): readonly Tf.Tensor[] {
    if (this.ones) return this.ones;
    const { rounded, tf } = this;
    const [batch, timeSteps, width] = this.shape;
    const count = timeSteps * batch;
    const rows = new Float32Array((width + 1) * count).fill(1, width * count);
    this.ones = Array.from({ length: timeSteps }, (_, t) => {
      const step = new Float32Array(batch * (width + 1)).fill(1);
      for (let b = 0; b < batch; b++) {
        const from = (b * timeSteps + t) * width;
        for (let f = 0; f < width; f++) {
          step[b * (width + 1) + f] = rows[f * count + t * batch + b] = rounded[from + f];
        }
      }
      return tf.tensor2d(step, [batch, width + 1]);
    });
    this.rows = tf.tensor2d(rows, [width + 1, count]);
    return this.ones;
  }
}

/** One tensor [B, n] per time step of [B, T, n] on the host; a single one of [B, n]. */
export function uploadSteps(tf: typeof Tf, tensor: Tensor, name: string): Tf.Tensor[] {
  return cutSteps(tf, toFloat32(tensor, name), tensor.shape);
}

/** The same from float32. The numbers are not to be changed afterwards. */
export function cutSteps(tf: typeof Tf, data: Float32Array, shape: readonly number[]): Tf.Tensor[] {
  if (shape.length === 2) return [tf.tensor2d(data, [shape[0], shape[1]])];
  return stepsOf(data, shape).map((step) => tf.tensor2d(step, [shape[0], shape[2]]));
}

/** The mask of one time step. */
export interface StepMask {
  /** [B, 1]: 1 where the step counts */ readonly counts: Tf.Tensor;
  /** [B, 1]: 1 where it does not */ readonly skips: Tf.Tensor;
}

/** One pair of columns per step; undefined at a step that counts for every example. @param mask [B, T] */
export function uploadStepMasks(tf: typeof Tf, { data, shape }: Tensor): (StepMask | undefined)[] {
  const column: [number, number] = [shape[0], 1];
  return stepsOf(Float32Array.from(data), [...shape, 1]).map((counts) => {
    if (!counts.includes(0)) return undefined;
    const skips = counts.map((m) => 1 - m);
    return { counts: tf.tensor2d(counts, column), skips: tf.tensor2d(skips, column) };
  });
}
