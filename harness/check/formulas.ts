import type { LayerConfig, Tensor } from '../../scratch/index';
import type { LayeredProblem } from '../base/problem';
import { largest } from '../base/magnitude';
import { emulatedAnswer, type PrecisionModel } from '../budget/index';
import {
  chargesOf,
  equationsOf,
  errorArithmetic,
  estimates,
  runNetwork,
  turned,
  type Estimate,
  type ModelAsEquations,
  type Uncertain,
} from '../equations/index';
import { memoizeByNumber } from '../base/memoize';
import type { Doubtful } from './doubtful';
import { problemOfLayer, type WeightedLayer } from './layer-problem';
import type { Arriving, LayerQuestion } from './walk';

/** What a layer with weights was asked, its input and what arrives with their possible errors. */
export interface FormulaQuestion extends WeightedLayer, LayerQuestion<Doubtful> {
  /** loss gradients that arrive at it: asks for those that it sends on */ readonly arriving?: Arriving<Doubtful>;
}

/** What rounding may do to a tensor, by the names of the outcome; tensors keep the numbers of the formulas. */
export type FormulaAnswer = (name: string) => Doubtful;

/**
 * The errors of a layer with weights, from a run of its formulas in which the inputs have errors already. A layer that walks backwards
 * runs on the reversed input: its output has the steps in the order of its walk.
 *
 * @returns by dotted names: `logits` is the layer's output, `finalStates.layer1.h`, `gradients.weights.layer1.kernel`,
 * `gradients.inputs`, `gradients.initialStates.layer1.h`
 */
export function byFormulas(question: FormulaQuestion, model: PrecisionModel): FormulaAnswer {
  const { input, mask, initialStates, arriving } = question;
  const turns = 'goBackwards' in question.config && question.config.goBackwards;
  const config: LayerConfig = turns ? { ...question.config, goBackwards: false } : question.config;
  const [batch, ...sizes] = input.tensor.shape;
  const shape = [batch, sizes.length === 2 ? sizes[0] : 1, sizes[sizes.length - 1]];
  const problemWith = (pick: (one: Doubtful) => Float64Array): LayeredProblem => {
    const picked = (one: Doubtful): Tensor => ({ data: pick(one), shape: one.tensor.shape });
    const asked = picked(input);
    return problemOfLayer(
      { ...question, config },
      {
        input: turns ? turned(asked) : asked,
        mask: turns && mask ? turned(mask) : mask,
        initialStates: initialStates.map(picked),
      },
      arriving && {
        output: arriving.output && picked(arriving.output),
        states: arriving.states.map((state) => state && picked(state)),
      },
    );
  };
  const values = problemWith(({ tensor }) => tensor.data);
  const equations = equationsOf(values);
  const all = estimatesOf(question, model, () => estimate(values, equations, question, turns, shape, model));
  const runs = memoizeByNumber((k: number) => {
    const own = equationsOf(problemWith((one) => one.emulate(k)));
    return emulatedAnswer(own.network, own.problem, model, k);
  });
  return (name) => {
    const own = namesIn(equations, name);
    const found = own.map((one) => all.get(one)!);
    const join = (parts: readonly Float64Array[]): Float64Array => {
      const data = parts.length === 1 ? parts[0] : Float64Array.from(parts.flatMap((part) => [...part]));
      return turns && name === 'gradients.inputs' ? turned({ data, shape }).data : data;
    };
    const tensor = {
      data: join(found.map(({ value }) => value)),
      shape: found.length === 1 ? found[0].shape : [found.length, ...found[0].shape],
    };
    return {
      tensor,
      bound: join(found.map(({ bound }: Estimate) => bound)),
      variance: join(found.map(({ sigma }) => sigma.map((s) => s * s))),
      emulate: (k) => join(own.map((one) => runs(k).get(one)!.data)),
    };
  };
}

