import type { Evaluation } from '../base/problem';
import { HandNetwork } from './hand-network';
import { add, multiply, times, transpose, type Row, type Rows } from './rows';
import type { Equivalent } from './fault';

/**
 * Other ways to compute the same function: they look like mistakes but are correct. The harness must not blame them.
 * `equivalent` is the proof.
 */
export const equivalents: readonly Equivalent[] = [
  {
    name: 'equivalent/softmax-without-shift',
    words: 'the largest logit is not subtracted before the exponential',
    family: 'loss',
    phase: 'loss',
    equivalent: 'e^(y - max) / sum of e^(y - max) = e^y / sum of e^y, and no e^y overflows below y = 709',
    network: class extends HandNetwork {
      protected override softmax(logits: Rows): Rows {
        return logits.map((row) => {
          const sum = row.reduce((s, y) => s + Math.exp(y), 0);
          return row.map((y) => Math.exp(y) / sum);
        });
      }
    },
  },
  {
    name: 'equivalent/summed-in-another-order',
    words: 'the gradients of the weights are summed from the first step to the last',
    family: 'carry',
    phase: 'backward',
    equivalent: 'a sum does not depend on the order of its terms, but for rounding, which the budget holds',
    network: class extends HandNetwork {
      protected override kernelGradient(): number[][] {
        const dz = this.dPreActivations.map((steps) => [...steps].reverse());
        const x = this.inputs.map((steps) => [...steps].reverse());
        return transpose(transposedProduct(dz.flat(), x.flat()));
      }
    },
  },
  {
    name: 'equivalent/slope-as-one-minus-square',
    words: '1 - h^2 is computed as written, not as (1 - h)(1 + h)',
    family: 'tanh-derivative',
    phase: 'backward',
    equivalent: '(1 - h)(1 + h) = 1 - h^2; in saturation they differ by rounding, which the budget holds',
    network: class extends HandNetwork {
      protected override slope(b: number, t: number): number[] {
        return this.states[b][t].map((h) => 1 - h * h);
      }
    },
  },
  {
    name: 'equivalent/tanh-by-exponentials',
    words: 'tanh z is computed as 1 - 2 / (e^2z + 1)',
    family: 'tanh-derivative',
    phase: 'forward',
    equivalent: '(e^z - e^-z) / (e^z + e^-z) = 1 - 2 / (e^2z + 1)',
    network: class extends HandNetwork {
      protected override activation(z: Row): number[] {
        return z.map((x) => (Math.abs(x) < 0.5 ? Math.tanh(x) : 1 - 2 / (Math.exp(2 * x) + 1)));
      }
    },
  },
  {
    name: 'equivalent/carry-from-the-left',
    words: 'recurrentKernel dz_t^T is carried back instead of dz_t recurrentKernel^T',
    family: 'transpose',
    phase: 'backward',
    equivalent: '(dz_t recurrentKernel^T)^T = recurrentKernel dz_t^T: the same numbers as a column',
    network: class extends HandNetwork {
      protected override carry(_t: number, dz: Row): Row {
        return this.recurrentKernel.map((row) => multiply(row, dz).reduce((sum, x) => sum + x, 0));
      }
    },
  },
  {
    name: 'equivalent/mean-taken-in-the-layer',
    words: 'the loss sends back the sum, and the layer divides every gradient by B in the end',
    family: 'batch-mean',
    phase: 'backward',
    equivalent: 'the backward pass is linear in what arrives, so that 1/B may be applied before or after it',
    network: class extends HandNetwork {
      protected override dPreActivation(b: number, t: number, dh: Row): Row {
        return super
          .dPreActivation(
            b,
            t,
            dh.map((x) => x * this.batch),
          )
          .map((x) => x / this.batch);
      }
    },
  },
  {
    name: 'equivalent/inputs-and-states-joined',
    words: 'x_t and h_{t-1} are joined to one row, and the two kernels to one matrix',
    family: 'weights-import',
    phase: 'forward',
    equivalent: '[x, h] [kernel; recurrentKernel] = x kernel + h recurrentKernel',
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row): number[] {
        return add(times([...x, ...before], [...this.kernel, ...this.recurrentKernel]), this.bias);
      }
    },
  },
  {
    name: 'equivalent/final-state-at-last-live-step',
    words: 'the final state is read at the last step that is not masked',
    family: 'masks',
    phase: 'forward',
    equivalent: 'masked steps copy the state, so that h_T is the state of the last live step',
    network: class extends HandNetwork {
      protected override finalState(b: number): Row {
        const live = this.states[b].map((_, t) => t).filter((t) => this.takesPart(b, t));
        return live.length === 0 ? this.initialState(b) : this.states[b][live[live.length - 1]];
      }
    },
  },
  {
    name: 'equivalent/memory-never-read',
    words: 'every call keeps a copy of its answer',
    family: 'memory',
    phase: 'forward',
    equivalent: 'the copy is never read again',
    network: class extends HandNetwork {
      protected readonly kept: Evaluation[] = [];
      protected override finish(answer: Evaluation): Evaluation {
        this.kept.push(structuredClone(answer));
        return answer;
      }
    },
  },
];

/** left^T right, row by row of both */
function transposedProduct(left: Rows, right: Rows): number[][] {
  const sum = left[0].map(() => right[0].map(() => 0));
  left.forEach((row, k) => row.forEach((x, i) => right[k].forEach((y, j) => (sum[i][j] += x * y))));
  return sum;
}
