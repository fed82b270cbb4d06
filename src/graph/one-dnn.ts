import { GraphBuilder } from './builder/index';
import { GraphSession, type SessionBackend } from './session';

const answers = new WeakMap<object, boolean>();

/**
 * Whether products can run on oneDNN's kernels. TensorFlow itself takes them only on processors with certain
 * instructions (AVX-512 VNNI) or under TF_ENABLE_ONEDNN_OPTS=1, which changes every other operation of the process as well;
 * but the kernels are always there, and a graph can ask for them by name. On a processor with AVX2 alone a training step
 * then takes 0.7 of the processor time (B32 T28 U128: 2.6 ms against 3.7; B128 T100 U512: 430 ms against 550), most of it
 * because TensorFlow's own kernel is slow at products with a transposed factor. A library without them gets `MatMul`.
 */
export function hasOneDnnProducts(backend: SessionBackend): boolean {
  backend.use();
  const native: object = backend.tf.backend();
  let answer = answers.get(native);
  if (answer === undefined) {
    answer = probe(backend);
    answers.set(native, answer);
  }
  return answer;
}

/** Computes [1, 2] @ [[3], [4]] both ways round. */
function probe(backend: SessionBackend): boolean {
  const g = new GraphBuilder(true);
  const x = g.placeholder('x', 'float32', [1, 2]);
  const product = g.matMul(x, g.float([3, 4], [1, 2]), { transposeB: true });
  const signature = g.signature('product', { x }, { product });
  try {
    const session = new GraphSession(backend, g);
    try {
      const results = backend.tf.tidy(() =>
        session.run(signature, { x: backend.tf.tensor2d([[1, 2]]) }).product.dataSync(),
      );
      return results[0] === 11;
    } finally {
      session.dispose();
    }
  } catch {
    return false;
  }
}
