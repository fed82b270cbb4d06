import { createRandom, makeTensor, sizeOf } from '../../../scratch/index';
import { trainingChecks, type TrajectoryBatches } from '../../judge/index';
import { layeredSuite, makeProblem } from '../../problems/index';
import type { Problem } from '../../base/problem';
import { isSelected } from '../select';
import type { Cases } from '../cases';

/** How much of the suite a page runs: `quick` is for a test, `usual` for a visitor. */
export interface PageExtent {
  /** problems of each shape */ readonly perShape: number;
  /** ids of the problems about layers; absent: all of the suite */ readonly layered?: readonly string[];
  /** id of the one trajectory of training steps; absent: all */ readonly trajectory?: string;
}

export const extents = {
  quick: {
    perShape: 2,
    layered: ['layers/lstm-masked', 'layers/two-layers', 'layers/bidirectional-masked'],
    trajectory: 'trajectory/adam',
  },
  usual: { perShape: 8 },
} as const satisfies Readonly<Record<string, PageExtent>>;

/** Each new shape compiles new programs for the device, for seconds: so few shapes, and many problems of each. */
const sizes = [1, 2, 3, 4, 5];

/**
 * Shapes in which batch, time steps, features, units and classes run through 1 to 5, each size once in each place (a Latin square):
 * T = 1, odd batches, and every way in which a matrix fills its last block of 2 x 2 or row of 4.
 */
export function shapeProblems(seed: number, perShape: number): Problem[] {
  return Array.from({ length: perShape }, (_, number) =>
    sizes.map((_size, shift) => {
      const at = (place: number): number => sizes[(place + shift) % sizes.length];
      const [batch, timeSteps, features, units, classes] = [at(2), at(0), at(1), at(3), at(4)];
      const seedHere = seed * 100_000 + 40_000 + number * sizes.length + shift;
      return makeProblem({
        ...{ batch, timeSteps, features, units, classes, seed: seedHere },
        id: `shape/${batch}-${timeSteps}-${features}-${units}-${classes}/${String(number).padStart(2, '0')}`,
        scale: [1, 0.3, 3, 0.1][number % 4],
        labels: number % 6 !== 5,
        upstreamStates: number % 3 === 1,
        upstreamFinalState: number % 3 === 2 || number % 6 === 5,
        initialState: number % 2 === 0,
        mask: number % 4 === 1 || number % 4 === 2,
      });
    }),
  ).flat();
}

/** What a page runs, by a seed: small problems first. */
export async function pageCases(seed: number, extent: PageExtent, only?: string): Promise<Cases> {
  const isWanted = (id: string): boolean => isSelected(id, only);
  const large = makeProblem({
    ...{
      id: 'large/7-4-8-33-6',
      seed: seed * 100_000 + 45_000,
      batch: 7,
      timeSteps: 4,
      features: 8,
      units: 33,
      classes: 6,
    },
    ...{
      scale: 1,
      labels: true,
      upstreamStates: false,
      upstreamFinalState: false,
      initialState: true,
      mask: true,
    },
  });
  const { trajectory } = extent;
  const isTrained = (id: string): boolean =>
    isWanted(id) && (trajectory === undefined || id === trajectory || !id.startsWith('trajectory/'));
  const problems = [...shapeProblems(seed, extent.perShape), large];
  return {
    problems: problems.filter(({ id }) => isWanted(id)),
    layered: layeredSuite(seed).filter(({ id }) => isWanted(id) && (extent.layered?.includes(id) ?? true)),
    vectors: [],
    training: await trainingChecks(seed, isTrained, generatedBatches),
  };
}

/** A page has no digits: ten classes of noise around ten patterns. */
const generatedBatches: TrajectoryBatches = (seed, count, batch) => {
  const random = createRandom(seed * 100_000 + 47_000);
  const shape = [batch, 6, 5];
  const patterns = Array.from({ length: 10 }, () => Array.from({ length: 30 }, () => random.normal()));
  return Promise.resolve(
    Array.from({ length: count }, () => {
      const labels = Array.from({ length: batch }, () => random.integer(10));
      const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
        Math.fround(patterns[labels[Math.floor(i / 30)]][i % 30] + 0.3 * random.normal()),
      );
      return { inputs: makeTensor(data, shape), labels };
    }),
  );
};
