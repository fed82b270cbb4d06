import type { Phase } from '../base/problem';
import type { Equivalent, Family } from './fault';
import { faultIn } from './faulty';
import type { HandNetwork } from './hand-network';
import { add, multiply, times, transpose, type Rows } from './rows';
import type { Wrong } from './wrong';

/**
 * Other ways to compute the same function: they look like mistakes but are correct. The harness must not blame them.
 * `equivalent` is the proof.
 */
export const equivalents: readonly Equivalent[] = [
  harmless(
    'softmax-without-shift',
    'the largest logit is not subtracted before the exponential',
    ['loss', 'loss'],
    'e^(y - max) / sum of e^(y - max) = e^y / sum of e^y, and no e^y overflows below y = 709',
    {
      softmax: (_, logits) =>
        logits.map((row) => {
          const sum = row.reduce((s, y) => s + Math.exp(y), 0);
          return row.map((y) => Math.exp(y) / sum);
        }),
    },
  ),
  harmless(
    'summed-in-another-order',
    'the gradients of the weights are summed from the first step to the last',
    ['carry', 'backward'],
    'a sum does not depend on the order of its terms, but for rounding, which the budget holds',
    {
      kernelGradient: ({ own }) => {
        const dz = own.dPreActivations.map((steps) => [...steps].reverse());
        const x = own.inputs.map((steps) => [...steps].reverse());
        return transpose(transposedProduct(dz.flat(), x.flat()));
      },
    },
  ),
  harmless(
    'slope-as-one-minus-square',
    '1 - h^2 is computed as written, not as (1 - h)(1 + h)',
    ['tanh-derivative', 'backward'],
    '(1 - h)(1 + h) = 1 - h^2; in saturation they differ by rounding, which the budget holds',
    { slope: ({ own }, b, t) => own.states[b][t].map((h) => 1 - h * h) },
  ),
  harmless(
    'tanh-by-exponentials',
    'tanh z is computed as 1 - 2 / (e^2z + 1)',
    ['tanh-derivative', 'forward'],
    '(e^z - e^-z) / (e^z + e^-z) = 1 - 2 / (e^2z + 1)',
    {
      activation: (_, z) => z.map((x) => (Math.abs(x) < 0.5 ? Math.tanh(x) : 1 - 2 / (Math.exp(2 * x) + 1))),
    },
  ),
  harmless(
    'carry-from-the-left',
    'recurrentKernel dz_t^T is carried back instead of dz_t recurrentKernel^T',
    ['transpose', 'backward'],
    '(dz_t recurrentKernel^T)^T = recurrentKernel dz_t^T: the same numbers as a column',
    {
      carry: ({ own }, _t, dz) =>
        own.recurrentKernel.map((row) => multiply(row, dz).reduce((sum, x) => sum + x, 0)),
    },
  ),
  harmless(
    'mean-taken-in-the-layer',
    'the loss sends back the sum, and the layer divides every gradient by B in the end',
    ['batch-mean', 'backward'],
    'the backward pass is linear in what arrives, so that 1/B may be applied before or after it',
    {
      dPreActivation: ({ own: { batch }, right }, b, t, dh) =>
        right(
          b,
          t,
          dh.map((x) => x * batch),
        ).map((x) => x / batch),
    },
  ),
  harmless(
    'inputs-and-states-joined',
    'x_t and h_{t-1} are joined to one row, and the two kernels to one matrix',
    ['weights-import', 'forward'],
    '[x, h] [kernel; recurrentKernel] = x kernel + h recurrentKernel',
    {
      preActivation: ({ own: { kernel, recurrentKernel, bias } }, x, before) =>
        add(times([...x, ...before], [...kernel, ...recurrentKernel]), bias),
    },
  ),
  harmless(
    'final-state-at-last-live-step',
    'the final state is read at the last step that is not masked',
    ['masks', 'forward'],
    'masked steps copy the state, so that h_T is the state of the last live step',
    {
      finalState: ({ own }, b) => {
        const live = own.states[b].map((_, t) => t).filter((t) => own.takesPart(b, t));
        return live.length === 0 ? own.initialState(b) : own.states[b][live[live.length - 1]];
      },
    },
  ),
  harmless(
    'memory-never-read',
    'every call keeps a copy of its answer',
    ['memory', 'forward'],
    'the copy is never read again',
    {
      finish: ({ own }, answer) => {
        kept.set(own, structuredClone(answer));
        return answer;
      },
    },
  ),
];

const kept = new WeakMap<HandNetwork, unknown>();

function harmless(
  name: string,
  words: string,
  [family, phase]: [Family, Phase],
  equivalent: string,
  changed: Wrong<HandNetwork>,
): Equivalent {
  return { ...faultIn(family, phase)(`equivalent/${name}`, words, changed), equivalent };
}

/** left^T right, row by row of both */
function transposedProduct(left: Rows, right: Rows): number[][] {
  const sum = left[0].map(() => right[0].map(() => 0));
  left.forEach((row, k) => row.forEach((x, i) => right[k].forEach((y, j) => (sum[i][j] += x * y))));
  return sum;
}
