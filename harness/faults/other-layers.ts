import type { Fault } from './fault';
import { faultIn, withValue, type Way } from './faulty';
import { lossChanged, sumOf, type Row } from './loss-ways';

const forward = faultIn('other-layer', 'forward');
const loss = faultIn('other-layer', 'loss');

type Activation = readonly [f: (z: number) => number, slope: (z: number, h: number) => number];

/** Activations that the formulas do not know: f(z), and its derivative from z and f(z). */
const activations: Readonly<Record<string, Activation>> = {
  softsign: [(z) => z / (1 + Math.abs(z)), (_, h) => (1 - Math.abs(h)) ** 2],
  'hard tanh': [(z) => Math.min(Math.max(z, -1), 1), (z) => Number(Math.abs(z) < 1)],
};

/** h_t = f(z_t), and dz_t = dh_t f'(z_t) */
export function activated([f, slope]: Activation): Way {
  return ({ layer, problem: { mask }, timeSteps }) => {
    const seen = new Map<string, Float64Array>();
    return {
      observe: (place, block) => {
        const { name, t = 0 } = place;
        const [z, dh] = ['z', 'dh'].map((own) => seen.get(`${own} ${t}`) ?? new Float64Array());
        seen.set(`${name} ${t}`, block.value);
        const isLive = (i: number): boolean => mask?.data[Math.floor(i / layer.units) * timeSteps + t] !== 0;
        if (name === 'h') return withValue(block, (h, i) => (isLive(i) ? f(z[i]) : h));
        if (name === 'dz') return withValue(block, (_, i) => (isLive(i) ? dh[i] * slope(z[i], f(z[i])) : 0));
        return block;
      },
    };
  };
}

/** Layers and losses that may be right, and are others than the ones that are judged: tanh, and the softmax cross-entropy. */
export const otherLayers: readonly Fault[] = [
  ...Object.entries(activations).map(([name, activation]) =>
    forward(
      `other-layer/${name.replace(' ', '-')}`,
      `this is a different layer: its activation is ${name}, but the layer under test has tanh`,
      activated(activation),
    ),
  ),
  loss(
    'other-layer/sigmoid-output',
    'this is a different output layer: each class has its own sigmoid, but the layer under test has a softmax over all classes',
    lossChanged(({ logits }) => ({ p: logits.map((row) => row.map((y) => 1 / (1 + Math.exp(-y)))) })),
  ),
  ...(['logits', 'probabilities'] as const).flatMap((of) =>
    (['batch and classes', 'batch'] as const).map((over) => meanSquares(of, over)),
  ),
];

/** The mean over batch and classes, or over the batch alone, of the squared errors of the logits or of the probabilities. */
function meanSquares(of: 'logits' | 'probabilities', over: 'batch and classes' | 'batch'): Fault {
  return loss(
    `other-layer/mean-squared-error-of-${of}-over-${over.replaceAll(' ', '-')}`,
    `this is a different loss: the squared error of the ${of}, mean over ${over}, but the loss under test is the softmax cross-entropy`,
    lossChanged(({ logits, p, labels }, { batch, classes }) => {
      const share = 1 / batch / (over === 'batch' ? 1 : classes);
      const errors = (of === 'logits' ? logits : p).map((row, b): Row =>
        row.map((y, c) => y - Number(c === labels[b])),
      );
      const dot = (b: number): number => sumOf(errors[b].map((e, c) => e * p[b][c]));
      return {
        loss: share * sumOf(errors.flat().map((e) => e * e)),
        dLogits: errors.map((row, b) =>
          row.map((e, c) => 2 * share * (of === 'logits' ? e : p[b][c] * (e - dot(b)))),
        ),
      };
    }),
  );
}
