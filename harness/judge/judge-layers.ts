import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import {
  axesOf,
  evaluationOf,
  expectedNames,
  expectedShape,
  partOf,
  tensorOf,
  type Axis,
  type Evaluation,
  type LayeredProblem,
} from '../base/problem';
import { askedForSteps } from '../budget/index';
import {
  answerOf,
  asOutcome,
  equationsOf,
  evaluateNetwork,
  isGradientName,
  isRecurrent,
  shapesOfSteps,
  type Network,
} from '../equations/index';
import type { TensorVerdict } from './verdict';

/** An equation by its name in `stepsOfNetwork`, and what the axes of its quantity count. */
export interface LocalStep {
  readonly own: string;
  readonly axes: readonly Axis[];
}

/** Why a quantity was not judged. */
export type Unseen = Pick<TensorVerdict, 'status' | 'reason'>;

/** Everything of a local judgement that follows from the problem alone. */
export interface LayersInSteps {
  /** what a side is asked: with one more feature, always zero, for every inner gradient of the first layer (`instrument`) */
  readonly asked: LayeredProblem;
  /** each equation by its name in reports, in the order of the computation */
  readonly steps: ReadonlyMap<string, LocalStep>;
}

/** How the layers of a problem are judged equation by equation: the ledger comes from a run in float64, never from an answer. */
export const layersInSteps: (problem: LayeredProblem) => LayersInSteps = memoize((source) => {
  const { network, problem, names } = equationsOf(source);
  const wider = askedForSteps(network, problem);
  const dotted = new Map([...names].flatMap(([name, own]) => (own.length === 1 ? [[own[0], name]] : [])));
  const asked = wider.network === network ? source : withMoreFeatures(source, wider);
  // what a full answer shows, and no more: the merged output of two directions is no tensor of an answer
  const equations = equationsOf(asked);
  const whole = answerOf(equations, evaluateNetwork(wider.network, wider.problem));
  const answer = asOutcome(equations, (name) => whole.get(name));
  return {
    asked,
    steps: new Map(
      [...shapesOfSteps(network, problem, answer)].flatMap(([own, shape]) => {
        const name = dotted.get(own) ?? own;
        const isResult = names.has(name);
        // what a cell carries but the layer does not show as a state (a dense layer's output) is no result
        if (
          !isResult &&
          /^(final|gradients)\./.test(own) &&
          ![...names.values()].some((one) => one.includes(own))
        )
          return [];
        const axes = isResult ? axesOf(source, name) : axesOfStep(network, own, shape);
        return [[name, { own, axes }] as const];
      }),
    ),
  };
});

/** [B, T, n] of a quantity, its columns by gate where it has several. */
function axesOfStep(network: Network, own: string, shape: readonly number[]): Axis[] {
  const found = /^(\w+)\.\w+?(?:\[(.*)\])?$/u.exec(own);
  const layer = network.layers.find(({ name }) => name === found?.at(1));
  const blocks = found?.at(2)?.split(' ');
  const whole =
    layer !== undefined && isRecurrent(layer) ? layer.cell.axes.get(own.split('.d')[1] ?? '') : undefined;
  const gates = blocks ?? (whole !== undefined && whole.length > 1 ? whole : undefined);
  const counts = ['example', 'timeStep', own === 'logits' ? 'output' : 'unit'] as const;
  return shape.map((size, i) => ({
    counts: shape.length === 3 ? counts[i] : (['example', 'unit'] as const)[i],
    size,
    ...(i === shape.length - 1 && gates && { gates }),
  }));
}

/** The problem with the inputs and first weights of its instrumented equations. */
export function withMoreFeatures(
  source: LayeredProblem,
  { network, problem }: ReturnType<typeof askedForSteps>,
): LayeredProblem {
  const [first, ...others] = source.weights;
  const { names } = equationsOf(source);
  const wider = Object.entries(first).map(([weight, tensor]): [string, Tensor] => {
    const [own = ''] = names.get(`gradients.weights.layer1.${weight}`) ?? [];
    const [, layer, name] = own.split('.');
    const made = (problem.weights[layer] as Partial<Record<string, Tensor>> | undefined)?.[name];
    return [
      weight,
      made !== undefined && made.shape.length === 2 && made.shape[0] !== tensor.shape[0] ? made : tensor,
    ];
  });
  return {
    ...source,
    model: { ...source.model, features: network.features },
    inputs: problem.inputs,
    weights: [Object.fromEntries(wider), ...others],
  };
}

/** The tensors of an answer that have the shape that was asked for. */
export function shownOfLayers(source: LayeredProblem, answer: Evaluation): Evaluation {
  const { asked } = layersInSteps(source);
  const readable = new Map<string, Tensor>();
  for (const name of expectedNames(asked)) {
    const tensor = tensorOf(answer, name);
    if (tensor?.shape.join() === expectedShape(asked, name).join()) readable.set(name, tensor);
  }
  return evaluationOf(readable);
}

/** Why there is no equation to judge: something that it needs is not there, or has another shape. */
export function unseenInLayers(
  problem: LayeredProblem,
  answer: Evaluation,
  name: string,
  omits: readonly string[],
): Unseen {
  const { asked } = layersInSteps(problem);
  const absent = expectedNames(asked).filter((one) => tensorOf(answer, one) === undefined);
  const undeclared = absent.filter((one) => !omits.includes(one));
  const wrong = expectedNames(asked).find((one) => {
    const given = tensorOf(answer, one);
    return given !== undefined && given.shape.join() !== expectedShape(asked, one).join();
  });
  if (wrong !== undefined) {
    const reason = `cannot be judged step by step: ${wrong} has shape [${tensorOf(answer, wrong)?.shape.join(', ') ?? ''}], but [${expectedShape(asked, wrong).join(', ')}] was expected (the problem with ${partOf(asked, 'inputs')?.shape[2] ?? 0} features)`;
    return { status: 'shape', reason };
  }
  if (undeclared.length > 0)
    return {
      status: 'missing',
      reason: `cannot be judged step by step: ${undeclared.join(', ')} is missing`,
    };
  return {
    status: 'omitted',
    reason: `cannot be judged step by step: ${namesInWords(absent, asked, name)} not given (declared beforehand)`,
  };
}

const isGradient = (name: string): boolean => name.startsWith('gradients.');

/** What a quantity would have been judged by, `the gradients are` or `layer1.h, loss are`: a backward one by gradients, if they are missing. */
function namesInWords(absent: readonly string[], asked: LayeredProblem, quantity: string): string {
  const gradients = absent.filter(isGradient);
  const named =
    isGradientName(equationsOf(asked).network, quantity) && gradients.length > 0 ? gradients : absent;
  const all = expectedNames(asked).filter(isGradient);
  if (named.length === gradients.length && gradients.length === all.length) return 'the gradients are';
  return `${named.join(', ')} ${named.length === 1 ? 'is' : 'are'}`;
}

/** The equations that a tensor is made by: every quantity before it, and its own. */
export function madeByLayers(problem: LayeredProblem, name: string): string[] {
  const all = [...layersInSteps(problem).steps.keys()];
  const { network } = equationsOf(problem);
  const isBackward = (one: string): boolean => isGradientName(network, one);
  const isResult = (one: string): boolean => expectedNames(problem).includes(one);
  const inner = all.filter((one) => !isResult(one) && (isBackward(name) || !isBackward(one)));
  return [...inner, ...(all.includes(name) ? [name] : [])];
}
