import type { Tensor } from '../../scratch/index';
import { memoizeByNumber } from '../base/memoize';
import type { PrecisionModel } from '../budget/index';
import type { ModelLayer } from '../models/index';
import { moved, type Doubtful } from './doubtful';
import { byFormulas } from './formulas';
import { carriedBy, isWeighted, type WeightedLayer } from './layer-problem';
import { seenMask, withMaskedRows } from './masks';
import { placesOf, taken } from './places';
import { activationAlone, normalizationOf, runLayer, runLayerBack } from './reference';
import { softmaxErrors, softmaxGradientErrors } from './softmax-errors';
import type { Arriving, LayerQuestion, LayerRun, Sent } from './walk';

/** What a layer was asked, with what rounding may have done to it. */
export interface DoubtfulQuestion extends LayerQuestion<Doubtful> {
  /** [B, T'] of a layer before, where none reaches this one: for a search of the cause */ readonly earlierMask?:
    Tensor | undefined;
}

type Errors = Pick<Doubtful, 'bound' | 'variance'>;

/** One layer: its numbers by scratch/, their possible errors by the rules of equations/. */
export function propagate(
  layer: ModelLayer,
  question: DoubtfulQuestion,
  model: PrecisionModel,
): LayerRun<Doubtful> {
  const { config } = layer;
  const { input: x } = question;
  const run = (pick: (one: Doubtful) => Float64Array) => runLayer(layer, pickedOf(question, pick));
  const { output, states, mask } = run(({ tensor }) => tensor.data);
  if (isWeighted(layer) && layer.config.layer !== 'embedding') {
    const answer = byFormulas({ ...layer, ...question, mask: seenMask(layer, question.mask) }, model);
    return {
      output: { ...inModel(layer, question, answer('logits')), tensor: output },
      states: carriedBy(layer.config).map((name, i) => ({
        ...answer(`finalStates.layer1.${name}`),
        tensor: states[i],
      })),
      mask,
    };
  }
  /** Every element follows from elements that it copies, or from one element by a function: errors go the same way. */
  const elementwise = ({ bound, variance }: Errors): LayerRun<Doubtful> => ({
    output: {
      ...{ tensor: output, bound, variance },
      emulate: memoizeByNumber((k) => run((one) => one.emulate(k)).output.data.map(Math.fround)),
    },
    states: [],
    mask,
  });
  const places = placesOf(config, x.tensor.shape);
  if (places !== undefined) return elementwise(moved(x, ({ data }) => taken(data, places)));
  if (config.layer === 'batchNormalization') {
    const { slope, own } = normalizationErrors(layer, x.tensor.data, model);
    return elementwise({
      bound: x.bound.map((e, i) => Math.abs(slope(i)) * e + own[i]),
      variance: x.variance.map((v, i) => slope(i) ** 2 * v + own[i] ** 2 / 3),
    });
  }
  if (config.layer === 'activation')
    return elementwise(
      config.activation === 'softmax'
        ? softmaxErrors(x, output.data, model)
        : byFormulas(aloneOf(config.activation, x), model)('logits'),
    );
  // the rows of an embedding are copies
  const none = new Float64Array(output.data.length);
  return elementwise({ bound: none, variance: none });
}

