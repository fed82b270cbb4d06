import type { LayerConfig, Tensor } from '../../scratch/index';
import { partsOfLayers } from '../base/model';
import type { PrecisionModel } from '../budget/index';
import type { ModelLayer } from '../models/index';
import { moved, type Doubtful } from './doubtful';
import { memoizeByNumber } from '../base/memoize';
import { byFormulas } from './formulas';
import { runLayer, seenMask, withMaskedRows, type LayerRun } from './reference';
import { runLayerBack } from './reference-back';
import { softmaxErrors, softmaxGradientErrors } from './softmax-errors';

/** What a layer was asked. */
export interface LayerQuestion {
  readonly input: Doubtful;
  readonly mask: Tensor | undefined;
  /** [B, T'] of a layer before, where none reaches this one: for a search of the cause */ readonly earlierMask?:
    Tensor | undefined;
  readonly initialStates: readonly Doubtful[];
}

export interface DoubtfulRun {
  readonly output: Doubtful;
  readonly states: readonly Doubtful[];
  readonly mask: Tensor | undefined;
}

/** Loss gradients that arrive at a layer; undefined where none does. */
export interface DoubtfulArriving {
  readonly output?: Doubtful | undefined;
  readonly states: readonly (Doubtful | undefined)[];
}

/** Loss gradients that a layer sends on. */
export interface DoubtfulBack {
  /** absent where the inputs are integers */ readonly input?: Doubtful | undefined;
  readonly states: readonly Doubtful[];
  readonly weights: Readonly<Record<string, Doubtful>>;
}

/** One layer: its numbers by scratch/, their possible errors by the rules of equations/. */
export function propagate(layer: ModelLayer, question: LayerQuestion, model: PrecisionModel): DoubtfulRun {
  const { config } = layer;
  const { input: x, mask: given, initialStates } = question;
  const run = (pick: (one: Doubtful) => Float64Array): LayerRun =>
    runLayer(layer, ...pickedOf(question, pick));
  const { output, states, mask } = run(({ tensor }) => tensor.data);
  /** Every element follows from elements that it copies, or from one element by a function: errors go the same way. */
  const elementwise = ({ bound, variance }: Pick<Doubtful, 'bound' | 'variance'>): DoubtfulRun => ({
    output: {
      tensor: output,
      bound,
      variance,
      emulate: memoizeByNumber((k) => run((one) => one.emulate(k)).output.data.map(Math.fround)),
    },
    states: [],
    mask,
  });
  const width = x.tensor.shape[x.tensor.shape.length - 1];
  const { unit, tiny } = model;
  switch (config.layer) {
    case 'masking':
    case 'identity':
    case 'repeatVector':
    case 'flatten':
    case 'lastStep': {
      const carried: ModelLayer =
        config.layer === 'masking' ? { ...layer, config: { layer: 'identity' } } : layer;
      return elementwise(
        moved(x, (tensor) => runLayer(carried, { output: tensor, states: [], mask: undefined }, []).output),
      );
    }
    case 'embedding':
      return elementwise({
        bound: new Float64Array(output.data.length),
        variance: new Float64Array(output.data.length),
      });
    case 'activation': {
      if (config.activation === 'softmax') return elementwise(softmaxErrors(x, output.data, model));
      return elementwise(byFormulas(activationAlone(config.activation, x), model)('logits'));
    }
    case 'batchNormalization': {
      const { slope, size } = affine(layer, x.tensor.data, width);
      // the factor costs 4 roundings; products, their difference and the sum one each, in any order
      const own = size.map((one) => 8 * unit * one + tiny);
      return elementwise({
        bound: x.bound.map((e, i) => Math.abs(slope[i % width]) * e + own[i]),
        variance: x.variance.map((v, i) => slope[i % width] ** 2 * v + own[i] ** 2 / 3),
      });
    }
    default: {
      const seen = seenMask(layer, given);
      const answer = byFormulas(
        { config, weights: layer.weights, input: x, mask: seen, initialStates },
        model,
      );
      const found = { ...answer('logits'), tensor: output };
      const rows = layer.maskedRows ?? 'state';
      return {
        output:
          seen === undefined
            ? found
            : { ...moved(found, (tensor) => withMaskedRows(config, tensor, seen, rows)), tensor: output },
        states: statesOf(config, width).map((name, i) => ({
          ...answer(`finalStates.layer1.${name}`),
          tensor: states[i],
        })),
        mask,
      };
    }
  }
}

