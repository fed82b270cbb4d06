import type { Shape } from './schema';

/** Element types, by the names of TensorFlow.js; `variant` holds a TensorList and never leaves the graph. */
export type DType = 'float32' | 'int32' | 'bool' | 'variant';

/** TensorFlow's DataType enumeration (tensorflow/core/framework/types.proto). */
export const dataTypes: Readonly<Record<DType, number>> = { float32: 1, int32: 3, bool: 10, variant: 21 };

/** One output of one node, typed by its elements. Which shape it has is known when the graph runs. */
export interface GraphTensor<D extends DType = 'float32'> {
  readonly dtype: D;
  /** how another node's input names it: `node:0` in the main graph, `node:product:0` in a function's body */
  readonly ref: string;
}

export type AnyTensor = GraphTensor<DType>;

/** A size that is fixed, or a letter for a size that comes with the data; the same letter is the same size. */
export type Dimension = number | string;

/** A tensor that the caller feeds; its shape is checked before every call, since TensorFlow does not. */
export interface Placeholder<D extends DType = 'float32'> extends GraphTensor<D> {
  readonly name: string;
  readonly shape: readonly Dimension[];
}

/** What one call feeds and fetches. */
export interface Signature<I extends string = string, O extends string = string> {
  readonly name: string;
  readonly inputs: Readonly<Record<I, Placeholder<DType>>>;
  readonly outputs: Readonly<Record<O, AnyTensor>>;
}

/** The wire form of a shape whose letters are unknown sizes. */
export function wireShape(shape: readonly Dimension[]): Shape {
  return { dim: shape.map((size) => ({ size: typeof size === 'number' ? size : -1 })) };
}
