import type * as Tf from '@tensorflow/tfjs';

/**
 * Gradients of a scalar with respect to tensors and variables, by tfjs's autodiff (`tf.valueAndGrads`). Call it inside a
 * tidy. Read values of `compute` inside it: all its tensors are gone when it returns.
 *
 * tfjs keeps what backpropagation needs on a tape and releases it after backpropagation only: an error in between would
 * leak it. Here it is released then too.
 */
export function differentiate(
  tf: typeof Tf,
  compute: () => Tf.Scalar,
  by: readonly Tf.Tensor[],
): Tf.Tensor[] {
  try {
    return tf.valueAndGrads(compute)([...by]).grads;
  } catch (error) {
    releaseTape(tf);
    throw error;
  }
}

/**
 * tf.tidy for work whose result holds no tensors: on the way out, also by an error, every tensor made inside is released.
 * (tf.tidy itself searches its result for tensors, element by element of every array.)
 */
export function tidy<T>(tf: typeof Tf, work: () => T): T {
  let result: { readonly value: T } | undefined;
  tf.tidy(() => {
    result = { value: work() };
  });
  return (result as unknown as { readonly value: T }).value;
}

function releaseTape(tf: typeof Tf): void {
  const { state } = tf.engine();
  // A tape that someone else's gradient is still recording is theirs.
  if (state.gradientDepth > 0) return;
  const tape = (state.activeTape as { readonly saved?: readonly Tf.Tensor[] }[] | null | undefined) ?? [];
  for (const node of tape) for (const tensor of node.saved ?? []) tensor.dispose();
  state.activeTape = [];
}
