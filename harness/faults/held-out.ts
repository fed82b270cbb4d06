import { changeGradients, mapTensor, weightNames } from './answers';
import type { NetworkClass } from './fault';
import { changed, finish, networkWith, where } from './faulty';
import type { HandNetwork } from './hand-network';
import { optimizerWith, type HandOptimizer } from './updates/hand-optimizer';
import type { UpdateFault } from './updates/update-fault';
import type { Wrong } from './wrong';

/** A mistake outside the catalogue, and the families that it may be named by. */
interface HeldOut {
  readonly name: string;
  readonly families: readonly string[];
  readonly network: NetworkClass;
}

const heldOutAs = (name: string, families: readonly string[], wrong: Wrong<HandNetwork>): HeldOut => ({
  name: `held out/${name}`,
  families,
  network: networkWith(wrong),
});

/** Mistakes that are not in the catalogue: they must be caught, and may not be called by the name of another. */
export const heldOut: readonly HeldOut[] = [
  heldOutAs('no slope, and h_t for h_{t-1}', [], {
    slope: changed(() => 1),
    stateForRecurrentKernel: ({ own }, b, t) => own.states[b][t],
  }),
  heldOutAs('carry not transposed, bias gradient of the first example', [], {
    carry: ({ own, right }, t, dz, dh) =>
      right(t, dz, dh).map((x, j) => x + (own.recurrentKernel[j]?.[0] ?? 0) * (dz[0] ?? 0)),
    biasShare: where((_, b) => b === 0),
  }),
  heldOutAs('slope 1 - |h|^3', ['tanh-derivative'], {
    slope: ({ own }, b, t) => own.states[b][t].map((h) => 1 - Math.abs(h) ** 3),
  }),
  heldOutAs('z / sqrt(1 + z^2) for tanh z', [], {
    activation: (_, z) => z.map((x) => x / Math.sqrt(1 + x * x)),
  }),
  heldOutAs('carry times 0.9', ['carry'], { carry: changed((x) => 0.9 * x) }),
  heldOutAs('states times 0.999', ['weights-import'], { activation: changed((h) => 0.999 * h) }),
  heldOutAs(
    'noise on the gradients of the weights',
    [],
    finish((answer) =>
      changeGradients(answer, weightNames, (gradient) =>
        mapTensor(gradient, (x, i) => x * (1 + 0.01 * Math.sin(1 + 7 * i))),
      ),
    ),
  ),
  heldOutAs('two weights off', ['weights-import'], {
    preActivation: ({ right }, x, before, t) =>
      right(x, before, t).map((z, j) => z + (j < 2 ? 0.01 * before[0] : 0)),
  }),
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
