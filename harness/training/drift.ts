import type { StackWeights } from '../../scratch/index';
import { namedWeights } from '../models/index';

/** How far two sets of weights lie apart. */
export interface Distance {
  /** ||a - b|| / ||a|| over all weights together, Euclidean norms */ readonly relative: number;
  /** the same for each weight, by `layer1.kernel`; 0 / 0 is 0 */ readonly byWeight: ByWeight;
}

/** A number for each weight, by `layer1.kernel`. */
export type ByWeight = Readonly<Record<string, number>>;

export function distance(a: StackWeights, b: StackWeights): Distance {
  let differences = 0;
  let sizes = 0;
  const others = namedWeights(b);
  const byWeight = namedWeights(a).map(([name, { data: x }], k): [string, number] => {
    const y = others[k][1].data;
    let difference = 0;
    let size = 0;
    for (let i = 0; i < x.length; i++) {
      difference += (x[i] - y[i]) ** 2;
      size += x[i] ** 2;
    }
    differences += difference;
    sizes += size;
    return [name, difference === 0 ? 0 : Math.sqrt(difference / size)];
  });
  return {
    relative: differences === 0 ? 0 : Math.sqrt(differences / sizes),
    byWeight: Object.fromEntries(byWeight),
  };
}

/** a - b, weight by weight. */
export function subtract(a: StackWeights, b: StackWeights): StackWeights {
  return mapWeights(a, (x, i, name, layer) => x - b[layer][name].data[i]);
}

export function mapWeights(
  weights: StackWeights,
  change: (x: number, i: number, name: string, layer: number) => number,
): StackWeights {
  return weights.map((ofLayer, layer) =>
    Object.fromEntries(
      Object.entries(ofLayer).map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((x, i) => change(x, i, name, layer)) },
      ]),
    ),
  );
}

/** A number for each weight. */
export function measure(weights: StackWeights, value: (data: Float64Array) => number): ByWeight {
  return Object.fromEntries(namedWeights(weights).map(([name, { data }]) => [name, value(data)]));
}

/** The name of the largest number. */
export function largestOf(values: ByWeight): string {
  return Object.keys(values).reduce((a, b) => (values[b] > values[a] ? b : a));
}

/** Euclidean norm of one weight. */
export function norm(data: Float64Array): number {
  return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
}
