import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../scratch/index';

/**
 * y = embeddings[id]: a row for each id, the ids of the steps as asked for.
 *
 * @param ids int32, of any shape
 */
export function lookUp(tf: typeof Tf, embeddings: Tf.Tensor, ids: Tf.Tensor): Tf.Tensor {
  return tf.gather(embeddings, ids);
}

/**
 * dEmbeddings[id] = Σ dy over the places where id stands. tfjs does it by UnsortedSegmentSum, which its wasm backend does
 * not have; here it is a product with ones and zeros, for the ids that occur, and a look-up for the others:
 *
 *     sums = occurs · dy      occurs[i, n] = 1 where the i-th id stands at place n      [ids that occur, places]
 *     dEmbeddings = [sums; 0][place of each id in sums, or the last row]
 *
 * @param ids on the host, by place
 * @param dy [places, outputDim]
 */
export function lookUpGradient(
  tf: typeof Tf,
  ids: ArrayLike<number>,
  dy: Tf.Tensor,
  inputDim: number,
): Tf.Tensor {
  const places = ids.length;
  const rowOf = new Map<number, number>();
  for (let n = 0; n < places; n++) if (!rowOf.has(ids[n])) rowOf.set(ids[n], rowOf.size);
  const occurs = new Float32Array(rowOf.size * places);
  for (let n = 0; n < places; n++) occurs[rowOf.get(ids[n])! * places + n] = 1;
  const from = Int32Array.from({ length: inputDim }, (_, id) => rowOf.get(id) ?? rowOf.size);
  const sums = tf.matMul(tf.tensor2d(occurs, [rowOf.size, places]), dy);
  const zeros = tf.zeros([1, dy.shape[1]!]);
  return tf.gather(tf.concat([sums, zeros], 0), tf.tensor1d(from, 'int32'));
}

/** The ids of all steps, step after step. @param inputs [B, T] */
export function idsByStep({ data, shape: [batch, timeSteps] }: Tensor): Int32Array {
  return Int32Array.from(
    { length: data.length },
    (_, n) => data[(n % batch) * timeSteps + Math.floor(n / batch)],
  );
}
