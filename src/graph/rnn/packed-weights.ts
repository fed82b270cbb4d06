import {
  mapWeights,
  sizeOf,
  weightNames,
  weightShapes,
  type ClassifierSizes,
  type ClassifierWeights,
  type Tensor,
} from '../../../scratch/index';
import type { GraphTensor, Ops } from '../builder/index';

// All five weights in one vector [P], P = F*U + U*U + U + U*C + C, in the order of `weightNames`. One vector is one
// feed, one fetch and one update, however many weights there are; and a step that returns the next vector instead of
// writing into variables leaves the old weights untouched until the caller has seen that the loss is finite.

/** The weights as tensors of the graph. */
export type GraphWeights = { readonly [K in keyof ClassifierWeights]: GraphTensor };

/** P, the length of the vector. */
export function packedSize(sizes: ClassifierSizes): number {
  return Object.values(weightShapes(sizes)).reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** The vector's five parts in their shapes. */
export function unpackInGraph(g: Ops, packed: GraphTensor, sizes: ClassifierSizes): GraphWeights {
  const shapes = weightShapes(sizes);
  const lengths = g.int(weightNames.map((name) => sizeOf(shapes[name])));
  const parts = g.splitSizes(packed, lengths, weightNames.length, 0);
  return mapWeights((name, i) =>
    shapes[name].length === 1 ? parts[i] : g.reshape(parts[i], g.int(shapes[name])),
  );
}

export function packInGraph(g: Ops, weights: GraphWeights): GraphTensor {
  const parts = weightNames.map((name) =>
    name === 'bias' || name === 'outputBias' ? weights[name] : g.reshape(weights[name], g.int([-1])),
  );
  return g.concat(parts, 0);
}

export function packArrays(weights: ClassifierWeights): Tensor {
  const data = weightNames.flatMap((name) => Array.from(weights[name].data));
  return { data: Float64Array.from(data), shape: [data.length] };
}

export function unpackArrays(packed: ArrayLike<number>, sizes: ClassifierSizes): ClassifierWeights {
  const shapes = weightShapes(sizes);
  const data = Float64Array.from(packed);
  let next = 0;
  return mapWeights((name) => {
    const from = next;
    next += sizeOf(shapes[name]);
    return { data: data.slice(from, next), shape: shapes[name] };
  });
}
