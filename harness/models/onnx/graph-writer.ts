import type { Source } from '../description';
import { attributeTypes, elementTypes } from './schema';

/** Final states are called after their layer. */
export const tensorName = ({ of, state }: Source): string =>
  state === undefined ? of : `${of}:state${state}`;

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly f: number }
  | { readonly floats: readonly number[] };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Collects nodes and constants; every name is unique because it starts with that of its layer. */
export class GraphWriter {
  readonly nodes: object[] = [];
  readonly constants: object[] = [];

  node(
    op_type: string,
    input: readonly string[],
    output: readonly string[],
    attributes: Attributes = {},
    name = `${output.find((one) => one !== '') ?? ''}/${op_type}`,
  ): void {
    const attribute = Object.entries(attributes).map(([key, value]) => ({
      name: key,
      ...attributeOf(value),
    }));
    this.nodes.push({ op_type, name, input, output, attribute });
  }

  floats(name: string, dims: readonly number[], data: Float64Array): string {
    this.constants.push({
      name,
      dims,
      data_type: elementTypes.float32,
      raw_data: bytesOf(4, data.length, (view, i) => view.setFloat32(4 * i, data[i], true)),
    });
    return name;
  }

  ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    this.constants.push({
      name,
      dims,
      data_type: elementTypes.int64,
      raw_data: bytesOf(8, values.length, (view, i) => view.setBigInt64(8 * i, BigInt(values[i]), true)),
    });
    return name;
  }
}

function bytesOf(width: number, length: number, put: (view: DataView, i: number) => void): Uint8Array {
  const bytes = new Uint8Array(width * length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < length; i++) put(view, i);
  return bytes;
}

function attributeOf(value: AttributeValue): object {
  if (typeof value === 'number') return { type: attributeTypes.i, i: value };
  if (typeof value === 'string') return { type: attributeTypes.s, s: Buffer.from(value) };
  if ('f' in value) return { type: attributeTypes.f, f: value.f };
  if ('floats' in value) return { type: attributeTypes.floats, floats: value.floats };
  if (value.length > 0 && typeof value[0] === 'string')
    return { type: attributeTypes.strings, strings: value.map((text) => Buffer.from(String(text))) };
  return { type: attributeTypes.ints, ints: value };
}