/** One layer backward, from the gradients that arrive at it. */
export function propagateBack(
  layer: ModelLayer,
  question: LayerQuestion,
  arriving: DoubtfulArriving,
  model: PrecisionModel,
): DoubtfulBack {
  const { config } = layer;
  const { input: x, mask, initialStates } = question;
  const back = (pick: (one: Doubtful) => Float64Array) =>
    runLayerBack(layer, ...pickedOf(question, pick), {
      ...(arriving.output && { output: { ...arriving.output.tensor, data: pick(arriving.output) } }),
      states: arriving.states.map((state) => state && { ...state.tensor, data: pick(state) }),
    });
  const exact = back(({ tensor }) => tensor.data);
  const runs = memoizeByNumber((k) => back((one) => one.emulate(k)));
  const width = x.tensor.shape[x.tensor.shape.length - 1];
  const { unit, tiny } = model;
  const dy = arriving.output;
  const onlyInput = (
    errors: Pick<Doubtful, 'bound' | 'variance'>,
    weights: DoubtfulBack['weights'] = {},
  ): DoubtfulBack => ({
    input: {
      tensor: exact.input!,
      bound: errors.bound,
      variance: errors.variance,
      emulate: memoizeByNumber((k) => runs(k).input!.data.map(Math.fround)),
    },
    states: [],
    weights,
  });
  switch (config.layer) {
    case 'masking':
    case 'identity':
    case 'flatten':
    case 'lastStep':
    case 'repeatVector': {
      const sum = (data: Float64Array): Float64Array =>
        runLayerBack(layer, { output: x.tensor, states: [], mask }, [], {
          output: { data, shape: dy!.tensor.shape },
          states: [],
        }).input!.data;
      // each of so many terms is rounded at most that often
      const terms = config.layer === 'repeatVector' ? config.times : 0;
      const size = sum(dy!.tensor.data.map(Math.abs));
      return onlyInput({
        bound: sum(dy!.bound).map((e, i) => e + terms * unit * size[i]),
        variance: sum(dy!.variance).map((v, i) => v + (terms * unit * size[i]) ** 2 / 3),
      });
    }
    case 'activation': {
      if (config.activation === 'softmax') {
        const p = propagate(layer, question, model).output;
        return onlyInput(softmaxGradientErrors(p.tensor.data, p, dy!, model));
      }
      const flat = { ...dy!, tensor: { data: dy!.tensor.data, shape: [dy!.tensor.data.length, 1] } };
      const alone = { ...activationAlone(config.activation, x), arriving: { output: flat, states: [] } };
      return onlyInput(byFormulas(alone, model)('gradients.inputs'));
    }
    case 'batchNormalization': {
      const { slope, scale, size } = affine(layer, x.tensor.data, width);
      const d = dy!.tensor.data;
      const weights = Object.fromEntries(
        Object.entries(exact.weights).map(([name, tensor]): [string, Doubtful] => {
          const bound = new Float64Array(width);
          const variance = new Float64Array(width);
          const terms = d.length / width + 8;
          d.forEach((value, i) => {
            const n = i % width;
            const factor = name === 'beta' ? 1 : size[i];
            bound[n] +=
              factor * (dy!.bound[i] + terms * unit * Math.abs(value)) +
              Math.abs(name === 'beta' ? 0 : value * scale[n]) * x.bound[i];
            variance[n] +=
              factor ** 2 * (dy!.variance[i] + terms * (unit * value) ** 2) +
              (name === 'beta' ? 0 : value * scale[n]) ** 2 * x.variance[i];
          });
          return [
            name,
            {
              tensor,
              bound: bound.map((e) => e + tiny),
              variance: variance.map((v) => v + tiny ** 2),
              emulate: memoizeByNumber((k) => runs(k).weights[name].data.map(Math.fround)),
            },
          ];
        }),
      );
      const own = d.map((value, i) => 8 * unit * Math.abs(value * slope[i % width]) + tiny);
      return onlyInput(
        {
          bound: own.map((e, i) => e + Math.abs(slope[i % width]) * dy!.bound[i]),
          variance: own.map((e, i) => e ** 2 / 3 + slope[i % width] ** 2 * dy!.variance[i]),
        },
        weights,
      );
    }
    case 'embedding':
      return {
        states: [],
        weights: { embeddings: rowsAdded(x.tensor, dy!, exact.weights['embeddings'], unit) },
      };
    default: {
      const seen = seenMask(layer, mask);
      const rows = layer.maskedRows ?? 'state';
      const output =
        dy && (seen === undefined ? dy : moved(dy, (tensor) => withMaskedRows(config, tensor, seen, rows)));
      const answer = byFormulas(
        {
          config,
          weights: layer.weights,
          input: x,
          mask: seen,
          initialStates,
          arriving: { output, states: arriving.states },
        },
        model,
      );
      const names = statesOf(config, width);
      return {
        input: { ...answer('gradients.inputs'), tensor: exact.input! },
        states: names.map((name, i) => ({
          ...answer(`gradients.initialStates.layer1.${name}`),
          tensor: exact.states[i],
        })),
        weights: Object.fromEntries(
          Object.entries(exact.weights).map(([name, tensor]) => [
            name,
            { ...answer(`gradients.weights.layer1.${name}`), tensor },
          ]),
        ),
      };
    }
  }
}

