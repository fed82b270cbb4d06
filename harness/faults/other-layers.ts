import type { Fault } from './fault';
import { faultIn } from './faulty';
import type { Row } from './rows';

const forward = faultIn('other-layer', 'forward');
const loss = faultIn('other-layer', 'loss');

/** Activations: f(z), and its derivative from z and f(z). */
const activations: Readonly<
  Record<string, readonly [f: (z: number) => number, slope: (z: number, h: number) => number]>
> = {
  relu: [(z) => Math.max(z, 0), (z) => Number(z > 0)],
  sigmoid: [(z) => 1 / (1 + Math.exp(-z)), (_, h) => h * (1 - h)],
  linear: [(z) => z, () => 1],
  softsign: [(z) => z / (1 + Math.abs(z)), (_, h) => (1 - Math.abs(h)) ** 2],
  'hard tanh': [(z) => Math.min(Math.max(z, -1), 1), (z) => Number(Math.abs(z) < 1)],
};

/** Layers and losses that may be right, and are others than the ones that are judged: tanh, and the softmax cross-entropy. */
export const otherLayers: readonly Fault[] = [
  ...Object.entries(activations).map(([name, [f, slope]]) =>
    forward(
      `other-layer/${name.replace(' ', '-')}`,
      `this is a different layer: its activation is ${name}, but the layer under test has tanh`,
      {
        activation: (_, z) => z.map(f),
        slope: ({ own }, b, t) => own.preActivations[b][t].map((z, j) => slope(z, own.states[b][t][j])),
      },
    ),
  ),
  loss(
    'other-layer/sigmoid-output',
    'this is a different output layer: each class has its own sigmoid, but the layer under test has a softmax over all classes',
    { softmax: (_, logits) => logits.map((row) => row.map((y) => 1 / (1 + Math.exp(-y)))) },
  ),
  ...(['logits', 'probabilities'] as const).flatMap((of) =>
    (['batch and classes', 'batch'] as const).map((over) => meanSquares(of, over)),
  ),
];

/** The mean over batch and classes, or over the batch alone, of the squared errors of the logits or of the probabilities. */
function meanSquares(of: 'logits' | 'probabilities', over: 'batch and classes' | 'batch'): Fault {
  const share = (row: Row, batch: number): number => 1 / batch / (over === 'batch' ? 1 : row.length);
  const errors = (row: Row, label: number): number[] => row.map((y, c) => y - Number(c === label));
  return loss(
    `other-layer/mean-squared-error-of-${of}-over-${over.replaceAll(' ', '-')}`,
    `this is a different loss: the squared error of the ${of}, mean over ${over}, but the loss under test is the softmax cross-entropy`,
    {
      loss: ({ own: { batch } }, logits, probabilities, labels) =>
        (of === 'logits' ? logits : probabilities)
          .map((row, b) => errors(row, labels[b]).reduce((sum, e) => sum + e * e, 0) * share(row, batch))
          .reduce((sum, l) => sum + l, 0),
      dLogits: ({ own }, probabilities, labels) =>
        probabilities.map((p, b) => {
          const factor = 2 * share(p, own.batch);
          if (of === 'logits') return errors(own.logits(own.finalState(b)), labels[b]).map((e) => factor * e);
          const e = errors(p, labels[b]);
          const dot = e.reduce((sum, x, c) => sum + x * p[c], 0);
          return p.map((x, c) => factor * x * (e[c] - dot));
        }),
    },
  );
}
