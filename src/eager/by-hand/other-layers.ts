import type * as Tf from '@tensorflow/tfjs';
import type {
  BidirectionalConfig,
  DenseConfig,
  EmbeddingConfig,
  MergeMode,
  Tensor,
} from '../../../scratch/index';
import { activationOf } from '../cells/index';
import { directions, partOf, prefixed } from '../../directions';
import { idsByStep, lookUp, lookUpGradient } from '../embedding';
import { kernelsOf } from '../kernels';
import { affineInputGradients } from './affine';
import type { NamedTensors } from '../method';
import type { Arriving, HandLayer, LayerPass } from './layer';
import { recurrentLayer } from './recurrent';
import { Signal } from './signal';

/**
 *     z = x · kernel + bias            y = φ(z)          every time step alike
 *     dz = dy ∘ φ'(z)                  dKernel = Σ xᵀ · dz      dBias = Σ dz      dx = dz · kernelᵀ
 */
export function denseLayer(tf: typeof Tf, { activation = 'linear' }: DenseConfig): HandLayer {
  return (weights, { signal }) => {
    const kernels = kernelsOf(tf);
    const { add, concat, matMul, sumOfRows, transpose } = kernels;
    const φ = activationOf(tf, kernels, activation);
    const activated = signal.steps.map((x) => {
      const product = matMul(x, weights['kernel']);
      return φ.forward('bias' in weights ? add(product, weights['bias']) : product);
    });
    return {
      output: new Signal(
        tf,
        activated.map(({ y }) => y),
        signal.hasTime,
      ),
      finalStates: [],
      sequences: [],
      backward({ outputs, onHost }, wanted) {
        const dz = activated.map((one, t) => φ.backward(outputs[t] ?? tf.zerosLike(one.y), one));
        const all = concat(dz);
        return {
          weights: {
            kernel: matMul(transpose(concat(signal.steps)), all),
            ...('bias' in weights && {
              bias: onHost && activation === 'linear' ? sumOnHost(tf, onHost, all.shape[1]!) : sumOfRows(all),
            }),
          },
          input: wanted.input ? affineInputGradients(tf, weights, dz) : undefined,
          initialStates: [],
        };
      },
    };
  };
}

/** The sum of rows that are in memory anyway: a small network's training step takes 4 % longer where the backend adds them. */
function sumOnHost(tf: typeof Tf, rows: Float32Array, columns: number): Tf.Tensor {
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows.length; i++) sums[i % columns] += rows[i];
  return tf.tensor1d(Float32Array.from(sums));
}

/** A row of `embeddings` for every id. @param inputs [B, T], integers */
export function embeddingPass(
  tf: typeof Tf,
  { inputDim }: EmbeddingConfig,
  { embeddings }: NamedTensors,
  inputs: Tensor,
): LayerPass {
  const [batch, timeSteps] = inputs.shape;
  const ids = idsByStep(inputs);
  const steps = Array.from({ length: timeSteps }, (_, t) =>
    lookUp(tf, embeddings, tf.tensor1d(ids.subarray(t * batch, (t + 1) * batch), 'int32')),
  );
  return {
    output: new Signal(tf, steps, true),
    finalStates: [],
    sequences: [],
    backward({ outputs }) {
      const dy = kernelsOf(tf).concat(steps.map((step, t) => outputs[t] ?? tf.zerosLike(step)));
      return {
        weights: { embeddings: lookUpGradient(tf, ids, dy, inputDim) },
        input: undefined,
        initialStates: [],
      };
    },
  };
}

/**
 * One walk forwards and one backwards, merged (Schuster & Paliwal 1997); b has its time steps in the order of the input.
 *
 *     concat   y = [a, b]        da, db = the halves of dy
 *     sum      y = a + b         da = dy            db = dy
 *     ave      y = (a + b) / 2   da = dy / 2        db = dy / 2
 *     mul      y = a ∘ b         da = dy ∘ b        db = dy ∘ a
 */
export function bidirectionalLayer(
  tf: typeof Tf,
  { wrapped, mergeMode = 'concat' }: BidirectionalConfig,
): HandLayer {
  const layers = [false, true].map((goBackwards) => recurrentLayer(tf, { ...wrapped, goBackwards }));
  return (weights, { initialStates, ...input }, needsBackward) => {
    const half = initialStates.length / 2;
    const passes = layers.map((layer, i) =>
      layer(
        partOf(weights, directions[i]),
        { ...input, initialStates: initialStates.slice(i * half, (i + 1) * half) },
        needsBackward,
      ),
    );
    const [a, turned] = passes.map(({ output }) => output.steps);
    const b = [...turned].reverse();
    const { merge, back } = mergesOf(tf)[mergeMode];
    return {
      output: new Signal(
        tf,
        a.map((step, t) => merge(step, b[t])),
        wrapped.returnSequences === true,
      ),
      finalStates: passes.flatMap(({ finalStates }) => finalStates),
      sequences: passes.flatMap(({ sequences }) => sequences),
      backward(upstream, wanted) {
        const halves = a.map((step, t) => {
          const dy = upstream.outputs[t];
          return dy === undefined ? [undefined, undefined] : back(dy, step, b[t]);
        });
        const arriving: readonly Arriving[] = [
          halves.map(([da]) => da),
          halves.map(([, db]) => db).reverse(),
        ];
        const [first, second] = passes.map((pass, i) =>
          pass.backward(
            {
              outputs: arriving[i],
              finalStates: upstream.finalStates.slice(i * half, (i + 1) * half),
              sequences: upstream.sequences.slice(i, i + 1),
            },
            wanted,
          ),
        );
        const { add } = kernelsOf(tf);
        return {
          weights: {
            ...prefixed(first.weights, directions[0]),
            ...prefixed(second.weights, directions[1]),
          },
          input: first.input?.map((dx, t) => add(dx, second.input![t])),
          initialStates: [...first.initialStates, ...second.initialStates],
        };
      },
    };
  };
}

interface Merge {
  readonly merge: (a: Tf.Tensor, b: Tf.Tensor) => Tf.Tensor;
  readonly back: (dy: Tf.Tensor, a: Tf.Tensor, b: Tf.Tensor) => readonly [Tf.Tensor, Tf.Tensor];
}

function mergesOf(tf: typeof Tf): Readonly<Record<MergeMode, Merge>> {
  const { add, multiply, sideBySide, split } = kernelsOf(tf);
  return {
    concat: {
      merge: (a, b) => sideBySide([a, b]),
      back: (dy, { shape }) => split(dy, [shape[1]!, shape[1]!]) as [Tf.Tensor, Tf.Tensor],
    },
    sum: { merge: add, back: (dy) => [dy, dy] },
    mul: { merge: multiply, back: (dy, a, b) => [multiply(dy, b), multiply(dy, a)] },
    ave: {
      merge: (a, b) => tf.mul(add(a, b), 0.5),
      back: (dy) => {
        const half = tf.mul(dy, 0.5);
        return [half, half];
      },
    },
  };
}