function pickedOf(
  { input, mask, initialStates }: LayerQuestion,
  pick: (one: Doubtful) => Float64Array,
): [LayerRun, Tensor[]] {
  const picked = (one: Doubtful): Tensor => ({ data: pick(one), shape: one.tensor.shape });
  return [{ output: picked(input), states: [], mask }, initialStates.map(picked)];
}

function statesOf(config: LayerConfig, features: number): string[] {
  return Object.keys(partsOfLayers({ features, layers: [config] })[0].states);
}

/** An activation by itself is that of a dense layer of one unit that changes nothing, every number an example. */
function activationAlone(activation: Extract<LayerConfig, { layer: 'dense' }>['activation'], x: Doubtful) {
  return {
    config: { layer: 'dense', units: 1, activation: activation ?? 'linear', useBias: false } as const,
    weights: { kernel: { data: Float64Array.of(1), shape: [1, 1] } },
    input: { ...x, tensor: { data: x.tensor.data, shape: [x.tensor.data.length, 1] } },
    mask: undefined,
    initialStates: [],
  };
}

/** dOutput / dInput of a batch normalization by feature, and the size of the numbers that its output is made of. */
function affine({ config, weights }: ModelLayer, x: Float64Array, width: number) {
  const { gamma, beta, movingMean, movingVariance } = weights as Readonly<Record<string, Tensor | undefined>>;
  const epsilon = config.layer === 'batchNormalization' ? config.epsilon : 0;
  const scale = movingVariance!.data.map((variance) => 1 / Math.sqrt(variance + epsilon));
  const slope = scale.map((s, n) => s * (gamma?.data[n] ?? 1));
  const size = x.map((value, i) => {
    const n = i % width;
    const largest = Math.max(Math.abs(slope[n]), scale[n]);
    return largest * (Math.abs(value) + Math.abs(movingMean!.data[n])) + Math.abs(beta?.data[n] ?? 0);
  });
  return { slope, scale, size };
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
