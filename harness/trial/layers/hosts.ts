import type { Tensor } from '../../../scratch/index';
import {
  asOutcome,
  equationsOf,
  makeRounding,
  roundedArithmetic,
  tensorsOfOutcome,
} from '../../equations/index';
import { directions, nameIn } from '../../base/model';
import { tensorOf, type Implementation, type LayeredProblem } from '../../base/problem';
import { askedForSteps, precisionModelOf, precisionModels, type PrecisionModel } from '../../budget/index';
import { exactFault, runFault, type EquationFault, type FaultyRun } from '../../faults/equations/index';

type Answer = ReadonlyMap<string, Tensor>;

/** What a host answers with a fault planted in it: to the problem, and to the one that shows inner gradients. */
export interface Planted {
  readonly answer: Answer;
  readonly shown?: Answer;
}

/** A right implementation that faults are planted in. */
export interface LayersHost {
  readonly name: string;
  readonly model: PrecisionModel;
  /** @param way which of the faulty networks of the fault */
  plant(problem: LayeredProblem, fault: Pick<EquationFault, 'runs'>, way: number): Planted;
}

/** The formulas themselves in emulated single precision, every rounding random; each planting rounds in another way. */
export function emulatedHost(): LayersHost {
  const model = precisionModels.wasm;
  const orders = ['sequential', 'reversedFused', 'lanes', 'double', 'blocks'] as const;
  let seed = 0;
  const answerOf = (run: FaultyRun): Answer => {
    const k = seed++;
    const rounding = {
      order: orders[k % 5],
      joint: k % 3 === 1,
      flat: k % 2 === 1,
      noise: 'sums',
      seed: k,
    } as const;
    return tensorsOfOutcome(runFault(run, roundedArithmetic(model.kappa, makeRounding(rounding))));
  };
  return {
    name: 'emulated',
    model,
    plant(given, fault, way) {
      const { network, problem } = equationsOf(given);
      const asked = askedForSteps(network, problem);
      return {
        answer: answerOf(fault.runs(network, problem)[way]),
        shown: answerOf(fault.runs(asked.network, asked.problem)[way]),
      };
    },
  };
}

/** A side whose own answer, rounding and all, is changed by what the fault changes; undefined where it runs no networks of layers. */
export function sideHost(side: Implementation): LayersHost | undefined {
  const { layered, precision, name } = side;
  if (layered === undefined) return undefined;
  const round = precision === 'float32' ? Math.fround : (x: number): number => x;
  const planted = (given: LayeredProblem, run: FaultyRun): Answer => {
    const model = equationsOf(given);
    const evaluation = layered.evaluate(given);
    if (evaluation instanceof Promise)
      throw new Error(`${name} answers later; the trial asks sides that answer at once`);
    const honest = asOutcome(model, (dotted) => tensorOf(evaluation, dotted));
    const [right, wrong] = [
      exactFault({ network: model.network, problem: model.problem }),
      exactFault(run),
    ].map((one) => one.whole());
    return new Map(
      [...honest].flatMap(([key, own]) => {
        const [from, to] = [right.get(key), wrong.get(key)];
        if (from === undefined || to === undefined || own.shape.join() !== to.shape.join())
          return to ? [[key, to]] : [];
        const data = own.data.map((x, i) =>
          from.data[i] === to.data[i] ? x : round(x + (to.data[i] - from.data[i])),
        );
        return [[key, { data, shape: own.shape }]];
      }),
    );
  };
  return {
    name,
    model: precisionModelOf(side),
    plant(given, fault, way) {
      const wider = widened(given);
      const [own, asked] = [given, wider].map((one) => {
        if (one === undefined) return undefined;
        const { network, problem } = equationsOf(one);
        return planted(one, fault.runs(network, problem)[way]);
      });
      return { answer: own ?? new Map<string, Tensor>(), ...(asked && { shown: asked }) };
    },
  };
}

/** The problem with inputs that show inner gradients (`instrument`); undefined where the first layer cannot be given more of them. */
function widened(given: LayeredProblem): LayeredProblem | undefined {
  const { network, problem } = equationsOf(given);
  const asked = askedForSteps(network, problem);
  if (asked.problem === problem || given.model.layers[0].layer === 'embedding') return undefined;
  const own = { ...given.weights[0] };
  const isPair = given.model.layers[0].layer === 'bidirectional';
  const put = (name: string, called: (weight: string) => string): void => {
    for (const [weight, tensor] of Object.entries(asked.problem.weights[name]))
      if (tensor !== problem.weights[name][weight]) own[called(weight)] = tensor;
  };
  // the two directions are the first two layers of the equations
  if (isPair)
    directions.forEach((direction, i) => put(network.layers[i].name, (weight) => nameIn(direction, weight)));
  else put(network.layers[0].name, (weight) => weight);
  return {
    ...given,
    model: { ...given.model, features: asked.network.features },
    inputs: asked.problem.inputs,
    weights: [own, ...given.weights.slice(1)],
  };
}
