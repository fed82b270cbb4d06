import type { Fault } from './fault';
import { askedForward, formula, gradients, runsOf, weightNames, type Way } from './faulty';
import { activated } from './other-layers';
import { optimizerWith, type HandOptimizer } from './updates/hand-optimizer';
import type { UpdateFault } from './updates/update-fault';
import { mapTensor, withWeights } from './weights';
import type { Wrong } from './wrong';

/** A mistake outside the catalogue, and the families that it may be named by. */
interface HeldOut extends Pick<Fault, 'name' | 'runs'> {
  readonly families: readonly string[];
}

const heldOutAs = (name: string, families: readonly string[], way: Way): HeldOut => ({
  name: `held out/${name}`,
  families,
  runs: runsOf(way, 'forward'),
});

/** Mistakes that are not in the catalogue: they must be caught, and may not be called by the name of another. */
export const heldOut: readonly HeldOut[] = [
  heldOutAs('no slope, and h_t for h_{t-1}', [], formula({ dz: 'dh_t', recurrentKernel: 'h_t; dz_t' })),
  heldOutAs(
    'carry not transposed, bias gradient of the first example',
    [],
    formula({ toBefore: '(twice_t ∘ dz_t) · recurrentKernelᵀ', bias: 'first_t ∘ dz_t' }, undefined, {
      twice: (_, _b, _t, u) => (u === 0 ? 2 : 1),
      first: (_, b) => Number(b === 0),
    }),
  ),
  heldOutAs(
    'slope 1 - |h|^3',
    ['tanh-derivative'],
    formula({ dz: 'dh_t ∘ (1 - cube_t)' }, undefined, {
      cube: ({ states, layer }, b, t, u) => Math.abs(states(t)[b * layer.units + u]) ** 3,
    }),
  ),
  heldOutAs(
    'z / sqrt(1 + z^2) for tanh z',
    [],
    activated([(z) => z / Math.sqrt(1 + z * z), (_, h) => (1 - h) * (1 + h)]),
  ),
  heldOutAs('carry times 0.9', ['carry'], formula({ toBefore: '0.9 ∘ (dz_t · recurrentKernelᵀ)' })),
  heldOutAs('states times 0.999', ['weights-import'], formula({ h: '0.999 ∘ tanh(z_t)' })),
  heldOutAs(
    'noise on the gradients of the weights',
    [],
    gradients(weightNames, (x, i) => x * (1 + 0.01 * Math.sin(1 + 7 * i))),
  ),
  heldOutAs(
    'two weights off',
    ['weights-import'],
    askedForward((problem, given) =>
      withWeights(problem, given, ({ recurrentKernel: own }) =>
        own ? { recurrentKernel: mapTensor(own, (x, i) => (i < 2 ? x + 0.01 : x)) } : undefined,
      ),
    ),
  ),
];

const heldOutUpdate = (
  name: string,
  wrong: Wrong<HandOptimizer>,
): Pick<UpdateFault, 'name' | 'optimizer'> => ({
  name: `held out/${name}`,
  optimizer: optimizerWith(wrong),
});

/** The same for the optimizer. */
export const heldOutUpdates: readonly Pick<UpdateFault, 'name' | 'optimizer'>[] = [
  heldOutUpdate('learning rate times 0.8', { learningRate: ({ right }) => 0.8 * right() }),
  heldOutUpdate('velocity of 0.8 for 0.9', { velocity: (_, before, g) => 0.8 * before + g }),
  heldOutUpdate('second moment as a maximum', {
    secondMoment: ({ own }, before, g) => Math.max(own.beta2 * before, g * g),
  }),
  heldOutUpdate('noise on the gradients of the update', {
    gradient: (_, g, w) => g * (1 + 0.05 * Math.sin(50 * w)),
  }),
];
