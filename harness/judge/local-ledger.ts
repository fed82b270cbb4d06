import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import {
  axesOf,
  expectedNames,
  expectedShape,
  isLayered,
  partOf,
  partsOf,
  tensorOf,
  withParts,
  type AnyProblem,
  type Axis,
  type Evaluation,
} from '../base/problem';
import { askedForSteps } from '../budget/index';
import {
  answerOf,
  asOutcome,
  equationsOf,
  evaluateNetwork,
  isGradientName,
  isRecurrent,
  rankOf,
  shapesOfSteps,
  type Network,
} from '../equations/index';
import type { TensorVerdict } from './verdict';

/** An equation by its name in `stepsOfNetwork`, and what the axes of its quantity count. */
export interface LocalStep {
  readonly own: string;
  readonly axes: readonly Axis[];
}

/** Everything of a local judgement that follows from the problem alone. */
interface LocalLedger {
  /** what a side is asked: with one more feature, always zero, for every inner gradient of the first layer (`instrument`) */
  readonly asked: AnyProblem;
  /** each equation by its name in reports, in the order of the computation */
  readonly steps: ReadonlyMap<string, LocalStep>;
}

/** How a problem is judged equation by equation: the ledger comes from a run in float64, never from an answer. */
export const ledgerOf: (problem: AnyProblem) => LocalLedger = memoize((source) => {
  const { network, problem, names, called } = equationsOf(source);
  const wider = askedForSteps(network, problem);
  const results = new Set(expectedNames(source));
  const dotted = new Map([...names].flatMap(([name, own]) => (own.length === 1 ? [[own[0], name]] : [])));
  const asked = wider.network === network ? source : withMoreFeatures(source, wider);
  // what a full answer shows, and no more: the merged output of two directions is no tensor of an answer
  const equations = equationsOf(asked);
  const whole = answerOf(equations, evaluateNetwork(wider.network, wider.problem));
  const answer = asOutcome(equations, (name) => whole.get(name));
  const shapes = [...shapesOfSteps(network, problem, answer)].sort(
    ([one], [other]) => rankOf(network, one) - rankOf(network, other),
  );
  return {
    asked,
    steps: new Map(
      shapes.flatMap(([own, shape]): [string, LocalStep][] => {
        const name = called?.get(own) ?? dotted.get(own) ?? own;
        if (results.has(name)) return [[name, { own, axes: axesOf(source, name) }]];
        // what a cell carries but the layer does not show as a state (a dense layer's output) is no result
        const isPart = [...results].some((one) => names.get(one)?.includes(own) === true);
        if (/^(final|gradients)\./.test(own) && !isPart) return [];
        return [[name, { own, axes: axesOfStep(network, own, shape) }]];
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
export function withMoreFeatures<P extends AnyProblem>(
  source: P,
  { network, problem }: ReturnType<typeof askedForSteps>,
): P {
  const { names } = equationsOf(source);
  const wider = partsOf(source).flatMap((name): [string, Tensor][] => {
    const own = (names.get(`gradients.${name}`) ?? names.get(name.replace('weights.', 'gradients.')))?.at(0);
    const [, layer = '', weight = ''] = own?.split('.') ?? [];
    const made = (problem.weights[layer] as Partial<Record<string, Tensor>> | undefined)?.[weight];
    const isWider = made?.shape.length === 2 && made.shape[0] !== partOf(source, name)?.shape[0];
    return made !== undefined && isWider ? [[name, made]] : [];
  });
  const made = withParts(source, [['inputs', problem.inputs], ...wider]);
  return isLayered(source) ? { ...made, model: { ...source.model, features: network.features } } : made;
}

/** The equations that a tensor is made by, from the inputs on: of every quantity before it that is handed on, and its own. */
export function madeBy(problem: AnyProblem, name: string): string[] {
  const { network, names } = equationsOf(problem);
  const { steps } = ledgerOf(problem);
  const rank = (one: string): number => rankOf(network, steps.get(one)?.own ?? names.get(one)?.[0] ?? one);
  const isHandedOn = ({ own }: LocalStep): boolean => own === 'logits' || !isResult(own);
  const before = [...steps].filter(([one, step]) => isHandedOn(step) && rank(one) <= rank(name));
  return [...new Set([...before.map(([one]) => one), ...(steps.has(name) ? [name] : [])])];
}

/** Whether no other quantity is computed from it. */
function isResult(own: string): boolean {
  return /^(final|gradients)\.|^(logits|outputs|loss)$/.test(own);
}

/**
 * Why there is no equation to judge: what shows the quantity is not in the answer, or has another shape. A state is shown by its sequence, an
 * inner gradient by the gradients of the additional inputs.
 */
export function whyUnseen(
  problem: AnyProblem,
  answer: Evaluation,
  name: string,
  omits: readonly string[],
): Pick<TensorVerdict, 'status' | 'reason'> {
  const { asked, steps } = ledgerOf(problem);
  const { network, names } = equationsOf(problem);
  const { own } = steps.get(name) ?? { own: name };
  const inner = isGradientName(network, own) ? 'gradients.inputs' : `states.${own.split('.')[0]}`;
  const shown = isResult(own) ? own : inner;
  const shownBy = [...names].find(([, all]) => all.includes(shown))?.[0] ?? name;
  const given = tensorOf(answer, shownBy);
  const is = shownBy === name ? 'is' : `cannot be judged step by step: ${shownBy} is`;
  if (given === undefined)
    return omits.includes(shownBy)
      ? { status: 'omitted', reason: `${is} declared beforehand as not given` }
      : { status: 'missing', reason: `cannot be judged step by step: ${shownBy} is missing` };
  const shape = expectedShape(asked, shownBy);
  if (given.shape.join() === shape.join())
    throw new Error(`judgeLocally: ${name} has no equation though everything it needs is there`);
  const reason = `cannot be judged step by step: ${shownBy} has shape [${given.shape.join(', ')}], but [${shape.join(', ')}] was expected (the problem with ${asked.inputs.shape[2] ?? 0} features)`;
  return { status: 'shape', reason };
}
