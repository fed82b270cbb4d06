import type { Tensor } from '../../scratch/index';
import type { Problem, ProblemWeights } from '../base/problem';
import { mapTensor } from './answers';
import { tensor } from './forward-by-hand';
import { HandNetwork } from './hand-network';
import { add, times, transpose, type Row } from './rows';
import { all, featuresAreUnits, hasGradients, hasOutput, moreThanOneUnit } from './shows';
import type { Fault } from './fault';

export type WeightName = keyof ProblemWeights;

const weights = { family: 'weights-import', phase: 'forward' } as const;
const transposed = { family: 'transpose', phase: 'forward' } as const;
const square = 'F is not U, so that the shapes would not fit';

/** Faults of how weights are imported and used. */
export const weightFaults: readonly Fault[] = [
  {
    name: 'weights/bias-twice',
    words: 'the bias is added twice',
    ...weights,
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row, t: number): number[] {
        return add(super.preActivation(x, before, t), this.bias);
      }
    },
    shows: () => true,
  },
  {
    name: 'weights/bias-forgotten',
    words: 'the bias is not added',
    ...weights,
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row): number[] {
        return add(times(x, this.kernel), times(before, this.recurrentKernel));
      }
    },
    shows: () => true,
  },
  {
    name: 'weights/output-bias-forgotten',
    words: 'the bias of the output layer is not added',
    family: 'weights-import',
    phase: 'loss',
    network: class extends HandNetwork {
      protected override logits(h: Row): number[] {
        return times(h, this.outputKernel ?? []);
      }
    },
    shows: hasOutput,
    equivalent: 'there is no output layer',
  },
  {
    name: 'weights/kernel-and-recurrent-kernel-swapped',
    words: 'kernel and recurrentKernel are swapped',
    ...weights,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { kernel, recurrentKernel } = problem.weights;
        return featuresAreUnits(problem)
          ? withWeights(problem, { kernel: recurrentKernel, recurrentKernel: kernel })
          : problem;
      }
    },
    shows: featuresAreUnits,
    equivalent: square,
  },
  {
    name: 'weights/kernel-read-in-the-other-order',
    words: 'the numbers of the kernel are read as if they were stored as [U, F]',
    ...weights,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { data, shape } = problem.weights.kernel;
        const columns = Array.from({ length: shape[1] }, (_, j) =>
          data.slice(j * shape[0], (j + 1) * shape[0]),
        );
        const kernel = tensor(transpose(columns.map((column) => Array.from(column))));
        return withWeights(problem, { kernel });
      }
    },
    shows: ({ inputs, weights: { bias } }) => inputs.shape[2] > 1 && bias.shape[0] > 1,
    equivalent: 'F = 1 or U = 1, so that both orders are the same',
  },
  {
    name: 'weights/units-of-bias-reversed',
    words: 'the bias is imported with its units in reverse order',
    ...weights,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { data, shape } = problem.weights.bias;
        return withWeights(problem, { bias: { data: data.slice().reverse(), shape } });
      }
    },
    shows: moreThanOneUnit,
    equivalent: 'U = 1',
  },
  {
    name: 'transpose/recurrent-kernel-on-import',
    words: 'the recurrent kernel is imported transposed, forward and backward alike',
    ...transposed,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        return withWeights(problem, { recurrentKernel: transposedTensor(problem.weights.recurrentKernel) });
      }
    },
    shows: moreThanOneUnit,
    equivalent: 'U = 1, so that the recurrent kernel is its own transpose',
  },
  {
    name: 'transpose/kernel-on-import',
    words: 'the kernel is imported transposed, forward and backward alike',
    ...transposed,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        return featuresAreUnits(problem)
          ? withWeights(problem, { kernel: transposedTensor(problem.weights.kernel) })
          : problem;
      }
    },
    shows: all(featuresAreUnits, moreThanOneUnit),
    equivalent: square,
  },
  {
    name: 'transpose/recurrent-kernel-gradient',
    words:
      'the gradient of the recurrent kernel is returned transposed: dz_t^T h_{t-1} in place of h_{t-1}^T dz_t',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override recurrentKernelGradient(): number[][] {
        return transpose(super.recurrentKernelGradient());
      }
    },
    shows: all(hasGradients, moreThanOneUnit),
    equivalent: 'U = 1, so that the gradient is its own transpose',
  },
  {
    name: 'transpose/input-gradient',
    words: 'dx_t is dz_t kernel in place of dz_t kernel^T',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputGradient(dz: Row, t: number): Row {
        return this.kernel.length === dz.length ? times(dz, this.kernel) : super.inputGradient(dz, t);
      }
    },
    shows: all(hasGradients, featuresAreUnits, moreThanOneUnit),
    equivalent: square,
  },
  {
    name: 'weights/input-gradient-through-recurrent-kernel',
    words: 'dx_t is taken through the recurrent kernel in place of the kernel',
    family: 'weights-import',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputGradient(dz: Row, t: number): Row {
        return this.kernel.length === dz.length
          ? times(dz, transpose(this.recurrentKernel))
          : super.inputGradient(dz, t);
      }
    },
    shows: all(hasGradients, featuresAreUnits),
    equivalent: square,
  },
  ...[0.01, 0.001, 0.0001].map((share): Fault => ({
    ...weightOff('recurrentKernel', 0, (x) => x * (1 + share)),
    name: `weights/one-weight-off-by-${100 * share}-percent`,
    words: `one element of the recurrent kernel is ${100 * share} % too large`,
  })),
];

/** One number of one weight is not what was given. */
export function weightOff(name: WeightName, index: number, change: (x: number) => number): Fault {
  const output = name === 'outputKernel' || name === 'outputBias';
  return {
    name: `weights/one-weight-off`,
    words: `element ${index} of ${name} is wrong`,
    family: 'weights-import',
    phase: output ? 'loss' : 'forward',
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const own = problem.weights[name];
        if (own === undefined) return problem;
        const off = mapTensor(own, (x, i) => (i === index ? change(x) : x));
        return withWeights(problem, { [name]: off });
      }
    },
    shows: ({ weights: { [name]: own } }) => own !== undefined && own.data[index] !== 0,
    equivalent: 'that weight is zero, or there is none',
  };
}

/** The same problem with other weights. */
export function withWeights(problem: Problem, changed: Partial<Record<WeightName, Tensor>>): Problem {
  return { ...problem, weights: { ...problem.weights, ...changed } };
}

function transposedTensor({ data, shape }: Tensor): Tensor {
  const [rows, columns] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return { data: out, shape: [columns, rows] };
}
