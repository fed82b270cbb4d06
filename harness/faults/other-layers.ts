import { HandNetwork } from './hand-network';
import type { Fault } from './fault';
import type { Row, Rows } from './rows';

const other = { family: 'other-layer', phase: 'forward' } as const;

interface Activation {
  readonly name: string;
  readonly f: (z: number) => number;
  /** its derivative, from z and f(z) */ readonly slope: (z: number, h: number) => number;
}

const activations: readonly Activation[] = [
  { name: 'relu', f: (z) => Math.max(z, 0), slope: (z) => Number(z > 0) },
  { name: 'sigmoid', f: (z) => 1 / (1 + Math.exp(-z)), slope: (_, h) => h * (1 - h) },
  { name: 'linear', f: (z) => z, slope: () => 1 },
  { name: 'softsign', f: (z) => z / (1 + Math.abs(z)), slope: (_, h) => (1 - Math.abs(h)) ** 2 },
  { name: 'hard tanh', f: (z) => Math.min(Math.max(z, -1), 1), slope: (z) => Number(Math.abs(z) < 1) },
];

/** Layers and losses that may be right, and are others than the ones that are judged: tanh, and the softmax cross-entropy. */
export const otherLayers: readonly Fault[] = [
  ...activations.map(({ name, f, slope }): Fault => ({
    name: `other-layer/${name.replace(' ', '-')}`,
    words: `this is a different layer: its activation is ${name}, but the layer under test has tanh`,
    ...other,
    network: class extends HandNetwork {
      protected override activation(z: Row): number[] {
        return z.map(f);
      }
      protected override slope(b: number, t: number): number[] {
        return this.preActivations[b][t].map((z, j) => slope(z, this.states[b][t][j]));
      }
    },
  })),
  {
    name: 'other-layer/sigmoid-output',
    words:
      'this is a different output layer: each class has its own sigmoid, but the layer under test has a softmax over all classes',
    ...other,
    phase: 'loss',
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        return logits.map((row) => row.map((y) => 1 / (1 + Math.exp(-y))));
      }
    },
  },
  ...meanSquares(),
];

/** The mean over batch and classes, or over the batch alone, of the squared errors of the logits or of the probabilities. */
function meanSquares(): Fault[] {
  const of = ['logits', 'probabilities'] as const;
  const over = ['batch and classes', 'batch'] as const;
  return of.flatMap((what) =>
    over.map((mean): Fault => {
      const share = (row: Row, batch: number): number => 1 / batch / (mean === 'batch' ? 1 : row.length);
      const errors = (row: Row, label: number): number[] => row.map((y, c) => y - Number(c === label));
      return {
        name: `other-layer/mean-squared-error-of-${what}-over-${mean.replaceAll(' ', '-')}`,
        words: `this is a different loss: the squared error of the ${what}, mean over ${mean}, but the loss under test is the softmax cross-entropy`,
        ...other,
        phase: 'loss',
        network: class extends HandNetwork {
          private logitsOfAll: Rows = [];
          protected override loss(logits: Rows, probabilities: Rows, labels: Row): number {
            this.logitsOfAll = logits;
            const rows = what === 'logits' ? logits : probabilities;
            const each = rows.map(
              (row, b) => errors(row, labels[b]).reduce((sum, e) => sum + e * e, 0) * share(row, this.batch),
            );
            return each.reduce((sum, l) => sum + l, 0);
          }
          protected override dLogits(probabilities: Rows, labels: Row): Rows {
            return probabilities.map((p, b) => {
              const factor = 2 * share(p, this.batch);
              if (what === 'logits') return errors(this.logitsOfAll[b], labels[b]).map((e) => factor * e);
              const e = errors(p, labels[b]);
              const dot = e.reduce((sum, x, c) => sum + x * p[c], 0);
              return p.map((x, c) => factor * x * (e[c] - dot));
            });
          }
        },
      };
    }),
  );
}
