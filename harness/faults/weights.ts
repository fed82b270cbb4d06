import type { Tensor } from '../../scratch/index';
import type { Problem, ProblemWeights } from '../base/problem';
import { mapTensor } from './answers';
import { tensor } from './forward-by-hand';
import { HandNetwork } from './hand-network';
import { add, scale, times, transpose, type Row } from './rows';
import type { Fault } from './fault';

export type WeightName = keyof ProblemWeights;

const weights = { family: 'weights-import', phase: 'forward' } as const;
const transposed = { family: 'transpose', phase: 'forward' } as const;

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
  },
  {
    name: 'weights/kernel-and-recurrent-kernel-swapped',
    words: 'kernel and recurrentKernel are swapped',
    ...weights,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { kernel, recurrentKernel } = problem.weights;
        return isSquare(problem.weights.kernel)
          ? withWeights(problem, { kernel: recurrentKernel, recurrentKernel: kernel })
          : problem;
      }
    },
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
  },
  {
    name: 'transpose/kernel-on-import',
    words: 'the kernel is imported transposed, forward and backward alike',
    ...transposed,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        return isSquare(problem.weights.kernel)
          ? withWeights(problem, { kernel: transposedTensor(problem.weights.kernel) })
          : problem;
      }
    },
  },
  {
    name: 'transpose/recurrent-kernel-gradient',
    words:
      'the gradient of the recurrent kernel is returned transposed: dz_t^T h_{t-1} instead of h_{t-1}^T dz_t',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override recurrentKernelGradient(): number[][] {
        return transpose(super.recurrentKernelGradient());
      }
    },
  },
  {
    name: 'transpose/input-gradient',
    words: 'dx_t is dz_t kernel instead of dz_t kernel^T',
    family: 'transpose',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputGradient(dz: Row, t: number): Row {
        return this.kernel.length === dz.length ? times(dz, this.kernel) : super.inputGradient(dz, t);
      }
    },
  },
  {
    name: 'weights/input-gradient-through-recurrent-kernel',
    words: 'dx_t is computed with the recurrent kernel instead of the kernel',
    family: 'weights-import',
    phase: 'backward',
    network: class extends HandNetwork {
      protected override inputGradient(dz: Row, t: number): Row {
        return this.kernel.length === dz.length
          ? times(dz, transpose(this.recurrentKernel))
          : super.inputGradient(dz, t);
      }
    },
  },
  {
    name: 'weights/biases-swapped',
    words: 'the biases of the layer and of the output layer are swapped',
    ...weights,
    network: class extends HandNetwork {
      protected override imported(problem: Problem): Problem {
        const { bias, outputBias } = problem.weights;
        return outputBias?.shape[0] === bias.shape[0]
          ? withWeights(problem, { bias: outputBias, outputBias: bias })
          : problem;
      }
    },
  },
  {
    name: 'weights/bias-at-first-step-only',
    words: 'the bias is added at the first time step only',
    ...weights,
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row, t: number): number[] {
        const z = add(times(x, this.kernel), times(before, this.recurrentKernel));
        return t === 0 ? add(z, this.bias) : z;
      }
    },
  },
  {
    name: 'weights/last-feature-dropped',
    words: 'a loop ends one iteration too early: the last feature of every input is left out',
    ...weights,
    network: class extends HandNetwork {
      protected override inputAt(b: number, t: number): Row {
        return withoutLast(super.inputAt(b, t));
      }
    },
  },
  {
    name: 'weights/last-unit-dropped',
    words: 'a loop ends one iteration too early: the last unit of the previous state is left out',
    ...weights,
    network: class extends HandNetwork {
      protected override preActivation(x: Row, before: Row, t: number): number[] {
        return super.preActivation(x, withoutLast(before), t);
      }
    },
  },
  {
    name: 'weights/states-too-large',
    words: 'every state is 1 % too large',
    ...weights,
    network: class extends HandNetwork {
      protected override activation(z: Row, t: number): number[] {
        return scale(super.activation(z, t), 1.01);
      }
    },
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
  };
}

/** The same problem with other weights. */
export function withWeights(problem: Problem, changed: Partial<Record<WeightName, Tensor>>): Problem {
  return { ...problem, weights: { ...problem.weights, ...changed } };
}

function withoutLast(row: Row): number[] {
  return row.map((x, i) => (i === row.length - 1 ? 0 : x));
}

/** F = U: the kernel and what stands in its place have one shape. */
function isSquare({ shape: [rows, columns] }: Tensor): boolean {
  return rows === columns;
}

function transposedTensor({ data, shape }: Tensor): Tensor {
  const [rows, columns] = shape;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return { data: out, shape: [columns, rows] };
}
