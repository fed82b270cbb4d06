import type { Problem, ProblemWeights } from '../base/problem';
import { changeGradients, mapTensor } from './answers';
import { HandNetwork } from './hand-network';
import type { Row } from './rows';
import type { Fault } from './fault';
import { withWeights } from './weights';

const forward = { family: 'precision', phase: 'forward' } as const;
const backward = { family: 'precision', phase: 'backward' } as const;
/** Where rounding to float32 shows: a float32 side does it everywhere. */
const inFloat64 = { precision: 'float64' } as const;

/** Faults of too few digits in one place. */
export const precisionFaults: readonly Fault[] = [
  ...(['kernel', 'recurrentKernel', 'bias'] as const).map((name): Fault => ({
    ...forward,
    name: `precision/float16-${name}`,
    words: `the ${name} is kept in float16, with 11 significant bits`,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        return withWeights(problem, { [name]: mapTensor(problem.weights[name], toFloat16) });
      }
    },
  })),
  outputInFloat16('outputKernel'),
  {
    name: 'precision/float16-inputs',
    words: 'the inputs are kept in float16, with 11 significant bits',
    ...forward,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        return { ...problem, inputs: mapTensor(problem.inputs, toFloat16) };
      }
    },
  },
  {
    name: 'precision/float16-states',
    words: 'every state is rounded to float16, with 11 significant bits',
    ...forward,
    network: class extends HandNetwork {
      protected override activation(z: Row, t: number): number[] {
        return super.activation(z, t).map(toFloat16);
      }
    },
  },
  {
    name: 'precision/float16-gradients',
    words: 'the gradients of the pre-activations are rounded to float16, with 11 significant bits',
    ...backward,
    network: class extends HandNetwork {
      protected override dPreActivation(b: number, t: number, dh: Row): Row {
        return super.dPreActivation(b, t, dh).map(toFloat16);
      }
    },
  },
  {
    name: 'precision/float32-states',
    words: 'every state is rounded to float32 inside the float64 side',
    ...forward,
    ...inFloat64,
    network: class extends HandNetwork {
      protected override activation(z: Row, t: number): number[] {
        return super.activation(z, t).map(Math.fround);
      }
    },
  },
  {
    name: 'precision/float32-gradients',
    words: 'the gradients of the pre-activations are rounded to float32 inside the float64 side',
    ...backward,
    ...inFloat64,
    network: class extends HandNetwork {
      protected override dPreActivation(b: number, t: number, dh: Row): Row {
        return super.dPreActivation(b, t, dh).map(Math.fround);
      }
    },
  },
  {
    name: 'precision/float32-weight-gradients',
    words: 'the gradients of the weights are stored in float32 by the float64 side',
    ...backward,
    ...inFloat64,
    network: class extends HandNetwork {
      protected override finish(answer: ReturnType<HandNetwork['evaluate']>) {
        return changeGradients(answer, ['kernel', 'recurrentKernel', 'bias'], (gradient) =>
          mapTensor(gradient, Math.fround),
        );
      }
    },
  },
];

function outputInFloat16(name: keyof ProblemWeights): Fault {
  return {
    name: `precision/float16-${name}`,
    words: `the ${name} is kept in float16, with 11 significant bits`,
    family: 'precision',
    phase: 'loss',
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const own = problem.weights[name];
        return own === undefined ? problem : withWeights(problem, { [name]: mapTensor(own, toFloat16) });
      }
    },
  };
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
