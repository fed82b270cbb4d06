import { dataTypes, wireShape, type AnyTensor, type DType, type GraphTensor } from './graph-tensor';
import type { AttrValue, NodeDef } from './schema';

/** One output of a node to be: the name of the op's output argument, and the element type. */
export type OutputSpec<D extends DType = DType> = readonly [argument: string, dtype: D];

/**
 * Appends nodes to a graph or to a function's body: unique readable names, one node per distinct constant.
 * The ops themselves are in `Ops`.
 */
export abstract class NodeWriter {
  readonly nodes: NodeDef[] = [];
  private readonly taken = new Map<string, number>();
  private readonly constants = new Map<string, AnyTensor>();
  private prefix = '';

  /** How inputs refer to output `index` of argument `argument` (the `flat`-th output of the node). */
  protected abstract refer(node: string, argument: string, index: number, flat: number): string;

  /** Names what `build` adds `scope/...`. */
  scope<R>(scope: string, build: () => R): R {
    const outer = this.prefix;
    this.prefix = `${outer}${scope}/`;
    try {
      return build();
    } finally {
      this.prefix = outer;
    }
  }

  /** Scalar, vector or tensor of float32; the same constant twice is one node. */
  float(values: number | readonly number[], shape?: readonly number[]): GraphTensor {
    return this.constant('float32', Float32Array.from([values].flat()), shapeOf(values, shape));
  }

  /** Scalar, vector or tensor of int32; the same constant twice is one node. */
  int(values: number | readonly number[], shape?: readonly number[]): GraphTensor<'int32'> {
    return this.constant('int32', Int32Array.from([values].flat()), shapeOf(values, shape));
  }

  /** One node with any number of outputs, in the order of the op's definition. */
  protected node(
    op: string,
    inputs: readonly AnyTensor[],
    attr: Readonly<Record<string, AttrValue>>,
    outputs: readonly OutputSpec[],
    name: string = op,
  ): AnyTensor[] {
    const unique = this.uniqueName(name);
    this.nodes.push({ name: unique, op, input: inputs.map((input) => input.ref), attr });
    const seen = new Map<string, number>();
    return outputs.map(([argument, dtype], flat) => {
      const index = seen.get(argument) ?? 0;
      seen.set(argument, index + 1);
      return { dtype, ref: this.refer(unique, argument, index, flat) };
    });
  }

  /** One node with one output. */
  protected one<D extends DType>(
    op: string,
    inputs: readonly AnyTensor[],
    attr: Readonly<Record<string, AttrValue>>,
    [argument, dtype]: OutputSpec<D>,
    name?: string,
  ): GraphTensor<D> {
    return this.node(op, inputs, attr, [[argument, dtype]], name)[0] as GraphTensor<D>;
  }

  protected uniqueName(name: string): string {
    const full = `${this.prefix}${name}`;
    const count = this.taken.get(full) ?? 0;
    this.taken.set(full, count + 1);
    return count === 0 ? full : this.uniqueName(`${name}_${count}`);
  }

  private constant<D extends DType>(
    dtype: D,
    values: Float32Array | Int32Array,
    shape: readonly number[],
  ): GraphTensor<D> {
    const key = `${dtype}[${shape.join()}]${values.join()}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known as GraphTensor<D>;
    const tensor = {
      dtype: dataTypes[dtype],
      tensorShape: wireShape(shape),
      tensorContent: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
    const added = this.one('Const', [], { dtype: typeAttr(dtype), value: { tensor } }, ['output', dtype]);
    this.constants.set(key, added);
    return added;
  }
}

export function typeAttr(dtype: DType): AttrValue {
  return { type: dataTypes[dtype] };
}

function shapeOf(values: number | readonly number[], shape?: readonly number[]): readonly number[] {
  return shape ?? (typeof values === 'number' ? [] : [values.length]);
}
