import type { Phase } from '../base/problem';
import type { Arithmetic, Block } from '../equations/index';
import type { Equivalent, Family } from './fault';
import { faultIn, formula, quantity, withValue, type Way } from './faulty';
import { lossChanged, sumOf } from './loss-ways';
import { activated } from './other-layers';

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
    lossChanged(({ logits }) => ({
      p: logits.map((row) => row.map((y) => Math.exp(y) / sumOf(row.map(Math.exp)))),
    })),
  ),
  harmless(
    'summed-in-another-order',
    'the gradients of the weights are summed from the first step to the last',
    ['carry', 'backward'],
    'a sum does not depend on the order of its terms, but for rounding, which the budget holds',
    () => ({
      around: <V extends Block>(own: Arithmetic<V>): Arithmetic<V> => ({
        ...own,
        outer: (shares) => own.outer(shares.toReversed()),
      }),
    }),
  ),
  harmless(
    'slope-as-one-minus-square',
    '1 - h^2 is computed as written, not as (1 - h)(1 + h)',
    ['tanh-derivative', 'backward'],
    '(1 - h)(1 + h) = 1 - h^2; in saturation they differ by rounding, which the budget holds',
    formula({ dz: 'dh_t ∘ (1 - h_t ∘ h_t)' }),
  ),
  harmless(
    'tanh-by-exponentials',
    'tanh z is computed as 1 - 2 / (e^2z + 1)',
    ['tanh-derivative', 'forward'],
    '(e^z - e^-z) / (e^z + e^-z) = 1 - 2 / (e^2z + 1)',
    activated([
      (z) => (Math.abs(z) < 0.5 ? Math.tanh(z) : 1 - 2 / (Math.exp(2 * z) + 1)),
      (_, h) => (1 - h) * (1 + h),
    ]),
  ),
  harmless(
    'carry-from-the-left',
    'recurrentKernel dz_t^T is carried back instead of dz_t recurrentKernel^T',
    ['transpose', 'backward'],
    '(dz_t recurrentKernel^T)^T = recurrentKernel dz_t^T: the same numbers as a column',
    formula({ toBefore: 'dz_t · recurrentKernelᵀ' }),
  ),
  harmless(
    'mean-taken-in-the-layer',
    'the loss sends back the sum, and the layer divides every gradient by B in the end',
    ['batch-mean', 'backward'],
    'the backward pass is linear in what arrives, so that 1/B may be applied before or after it',
    quantity('dz', (dz, _, { batch }) => (dz * batch) / batch),
  ),
  harmless(
    'inputs-and-states-joined',
    'x_t and h_{t-1} are joined to one row, and the two kernels to one matrix',
    ['weights-import', 'forward'],
    '[x, h] [kernel; recurrentKernel] = x kernel + h recurrentKernel',
    () => ({
      around: <V extends Block>(own: Arithmetic<V>): Arithmetic<V> => ({
        ...own,
        sum: (terms, factor) => own.sum(terms.toReversed(), factor),
      }),
    }),
  ),
  harmless(
    'final-state-at-last-live-step',
    'the final state is read at the last step that is not masked',
    ['masks', 'forward'],
    'masked steps copy the state, so that h_T is the state of the last live step',
    ({ layer, problem: { mask }, timeSteps }) => ({
      ran: (_, ran) => {
        const { sequence, steps } = ran;
        const [carry] = layer.cell.carries;
        const last = withValue(ran.final[carry], (_own, i) => {
          const begin = Math.floor(i / layer.units) * timeSteps;
          const live =
            mask?.data.subarray(begin, begin + timeSteps).findLastIndex((m) => m !== 0) ?? timeSteps - 1;
          return live < 0 ? steps[0].before[carry].value[i] : sequence[live].value[i];
        });
        return { ...ran, final: { ...ran.final, [carry]: last } };
      },
    }),
  ),
  harmless(
    'memory-never-read',
    'every call keeps a copy of its answer',
    ['memory', 'forward'],
    'the copy is never read again',
    ({ problem }) => ({
      finish: (outcome) => {
        kept.set(problem, new Map(outcome));
        return outcome;
      },
    }),
  ),
];

const kept = new WeakMap<object, unknown>();

function harmless(
  name: string,
  words: string,
  [family, phase]: [Family, Phase],
  equivalent: string,
  way: Way,
): Equivalent {
  return { ...faultIn(family, phase)(`equivalent/${name}`, words, way), equivalent };
}
