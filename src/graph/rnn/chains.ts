import type { GraphBuilder, GraphTensor } from '../builder/index';
import type { Recurrent, RecurrentGradients } from './recurrent';

/**
 * The layer on `chains` parts of the batch that do not wait for each other: two cores then work on two chains of
 * small products, instead of sharing each product. Weight gradients are sums over the parts.
 */
export function inChains(chains: number, layer: Recurrent): Recurrent {
  if (chains === 1) return layer;
  return (g, weights, { inputs, initialState, mask }) => {
    const sizes = partSizes(g, inputs, chains);
    const partsOf = <T extends GraphTensor | GraphTensor<'bool'>>(x: T | undefined, axis = 0) =>
      x === undefined ? undefined : (g.splitSizes(x as GraphTensor, sizes, chains, axis) as T[]);
    const inputParts = g.splitSizes(inputs, sizes, chains, 0);
    const stateParts = partsOf(initialState);
    const maskParts = partsOf(mask);
    const passes = inputParts.map((part, i) =>
      g.scope(`chain${i}`, () =>
        layer(g, weights, { inputs: part, initialState: stateParts?.[i], mask: maskParts?.[i] }),
      ),
    );
    return {
      finalState: g.concat(
        passes.map((pass) => pass.finalState),
        0,
      ),
      states: () =>
        g.concat(
          passes.map((pass) => pass.states()),
          1,
        ),
      backward: (upstream) => {
        const states = partsOf(upstream.states, 1);
        const finalState = partsOf(upstream.finalState);
        const gradients = passes.map((pass, i) =>
          g.scope(`chain${i}`, () => pass.backward({ states: states?.[i], finalState: finalState?.[i] })),
        );
        const all = (key: keyof RecurrentGradients) => gradients.map((gradient) => gradient[key]);
        const sum = (key: keyof RecurrentGradients) => all(key).reduce((a, b) => g.add(a, b));
        return {
          kernel: sum('kernel'),
          recurrentKernel: sum('recurrentKernel'),
          bias: sum('bias'),
          inputs: g.concat(all('inputs'), 0),
          initialState: g.concat(all('initialState'), 0),
        };
      },
    };
  };
}

/** floor(B / chains) examples each; the last part takes the rest. */
function partSizes(g: GraphBuilder, inputs: GraphTensor, chains: number): GraphTensor<'int32'> {
  const batch = g.slice(g.shape(inputs), [0], [1]);
  const each = g.div(batch, g.int([chains]));
  const rest = g.sub(batch, g.mul(each, g.int([chains - 1])));
  return g.concat([...Array.from({ length: chains - 1 }, () => each), rest], 0);
}

/**
 * Smallest B*U*U, the multiplications of one step's product, for which two chains pay. At B32 T28 U128 (524,288) two cores
 * that do nothing else take 0.95 of the time in two chains, and on a busy machine up to twice the time, because each
 * step of one chain waits for a thread; at B128 T100 U512 (33 million) two chains take 0.63 of the time.
 */
const fewestMultiplications = 1_000_000;
const fewestExamples = 8;

/**
 * How many chains a batch of that size gets: 2 or 1, the only numbers measured. Where one operation runs at a time a
 * second chain only costs (B32 T28 U128: 1.53 ms against 1.42 ms).
 *
 * @param sideBySide how many operations run side by side
 */
export function chainsFor(
  { batch, units }: { readonly batch: number; readonly units: number },
  sideBySide: number,
): number {
  const pays = batch >= 2 * fewestExamples && batch * units * units >= fewestMultiplications;
  return pays && sideBySide > 1 ? 2 : 1;
}