/** The errors of a question by one run of the formulas, in which its numbers have their own errors. */
function estimate(
  values: LayeredProblem,
  equations: ModelAsEquations,
  question: FormulaQuestion,
  turns: boolean,
  shape: readonly number[],
  model: PrecisionModel,
): ReadonlyMap<string, Estimate> {
  const { charges, observe } = chargesOf(equations.problem, model);
  const plain = errorArithmetic(charges);
  const known = uncertain(values, question, turns, shape);
  const outcome = runNetwork<Uncertain>(
    equations.network,
    equations.problem,
    {
      ...plain,
      given(path, value, rows) {
        const block = plain.given(path, value, rows);
        const doubtful = known.get(value);
        return doubtful === undefined
          ? block
          : {
              ...block,
              bound: block.bound.map((e, i) => e + doubtful.bound[i]),
              variance: block.variance.map((v, i) => v + doubtful.variance[i]),
            };
      },
    },
    { observe },
  );
  return estimates(outcome, charges);
}

type Estimates = ReadonlyMap<string, Estimate>;

/** What was computed of each layer, by its description: sides ask the same of it with numbers that differ by roundings. */
const computed = new WeakMap<
  LayerConfig,
  { readonly question: FormulaQuestion; readonly model: PrecisionModel; readonly all: Estimates }[]
>();

/** numbers that differ by less, relative to the largest, count as the same */
const close = 1e-5;
/** and their errors are then the same within this share: they follow from the numbers by slopes and products */
const margin = 1e-3;

/**
 * The errors of a question, or those of the same question with nearly the same numbers and a margin: all sides with the same kind of
 * rounding share one run. Only numbers that are known exactly are compared so.
 */
function estimatesOf(question: FormulaQuestion, model: PrecisionModel, make: () => Estimates): Estimates {
  const known = computed.get(question.config) ?? [];
  computed.set(question.config, known);
  const found = known.find((one) => one.model === model && isClose(one.question, question));
  if (found !== undefined) return found.all;
  const exact = make();
  const all = new Map(
    [...exact].map(([name, { bound, sigma, ...one }]) => [
      name,
      { ...one, bound: bound.map((e) => e * (1 + margin)), sigma: sigma.map((s) => s * (1 + margin)) },
    ]),
  );
  known.push({ question, model, all });
  return all;
}

function isClose(a: FormulaQuestion, b: FormulaQuestion): boolean {
  const [ofA, ofB] = [a, b].map(({ input, initialStates, arriving }) => [
    ...[input, ...initialStates, arriving?.output],
    ...(arriving?.states ?? []),
  ]);
  const isSure = (one: Doubtful | undefined): boolean => one?.bound.every((e) => e === 0) ?? true;
  return (
    a.weights === b.weights &&
    (a.arriving === undefined) === (b.arriving === undefined) &&
    isCloseTo(a.mask, b.mask) &&
    ofA.length === ofB.length &&
    ofA.every((one, i) => isCloseTo(one?.tensor, ofB[i]?.tensor) && isSure(one) && isSure(ofB[i]))
  );
}

function isCloseTo(a: Tensor | undefined, b: Tensor | undefined): boolean {
  if (a === b) return true;
  if (a?.data.length !== b?.data.length || a === undefined || b === undefined) return false;
  const most = close * largest(a.data);
  return a.data.every((x, i) => Math.abs(x - b.data[i]) <= most);
}

function namesIn({ names }: ModelAsEquations, name: string): readonly string[] {
  const found = names.get(name);
  if (found === undefined)
    throw new Error(`byFormulas: the layer has no ${name}; it has ${[...names.keys()].join(', ')}`);
  return found;
}

/** The errors that numbers of the problem have already, by the arrays that hold the numbers. */
function uncertain(
  problem: LayeredProblem,
  { input, initialStates, arriving }: FormulaQuestion,
  turns: boolean,
  shape: readonly number[],
): ReadonlyMap<Float64Array, Pick<Doubtful, 'bound' | 'variance'>> {
  const known = new Map<Float64Array, Pick<Doubtful, 'bound' | 'variance'>>();
  const inOrder = (data: Float64Array): Float64Array => (turns ? turned({ data, shape }).data : data);
  known.set(problem.inputs.data, { bound: inOrder(input.bound), variance: inOrder(input.variance) });
  for (const one of [...initialStates, arriving?.output, ...(arriving?.states ?? [])])
    if (one !== undefined) known.set(one.tensor.data, one);
  return known;
}
