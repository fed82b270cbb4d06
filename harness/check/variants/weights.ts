import type { Tensor } from '../../../scratch/index';
import type { ModelLayer } from '../../models/index';

type Weights = ModelLayer['weights'];

export function zeroed(weights: Weights, names: readonly string[]): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [
      name,
      names.includes(name) ? { ...tensor, data: new Float64Array(tensor.data.length) } : tensor,
    ]),
  );
}

/** The bytes of the transposed matrix, read as the matrix; undefined where that changes nothing. */
export function transposed(weights: Weights, name: string): Weights | undefined {
  const { data, shape } = weights[name];
  const [rows, columns] = shape;
  if (rows === 1 || columns === 1) return undefined;
  return {
    ...weights,
    [name]: { shape, data: data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]) },
  };
}

export function gatesTransposed({ data, shape: [rows, columns] }: Tensor, gates: number): Tensor {
  const width = columns / gates;
  return {
    shape: [rows, columns],
    data: data.map((_, n) => {
      const [i, j] = [Math.floor(n / columns), n % columns];
      const gate = Math.floor(j / width);
      return data[(j % width) * columns + gate * width + i];
    }),
  };
}

export function reordered(weights: Weights, names: readonly string[], order: readonly number[]): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { data, shape }]) => {
      if (!names.includes(name)) return [name, { data, shape }];
      const columns = shape[shape.length - 1];
      const width = columns / order.length;
      return [
        name,
        {
          shape,
          data: data.map(
            (_, n) =>
              data[n - (n % columns) + order[Math.floor((n % columns) / width)] * width + (n % width)],
          ),
        },
      ];
    }),
  );
}

/** Every order of n things but the one that they are in. */
export function permutations(n: number): number[][] {
  const all = (rest: readonly number[]): number[][] =>
    rest.length === 0
      ? [[]]
      : rest.flatMap((one) => all(rest.filter((other) => other !== one)).map((tail) => [one, ...tail]));
  return all(Array.from({ length: n }, (_, i) => i)).filter((order) => order.some((one, i) => one !== i));
}
