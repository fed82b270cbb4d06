import { makeSignal, type Layer, type LayerWeights } from './layer';
import type { MergeMode } from './layer-config';
import { addReversed } from './recurrent';

/**
 * One layer that reads forwards and one that reads backwards, merged (Schuster & Paliwal 1997).
 *
 *     concat   y = [a, b]        da, db = the halves of dy
 *     sum      y = a + b         da = dy          db = dy
 *     ave      y = (a + b) / 2   da = dy / 2      db = dy / 2
 *     mul      y = a ∘ b         da = dy ∘ b      db = dy ∘ a
 *
 * a is the output of the first layer; b that of the second, its time steps put back into the order of the input.
 *
 * @param there a recurrent layer
 * @param back the same with goBackwards
 */
export function bidirectional(there: Layer, back: Layer, mode: MergeMode): Layer {
  const { width: U, hasTime } = there.output;
  const width = mode === 'concat' ? 2 * U : U;
  const keys = Object.keys(there.shapes);
  return {
    output: { width, hasTime },
    shapes: { ...prefixed('forward', there.shapes), ...prefixed('backward', back.shapes) },
    states: [...there.states, ...back.states],
    sequences: [...there.sequences, ...back.sequences],
    initialize: (random) => ({
      ...prefixed('forward', there.initialize(random)),
      ...prefixed('backward', back.initialize(random)),
    }),
    prepare(weights, input) {
      const first = there.prepare(partOf('forward', weights, keys), input);
      const second = back.prepare(partOf('backward', weights, keys), input);
      const { batch, timeSteps } = first.output;
      const output = makeSignal(batch, timeSteps, width, hasTime ? input.mask : undefined);
      const [a, da] = [first.output.values, first.output.gradient];
      const [b, db] = [new Float64Array(a.length), new Float64Array(a.length)];
      /** b, or db, with its time steps in the order of the other direction */
      const turn = (from: Float64Array, to: Float64Array) => addReversed(from, to, timeSteps ?? 1, batch * U);
      const [y, dy] = [output.values, output.gradient];
      return {
        output,
        initialStates: [...first.initialStates, ...second.initialStates],
        finalStates: [...first.finalStates, ...second.finalStates],
        sequences: [...first.sequences, ...second.sequences],
        forward(fromZeros) {
          first.forward(fromZeros);
          second.forward(fromZeros);
          b.fill(0);
          turn(second.output.values, b);
          for (let n = 0; n < a.length; n++) {
            if (mode === 'concat') {
              const at = n + Math.floor(n / U) * U; // row · 2U + unit
              y[at] = a[n];
              y[at + U] = b[n];
            } else {
              y[n] = mode === 'mul' ? a[n] * b[n] : mode === 'sum' ? a[n] + b[n] : (a[n] + b[n]) / 2;
            }
          }
        },
        clearGradients() {
          for (const pass of [first, second]) pass.clearGradients();
          dy.fill(0);
        },
        backward(gradients, toInput) {
          for (let n = 0; n < a.length; n++) {
            if (mode === 'concat') {
              const at = n + Math.floor(n / U) * U;
              da[n] += dy[at];
              db[n] = dy[at + U];
            } else {
              da[n] += mode === 'mul' ? dy[n] * b[n] : mode === 'sum' ? dy[n] : dy[n] / 2;
              db[n] = mode === 'mul' ? dy[n] * a[n] : mode === 'sum' ? dy[n] : dy[n] / 2;
            }
          }
          turn(db, second.output.gradient);
          first.backward(partOf('forward', gradients, keys), toInput);
          second.backward(partOf('backward', gradients, keys), toInput);
        },
      };
    },
  };
}

/** kernel becomes forwardKernel. */
function prefixedKey(prefix: string, key: string): string {
  return prefix + key[0].toUpperCase() + key.slice(1);
}

function prefixed<T>(prefix: string, record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [prefixedKey(prefix, key), value]));
}

/** The weights of one direction, under the names that its layer knows. */
function partOf(prefix: string, weights: LayerWeights, keys: readonly string[]): LayerWeights {
  return Object.fromEntries(keys.map((key) => [key, weights[prefixedKey(prefix, key)]]));
}
