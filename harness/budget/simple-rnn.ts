import type { ClassifierGradients, Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import {
  evaluationOf,
  sizesOf,
  tensorOf,
  type Evaluation,
  type Problem,
  type TensorName,
} from '../base/problem';
import {
  derivativeAlong,
  emulateNetwork,
  evaluateNetwork,
  simpleRnn,
  type Network,
  type NetworkProblem,
  type RoundingModel,
  type RoundingOptions,
} from '../equations/index';

/** The names of a problem's tensors in an answer of its network, in the order of the computation. */
const networkNames: Readonly<Record<TensorName, string>> = {
  states: 'states.rnn',
  finalState: 'final.rnn.h',
  logits: 'logits',
  probabilities: 'outputs',
  loss: 'loss',
  'gradients.outputKernel': 'gradients.head.kernel',
  'gradients.outputBias': 'gradients.head.bias',
  'gradients.inputs': 'gradients.inputs',
  'gradients.initialState': 'gradients.rnn.initial.h',
  'gradients.kernel': 'gradients.rnn.kernel',
  'gradients.recurrentKernel': 'gradients.rnn.recurrentKernel',
  'gradients.bias': 'gradients.rnn.bias',
};

/** The name of a quantity of the local judgement among the steps of the network. */
export function stepName(name: TensorName | 'dPreActivations'): string {
  if (name === 'dPreActivations') return 'rnn.dz';
  return name === 'states' ? 'rnn.h' : networkNames[name];
}

export function networkName(name: TensorName): string {
  return networkNames[name];
}

const cell = simpleRnn();

/** A problem as one of the formulas: one layer `rnn`, and the dense layer with softmax where the problem has an output layer. */
export const networkOf = memoize(
  (source: Problem): { readonly network: Network; readonly problem: NetworkProblem } => {
    const { inputs, initialState, mask, labels, upstream } = source;
    const { kernel, recurrentKernel, bias, outputKernel, outputBias } = source.weights;
    const { features, units, classes } = sizesOf(source);
    return {
      network: {
        features,
        layers: [{ name: 'rnn', cell, units, reads: 'inputs' }],
        ...(classes !== undefined && { head: { classes, on: 'last', reads: 'rnn', loss: 'softmax' } }),
      },
      problem: {
        inputs,
        weights: {
          rnn: { kernel, recurrentKernel, bias },
          ...(outputKernel && outputBias && { head: { kernel: outputKernel, bias: outputBias } }),
        },
        ...(initialState && { initialStates: { rnn: { h: initialState } } }),
        ...(mask && { mask }),
        ...(labels && { labels }),
        ...(upstream && {
          upstream: {
            rnn: {
              ...(upstream.states && { sequence: upstream.states }),
              ...(upstream.finalState && { final: { h: upstream.finalState } }),
            },
          },
        }),
      },
    };
  },
);

/** An answer under the names of the network. */
export function toNetworkNames(answer: Evaluation): ReadonlyMap<string, Tensor> {
  const entries = Object.entries(networkNames) as [TensorName, string][];
  return new Map(
    entries.flatMap(([name, own]) => {
      const tensor = tensorOf(answer, name);
      return tensor === undefined ? [] : [[own, tensor] as const];
    }),
  );
}

/** An answer of the network under the names of a problem. */
export function fromNetworkNames(answer: ReadonlyMap<string, Tensor>): Evaluation {
  const entries = Object.entries(networkNames) as [TensorName, string][];
  return evaluationOf(
    new Map(
      entries.flatMap(([name, own]) => {
        const tensor = answer.get(own);
        return tensor === undefined ? [] : [[name, tensor] as const];
      }),
    ),
  );
}

/** What the formulas give in float64. */
export function doublePrecisionRun(source: Problem): Evaluation {
  const { network, problem } = networkOf(source);
  return fromNetworkNames(evaluateNetwork(network, problem));
}

/** Elementary functions that are rounded correctly. */
const exactFunctions: RoundingModel['kappa'] = { tanh: 1, sigmoid: 1, exp: 1, log: 1 };

/**
 * What an honest implementation answers in single precision, with a rounding after every operation. With default options its forward
 * pass equals the `cpu` backend of TensorFlow.js bit for bit.
 */
export function singlePrecisionRun(
  source: Problem,
  { kappa = exactFunctions, ...rounding }: RoundingOptions & { readonly kappa?: RoundingModel['kappa'] } = {},
): Evaluation {
  const { network, problem } = networkOf(source);
  return fromNetworkNames(emulateNetwork(network, problem, kappa, rounding));
}

/** How fast each number of the problem moves; what is absent stands still. */
export type Direction = Partial<Record<keyof ClassifierGradients, Float64Array>>;

const pathNames: Readonly<Record<keyof ClassifierGradients, string>> = {
  kernel: 'rnn.kernel',
  recurrentKernel: 'rnn.recurrentKernel',
  bias: 'rnn.bias',
  outputKernel: 'head.kernel',
  outputBias: 'head.bias',
  inputs: 'inputs',
  initialState: 'initialStates.rnn.h',
};

/**
 * Derivative of (loss + upstream . states) along a direction, by dual numbers in float64: one forward pass, no backward pass, so that
 * no mistake of backpropagation through time can hide here. A single 1 gives one entry of a gradient.
 */
export function derivativeOf(source: Problem, direction: Direction): number {
  const { batch, units } = sizesOf(source);
  // zeros that are not written down may move as well
  const h = source.initialState ?? { data: new Float64Array(batch * units), shape: [batch, units] };
  const { network, problem } = networkOf(source);
  const rates = Object.entries(direction).map(
    ([name, rate]) => [pathNames[name as keyof ClassifierGradients], rate] as const,
  );
  return derivativeAlong(network, { ...problem, initialStates: { rnn: { h } } }, new Map(rates));
}