/** One layer backward, from the gradients that arrive at it. */
export function propagateBack(
  layer: ModelLayer,
  question: DoubtfulQuestion,
  arriving: Arriving<Doubtful>,
  model: PrecisionModel,
): Sent<Doubtful> {
  const { config } = layer;
  const { input: x, mask } = question;
  const back = (pick: (one: Doubtful) => Float64Array) => {
    const picked = (one: Doubtful | undefined) => one && { ...one.tensor, data: pick(one) };
    const here = { output: picked(arriving.output), states: arriving.states.map(picked) };
    return runLayerBack(layer, pickedOf(question, pick), here);
  };
  const exact = back(({ tensor }) => tensor.data);
  if (isWeighted(layer) && layer.config.layer !== 'embedding') {
    const { output, states } = arriving;
    const answer = byFormulas(
      {
        ...{ ...layer, ...question, mask: seenMask(layer, mask) },
        arriving: { output: output && inModel(layer, question, output), states },
      },
      model,
    );
    return {
      input: { ...answer('gradients.inputs'), tensor: exact.input! },
      states: carriedBy(layer.config).map((name, i) => ({
        ...answer(`gradients.initialStates.layer1.${name}`),
        tensor: exact.states[i],
      })),
      weights: mapWeights(exact.weights, (name, tensor) => ({
        ...answer(`gradients.weights.layer1.${name}`),
        tensor,
      })),
    };
  }
  const dy = arriving.output!;
  const d = dy.tensor.data;
  const runs = memoizeByNumber((k) => back((one) => one.emulate(k)));
  const { unit, tiny } = model;
  const onlyInput = (
    { bound, variance }: Errors,
    weights: Sent<Doubtful>['weights'] = {},
  ): Sent<Doubtful> => ({
    input: {
      ...{ tensor: exact.input!, bound, variance },
      emulate: memoizeByNumber((k) => runs(k).input!.data.map(Math.fround)),
    },
    states: [],
    weights,
  });
  const places = placesOf(config, x.tensor.shape);
  if (places !== undefined) {
    const sum = (data: Float64Array): Float64Array => {
      const output = { data, shape: dy.tensor.shape };
      const plain = { input: x.tensor, mask, initialStates: [] };
      return runLayerBack(layer, plain, { output, states: [] }).input!.data;
    };
    // each of so many terms is rounded at most that often
    const terms = config.layer === 'repeatVector' ? config.times : 0;
    const size = sum(d.map(Math.abs));
    return onlyInput({
      bound: sum(dy.bound).map((e, i) => e + terms * unit * size[i]),
      variance: sum(dy.variance).map((v, i) => v + (terms * unit * size[i]) ** 2 / 3),
    });
  }
  if (config.layer === 'batchNormalization') {
    const { width, size, slope, scale } = normalizationErrors(layer, x.tensor.data, model);
    const weights = mapWeights(exact.weights, (name, tensor): Doubtful => {
      const [bound, variance] = [new Float64Array(width).fill(tiny), new Float64Array(width).fill(tiny ** 2)];
      const terms = d.length / width + 8;
      d.forEach((value, i) => {
        const [factor, byInput] = name === 'beta' ? [1, 0] : [size[i], value * scale(i)];
        bound[i % width] +=
          factor * (dy.bound[i] + terms * unit * Math.abs(value)) + Math.abs(byInput) * x.bound[i];
        variance[i % width] +=
          factor ** 2 * (dy.variance[i] + terms * (unit * value) ** 2) + byInput ** 2 * x.variance[i];
      });
      const emulate = memoizeByNumber((k) => runs(k).weights[name].data.map(Math.fround));
      return { tensor, bound, variance, emulate };
    });
    const own = d.map((value, i) => 8 * unit * Math.abs(value * slope(i)) + tiny);
    return onlyInput(
      {
        bound: own.map((e, i) => e + Math.abs(slope(i)) * dy.bound[i]),
        variance: own.map((e, i) => e ** 2 / 3 + slope(i) ** 2 * dy.variance[i]),
      },
      weights,
    );
  }
  if (config.layer !== 'activation')
    return {
      states: [],
      weights: { embeddings: rowsAdded(x.tensor, dy, exact.weights['embeddings'], unit) },
    };
  if (config.activation === 'softmax') {
    const p = propagate(layer, question, model).output;
    return onlyInput(softmaxGradientErrors(p.tensor.data, p, dy, model));
  }
  const output = { ...dy, tensor: { data: d, shape: [d.length, 1] } };
  const alone = { ...aloneOf(config.activation, x), arriving: { output, states: [] } };
  return onlyInput(byFormulas(alone, model)('gradients.inputs'));
}

/** A question with the numbers that `pick` gives of each tensor. */
export const pickedOf = (
  { input, mask, initialStates }: DoubtfulQuestion,
  pick: (one: Doubtful) => Float64Array,
): LayerQuestion => {
  const picked = (one: Doubtful): Tensor => ({ data: pick(one), shape: one.tensor.shape });
  return { input: picked(input), mask, initialStates: initialStates.map(picked) };
};

/** Numbers of every row with their errors, where masked rows are as the model's program has them. */
function inModel(layer: WeightedLayer, { mask }: DoubtfulQuestion, one: Doubtful): Doubtful {
  const seen = seenMask(layer, mask);
  return seen === undefined
    ? one
    : moved(one, (tensor) => withMaskedRows(layer.config, tensor, seen, layer.maskedRows ?? 'state'));
}

const mapWeights = <T>(weights: Sent['weights'], make: (name: string, tensor: Tensor) => T) =>
  Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, make(name, tensor)]));

const aloneOf = (activation: Parameters<typeof activationAlone>[0], { tensor, ...x }: Doubtful) => ({
  ...activationAlone(activation),
  input: { ...x, tensor: { data: tensor.data, shape: [tensor.data.length, 1] } },
  mask: undefined,
  initialStates: [],
});

/**
 * dOutput / dInput of a batch normalization, the size of the numbers that its output is made of, and what its own roundings do: the factor
 * costs 4, products, their difference and the sum one each, in any order.
 */
function normalizationErrors(layer: ModelLayer, x: Float64Array, { unit, tiny }: PrecisionModel) {
  const { width, mean, root, gamma, beta } = normalizationOf(layer);
  const scale = (i: number): number => 1 / root[i % width];
  const slope = (i: number): number => scale(i) * gamma[i % width];
  const size = x.map((value, i) => {
    const largest = Math.max(Math.abs(slope(i)), scale(i));
    return largest * (Math.abs(value) + Math.abs(mean[i % width])) + Math.abs(beta[i % width]);
  });
  return { width, size, slope, scale, own: size.map((one) => 8 * unit * one + tiny) };
}

/** dEmbeddings[k] = Σ dy over the places where the integer is k: each sum of n terms is rounded at most n times. */
function rowsAdded(integers: Tensor, dy: Doubtful, tensor: Tensor, unit: number): Doubtful {
  const width = tensor.shape[1];
  const add = (data: Float64Array): Float64Array => {
    const out = new Float64Array(tensor.data.length);
    integers.data.forEach((k, place) => {
      for (let i = 0; i < width; i++) out[k * width + i] += data[place * width + i];
    });
    return out;
  };
  const size = add(dy.tensor.data.map(Math.abs));
  const counts = new Float64Array(tensor.shape[0]);
  for (const k of integers.data) counts[k]++;
  const own = size.map((s, i) => counts[Math.floor(i / width)] * unit * s);
  return {
    tensor,
    bound: add(dy.bound).map((e, i) => e + own[i]),
    variance: add(dy.variance).map((v, i) => v + own[i] ** 2 / 3),
    emulate: memoizeByNumber((k) => add(dy.emulate(k)).map(Math.fround)),
  };
}
