import { changeGradients, mapTensor, weightNames } from './answers';
import { HandNetwork } from './hand-network';
import { HandOptimizer } from './updates/hand-optimizer';
import type { NetworkClass } from './fault';
import type { UpdateFault } from './updates/update-fault';

type Row = readonly number[];

/** Mistakes that are not in the catalogue: they must be caught, and may not be called by the name of another. */
export const heldOut: readonly {
  readonly name: string;
  readonly families: readonly string[];
  readonly network: NetworkClass;
}[] = [
  {
    name: 'held out/no slope, and h_t for h_{t-1}',
    families: [],
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map(() => 1);
      }
      protected override stateForRecurrentKernel(b: number, t: number): Row {
        return this.states[b][t];
      }
    },
  },
  {
    name: 'held out/carry not transposed, bias gradient of the first example',
    families: [],
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row, dh: Row): Row {
        return super.carry(t, dz, dh).map((x, j) => x + (this.recurrentKernel[j]?.[0] ?? 0) * (dz[0] ?? 0));
      }
      protected override biasShare(b: number, _t: number, dz: Row): Row {
        return b === 0 ? dz : dz.map(() => 0);
      }
    },
  },
  {
    name: 'held out/slope 1 - |h|^3',
    families: ['tanh-derivative'],
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 - Math.abs(h) ** 3);
      }
    },
  },
  {
    name: 'held out/z / sqrt(1 + z^2) for tanh z',
    families: [],
    network: class extends HandNetwork {
      protected override activation(z: Row): number[] {
        return z.map((x) => x / Math.sqrt(1 + x * x));
      }
    },
  },
  {
    name: 'held out/carry times 0.9',
    families: ['carry'],
    network: class extends HandNetwork {
      protected override carry(t: number, dz: Row, dh: Row): Row {
        return super.carry(t, dz, dh).map((x) => 0.9 * x);
      }
    },
  },
  {
    name: 'held out/states times 0.999',
    families: ['weights-import'],
    network: class extends HandNetwork {
      protected override activation(z: Row, t: number): number[] {
        return super.activation(z, t).map((h) => 0.999 * h);
      }
    },
  },
  {
    name: 'held out/noise on the gradients of the weights',
    families: [],
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, weightNames, (gradient) =>
          mapTensor(gradient, (x, i) => x * (1 + 0.01 * Math.sin(1 + 7 * i))),
        );
      }
    },
  },
  {
    name: 'held out/two weights off',
    families: ['weights-import'],
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row, t: number): number[] {
        return super.preActivation(x, before, t).map((z, j) => z + (j < 2 ? 0.01 * before[0] : 0));
      }
    },
  },
];

/** The same for the optimizer; `shows` says which updates can show it. */
export const heldOutUpdates: readonly Pick<UpdateFault, 'name' | 'optimizer' | 'shows'>[] = [
  {
    name: 'held out/learning rate times 0.8',
    optimizer: class extends HandOptimizer {
      protected override learningRate(): number {
        return 0.8 * super.learningRate();
      }
    },
    shows: () => true,
  },
  {
    name: 'held out/velocity of 0.8 for 0.9',
    optimizer: class extends HandOptimizer {
      protected override velocity(before: number, g: number): number {
        return 0.8 * before + g;
      }
    },
    shows: ({ optimizer, state }) =>
      optimizer.name === 'sgd' && (optimizer.momentum ?? 0) > 0 && state.step > 0,
  },
  {
    name: 'held out/second moment as a maximum',
    optimizer: class extends HandOptimizer {
      protected override secondMoment(before: number, g: number): number {
        return Math.max(this.beta2 * before, g * g);
      }
    },
    shows: ({ optimizer }) => optimizer.name === 'adam',
  },
  {
    name: 'held out/noise on the gradients of the update',
    optimizer: class extends HandOptimizer {
      protected override gradient(g: number, w: number): number {
        return g * (1 + 0.05 * Math.sin(50 * w));
      }
    },
    shows: () => true,
  },
];
