import type * as Tf from '@tensorflow/tfjs';
import type { RecurrentConfig } from '../../../scratch/index';
import {
  activationOf,
  cellOf,
  gateProducts,
  type Kept,
  type State,
  type StepGradients,
} from '../cells/index';
import { kernelsOf, steppedKernels } from '../kernels';
import { affineGradients, affineInputGradients, biasRow, kernelAndBias } from './affine';
import type { NamedTensors } from '../method';
import { sumOf, type Arriving, type HandLayer, type LayerUpstream } from './layer';
import { Signal } from './signal';

// Backpropagation through time (Werbos 1990) in tfjs operations. Two things are slow in tfjs's wasm backend, and are
// avoided here. A matMul that transposes an operand leaves XNNPACK for a scalar loop: so operands are transposed first,
// the recurrent kernel once for all steps. A slice, also that of unstack, copies the whole tensor it is cut from: so each
// time step is a tensor from the start.

/**
 * A recurrent layer: its cell's steps from the first to the last, and back. At a masked step the states stay as they are, and
 * what arrives at them goes on to the step before:
 *
 *     after   = mask_t ∘ step(x_t, before) + (1 - mask_t) ∘ before
 *     dAfter  = what arrives from above + what step t + 1 sends back;     the step gets mask_t ∘ dAfter
 *     dBefore = what the step sends back + (1 - mask_t) ∘ dAfter
 */
export function recurrentLayer(tf: typeof Tf, config: RecurrentConfig): HandLayer {
  const { returnSequences = false, goBackwards = false, activation: φ = 'tanh' } = config;
  const σ = config.layer === 'simpleRNN' ? φ : (config.recurrentActivation ?? 'sigmoid');
  const cell = cellOf(config);
  const { kernels, runStep } = steppedKernels(tf);
  const { add, multiply } = kernels;
  return (weights, { signal, initialStates, fromZero, mask }, needsBackward) => {
    const recurrentBias = biasRow(tf, weights, 1);
    const activation = activationOf(tf, kernels, φ);
    const work = cell.atWork(
      {
        kernel: kernelAndBias(tf, weights),
        recurrentKernel: weights['recurrentKernel'],
        ...(recurrentBias && { recurrentBias }),
      },
      {
        tf,
        kernels,
        products: gateProducts(kernels, tf.getBackend() === 'wasm'),
        activation,
        recurrentActivation: σ === φ ? activation : activationOf(tf, kernels, σ),
      },
      needsBackward,
    );
    const x = signal.withOnes();
    const last = x.length - 1;
    /** The step of the input that step t of the walk reads. */
    const placeOf = (t: number): number => (goBackwards ? last - t : t);

    const states: State[] = [initialStates];
    const kept: Kept[] = [];
    for (let t = 0; t <= last; t++) {
      const before = states[t];
      const masked = mask[placeOf(t)];
      const made = runStep(
        () => {
          const step = work.forward(x[placeOf(t)], before, fromZero && t === 0);
          const after = masked
            ? step.after.map((s, k) => add(multiply(s, masked.counts), multiply(before[k], masked.skips)))
            : step.after;
          return { after, kept: step.kept };
        },
        ({ after, kept: { activated, tensors } }) => {
          if (!needsBackward) return after;
          const needed: (Tf.Tensor | undefined)[] = [...after, ...tensors];
          for (const { y, z } of activated) needed.push(y, z);
          return needed;
        },
      );
      states.push(made.after);
      kept.push(made.kept);
    }
    const sequence = states.slice(1).map(([h]) => h);

    const stepBack = (
      t: number,
      upstream: LayerUpstream,
      [dhAfter, dcAfter]: Arriving,
      toBefore: boolean,
    ): StepGradients => {
      const masked = mask[placeOf(t)];
      const above = returnSequences ? upstream.outputs[t] : t === last ? upstream.outputs[0] : undefined;
      const dh = sumOf(add, above, upstream.sequences[0]?.[t], dhAfter) ?? tf.zerosLike(sequence[t]);
      const toStep = (d: Tf.Tensor): Tf.Tensor => (masked ? multiply(d, masked.counts) : d);
      const step = work.backward(kept[t], states[t], [toStep(dh), dcAfter && toStep(dcAfter)], toBefore);
      if (!masked || !step.dBefore) return step;
      const past = [dh, dcAfter].map((d) => d && multiply(d, masked.skips));
      return { ...step, dBefore: step.dBefore.map((d, k) => sumOf(add, d, past[k])!) };
    };

    return {
      output: new Signal(tf, returnSequences ? sequence : sequence.slice(-1), returnSequences),
      finalStates: states[last + 1],
      sequences: [sequence],
      backward(upstream, wanted) {
        const steps = new Array<StepGradients>(last + 1);
        let arriving: Arriving = upstream.finalStates;
        for (let t = last; t >= 0; t--) {
          const toBefore = t > 0 || wanted.initialStates;
          steps[t] = runStep(
            () => stepBack(t, upstream, arriving, toBefore),
            ({ dz, dBefore = [], recurrent }) => {
              const needed = [dz, ...dBefore];
              for (const [left, right] of recurrent) needed.push(left, right);
              return needed;
            },
          );
          arriving = steps[t].dBefore ?? [];
        }
        const inOrder = steps.map((_, t) => steps[placeOf(t)]);
        const dz = inOrder.map((step) => step.dz);
        return {
          weights: weightGradients(tf, weights, signal, dz, inOrder),
          input: wanted.input ? affineInputGradients(tf, weights, dz) : undefined,
          initialStates: wanted.initialStates ? (arriving as readonly Tf.Tensor[]) : [],
        };
      },
    };
  };
}

/**
 *     dRecurrentKernel = Σ_t leftᵀ · right      for each pair of the cell, side by side
 *     dRecurrentBias   = Σ_t Σ_b right
 *
 * The steps stand below each other, [T·B, ..], so that each sum over time is part of one product.
 *
 * @param dz by step of the signal, as `steps`
 */
function weightGradients(
  tf: typeof Tf,
  weights: NamedTensors,
  signal: Signal,
  dz: readonly Tf.Tensor[],
  steps: readonly StepGradients[],
): NamedTensors {
  const { concat, matMul, sideBySide, transpose } = kernelsOf(tf);
  const all = concat(dz);
  const { kernel, bias } = affineGradients(tf, signal, all);
  const [first] = steps;
  const rights = first.recurrent.map(([, right], i) =>
    right === first.dz ? all : concat(steps.map(({ recurrent }) => recurrent[i][1])),
  );
  const recurrentKernel = sideBySide(
    rights.map((right, i) => {
      const left = concat(steps.map(({ recurrent }) => recurrent[i][0]));
      return matMul(transpose(left), right);
    }),
  );
  if (!('bias' in weights)) return { kernel, recurrentKernel };
  const { shape } = weights['bias'];
  if (shape.length === 1) return { kernel, recurrentKernel, bias: tf.reshape(bias, shape) };
  const ones = tf.ones([1, rights[0].shape[0]]);
  return { kernel, recurrentKernel, bias: concat([bias, matMul(ones, sideBySide(rights))]) };
}
