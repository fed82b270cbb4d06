import { weightNames, type ClassifierWeights } from '../../scratch/index';

/** How far two sets of weights lie apart. */
export interface Distance {
  /** ||a - b|| / ||a|| over all weights together, Euclidean norms */ readonly relative: number;
  /** the same for each weight; 0 / 0 is 0 */ readonly byWeight: Readonly<
    Record<keyof ClassifierWeights, number>
  >;
}

export function distance(a: ClassifierWeights, b: ClassifierWeights): Distance {
  let differences = 0;
  let sizes = 0;
  const byWeight = {} as Record<keyof ClassifierWeights, number>;
  for (const name of weightNames) {
    const x = a[name].data;
    const y = b[name].data;
    let difference = 0;
    let size = 0;
    for (let i = 0; i < x.length; i++) {
      difference += (x[i] - y[i]) ** 2;
      size += x[i] ** 2;
    }
    byWeight[name] = difference === 0 ? 0 : Math.sqrt(difference / size);
    differences += difference;
    sizes += size;
  }
  return { relative: differences === 0 ? 0 : Math.sqrt(differences / sizes), byWeight };
}

/** a - b, weight by weight. */
export function subtract(a: ClassifierWeights, b: ClassifierWeights): ClassifierWeights {
  return mapWeights(a, (x, name, i) => x - b[name].data[i]);
}

export function mapWeights(
  weights: ClassifierWeights,
  change: (x: number, name: keyof ClassifierWeights, i: number) => number,
): ClassifierWeights {
  return Object.fromEntries(
    weightNames.map((name) => [
      name,
      { shape: weights[name].shape, data: weights[name].data.map((x, i) => change(x, name, i)) },
    ]),
  ) as unknown as ClassifierWeights;
}

/** Euclidean norm of one weight. */
export function norm(data: Float64Array): number {
  return Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));
}
