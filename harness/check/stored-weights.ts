import { createRandom, type Random, type Tensor } from '../../scratch/index';
import type { ModelDescription, StoredAs } from '../models/index';
import type { Cause } from './causes';
import { runReference, tensorOf, type ModelInputs } from './reference';

const draws = 16;
/** of the measured standard deviation, which 16 draws give within a third: 6 of them hold 4 of the true one */
const widest = 6;

/**
 * Whether weights that are stored with fewer bits explain a difference. What was stored lies anywhere within the reach of each weight, so
 * weights are drawn there, and the outputs scatter as they do for the model before it was stored: |difference| ≤ 6 s for every
 * number, s² the mean square of the scatter, where the numbers of one tensor with less scatter than its mean count with half of that.
 */
export function causeOfStorage(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
): Cause[] {
  const { storage } = model;
  if (storage === undefined || Object.keys(storage).length === 0) return [];
  const exact = runReference(model, inputs);
  const random = createRandom(1);
  const squares = model.outputs.map((source) => new Float64Array(tensorOf(exact, source).data.length));
  for (let k = 0; k < draws; k++) {
    const run = runReference(drawn(model, storage, random), inputs);
    model.outputs.forEach((source, n) => {
      const { data } = tensorOf(exact, source);
      tensorOf(run, source).data.forEach((y, i) => (squares[n][i] += (y - data[i]) ** 2 / draws));
    });
  }
  const isExplained = model.outputs.every((source, n) => {
    const { data } = tensorOf(exact, source);
    const mean = squares[n].reduce((sum, square) => sum + square, 0) / data.length;
    return outputs[n].data.every(
      (y, i) => Math.abs(y - data[i]) <= widest * Math.sqrt(Math.max(squares[n][i], mean / 4)),
    );
  });
  if (!isExplained) return [];
  const kinds = [...new Set(Object.values(storage).map(({ dtype }) => dtype))];
  return [
    {
      id: 'stored-weights',
      words: `the outputs are those of the model before its weights were stored as ${kinds.join(' and ')}: explained by ${kinds.map((kind) => bitsOf[kind]).join(' and ')} weights`,
      layer: '',
    },
  ];
}

const bitsOf = { uint8: '8-bit', uint16: '16-bit', float16: 'float16', bfloat16: 'bfloat16' } as const;

/** The model with every stored weight anywhere within its reach. */
function drawn(
  model: ModelDescription,
  storage: Readonly<Record<string, StoredAs | undefined>>,
  random: Random,
): ModelDescription {
  const layers = model.layers.map((layer) => ({
    ...layer,
    weights: Object.fromEntries(
      Object.entries(layer.weights).map(([name, { data, shape }]) => {
        const stored = storage[`${layer.name}.${name}`];
        return [
          name,
          stored === undefined
            ? { data, shape }
            : { data: data.map((w) => w + reachOf(stored, w) * (2 * random.uniform() - 1)), shape },
        ];
      }),
    ),
  }));
  return { ...model, layers };
}

/** A weight in float16 moved by a share of itself, one of 8 or 16 bits by half a step. */
const reachOf = ({ dtype, reach }: StoredAs, w: number): number =>
  dtype === 'float16' || dtype === 'bfloat16' ? reach * Math.abs(w) : reach;
