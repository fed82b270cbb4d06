import type { Fault } from './fault';
import { asked, faultIn, gradients, layerWeightNames, quantity, type WeightName } from './faulty';
import { importedWeights, mapTensor } from './weights';

const forward = faultIn('precision', 'forward');
const backward = faultIn('precision', 'backward');
/** Where rounding to float32 shows: a float32 side does it everywhere. */
const inFloat64 = { precision: 'float64' } as const;

/** Faults of too few digits in one place. */
export const precisionFaults: readonly Fault[] = [
  ...layerWeightNames.map(inFloat16),
  inFloat16('outputKernel'),
  forward(
    'precision/float16-inputs',
    'the inputs are kept in float16, with 11 significant bits',
    asked((problem) => ({ ...problem, inputs: mapTensor(problem.inputs, toFloat16) })),
  ),
  forward(
    'precision/float16-states',
    'every state is rounded to float16, with 11 significant bits',
    quantity('h', toFloat16),
  ),
  backward(
    'precision/float16-gradients',
    'the gradients of the pre-activations are rounded to float16, with 11 significant bits',
    quantity('dz', toFloat16),
  ),
  forward(
    'precision/float32-states',
    'every state is rounded to float32 inside the float64 side',
    quantity('h', Math.fround),
    inFloat64,
  ),
  backward(
    'precision/float32-gradients',
    'the gradients of the pre-activations are rounded to float32 inside the float64 side',
    quantity('dz', Math.fround),
    inFloat64,
  ),
  backward(
    'precision/float32-weight-gradients',
    'the gradients of the weights are stored in float32 by the float64 side',
    gradients(layerWeightNames, Math.fround),
    inFloat64,
  ),
];

function inFloat16(name: WeightName): Fault {
  return faultIn('precision', name === 'outputKernel' ? 'loss' : 'forward')(
    `precision/float16-${name}`,
    `the ${name} is kept in float16, with 11 significant bits`,
    importedWeights(({ [name]: own }) => own && { [name]: mapTensor(own, toFloat16) }),
  );
}

/** x rounded to half precision: 11 significant bits, exponents from -14, ties to even, too large numbers to infinity (IEEE 754, binary16). */
export function toFloat16(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), -14);
  const step = 2 ** (exponent - 10);
  // adding and taking away 1.5 * 2^52 rounds to a whole number, ties to even
  const rounded = (x / step + 1.5 * 2 ** 52 - 1.5 * 2 ** 52) * step;
  return Math.abs(rounded) > 65504 ? Math.sign(x) * Infinity : rounded;
}
