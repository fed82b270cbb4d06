import { zeros, type Tensor } from '../../scratch/index';
import { layeredTables } from '../base/layered';
import { memoize } from '../base/memoize';
import {
  isLayered,
  sizesOf,
  type AnyProblem,
  type ByLayer,
  type LayeredProblem,
  type Problem,
} from '../base/problem';
import { equationsOf, instrument, isRecurrent } from '../equations/index';
import { hasBackward, withMoreFeatures } from '../judge/index';
import { atLevels, type ProbeExample } from './probe-problem';
import { probeSettings } from './probe-settings';

/** tanh of it is 1 in single and in double precision: 1 - tanh 20 = 8e-18. */
const saturating = 20;

/**
 * A problem of one time step that shows single weights, forward and backward: in each example exactly one number is not zero.
 *
 *     h_0 = e_i        h_1 = tanh(row i of recurrentKernel)
 *     x = e_f          h_1 = tanh(row f of kernel)
 *     dL/dh_1 = e_j    dL/dh_0 = column j of recurrentKernel, dL/dx = column j of kernel, since 1 - h_1^2 = 1
 *     x' = e_i         h_1 = tanh(20 e_i) = e_i, logits = row i of outputKernel
 *
 * All other products are zero, so nothing is rounded but the functions themselves, and a weight that is wrong by a few units in its
 * last place stands alone, however small it is compared with its neighbours. The biases are left out (zero). x' are U more features, whose
 * rows of the kernel are 20 times the identity; they are there only with an output layer. dL/dh_1 is there only where the problem has
 * a backward pass.
 *
 * @param problem whose weights (and way of using them) are probed; exact in float32 when the problem is
 * @returns T = 1, B = F + U examples, U more with a backward pass, and U more with an output layer
 */
const simpleProbe = memoize(makeSimpleProbe);

/**
 * The probe of any problem: `layersProbe` for a network of layers, which may be undefined, and `simpleProbe` for the simple RNN. Both show each
 * weight of a simple RNN that is wrong by 1e-6 (float32) or 3e-15 (float64). `simpleProbe` is written by hand, because reports name the weight of
 * each of its examples, and because its logits hold no bias: of 20 numbers of an output kernel that are wrong by 1e-5 it shows 19, `layersProbe` 12.
 */
export function weightProbe(problem: Problem): Problem;
export function weightProbe<P extends AnyProblem>(problem: P): P | undefined;
export function weightProbe(problem: AnyProblem): AnyProblem | undefined {
  return isLayered(problem) ? layersProbe(problem) : simpleProbe(problem);
}

function makeSimpleProbe(problem: Problem): Problem {
  const { features, units, classes } = sizesOf(problem);
  const { recurrentKernel, outputKernel } = problem.weights;
  const backward = hasBackward(problem) ? units : 0;
  const output = outputKernel === undefined ? 0 : units;
  const batch = features + units + backward + output;
  const inputs = zeros(batch, 1, features + output);
  const initialState = zeros(batch, units);
  const finalState = zeros(batch, units);
  const first = { state: features, gradient: features + units, output: features + units + backward };
  for (let f = 0; f < features; f++) inputs.data[f * (features + output) + f] = 1;
  for (let i = 0; i < units; i++) set(initialState, first.state + i, i);
  for (let j = 0; j < backward; j++) set(finalState, first.gradient + j, j);
  for (let i = 0; i < output; i++) inputs.data[(first.output + i) * (features + output) + features + i] = 1;
  const kernel = zeros(features + output, units);
  kernel.data.set(problem.weights.kernel.data);
  for (let i = 0; i < output; i++) set(kernel, features + i, i, saturating);
  return {
    id: `${problem.id}, weight probe`,
    inputs,
    initialState,
    ...(backward > 0 && { upstream: { finalState } }),
    weights: {
      kernel,
      recurrentKernel,
      bias: zeros(units),
      ...(outputKernel !== undefined && { outputKernel, outputBias: zeros(classes ?? 0) }),
    },
  };
}

function set({ data, shape }: Tensor, row: number, column: number, value = 1): void {
  data[row * shape[1] + column] = value;
}

/**
 * A problem of one time step that shows single weights of the layer that reads the inputs, and of what stands on it: an example for each
 * row and column of its matrices, in the settings in which they show best (`probeSettings`). Gradients arrive at its final states
 * only, and only where the problem has a backward pass.
 *
 * @returns undefined where the first layer cannot be set so: an embedding reads integers, a dense layer has no states
 */
const layersProbe: (problem: LayeredProblem) => LayeredProblem | undefined = memoize(makeLayersProbe);

function makeLayersProbe(given: LayeredProblem): LayeredProblem | undefined {
  if (!canBeSet.has(given.model.layers[0].layer)) return undefined;
  const { network, problem, names } = equationsOf(given);
  const isBackward = hasBackward(given);
  const wider = instrument(network, { inputs: zeros(1, 1, network.features), weights: problem.weights });
  if (wider === undefined) return undefined;
  const readers = network.layers.filter(isRecurrent).filter(({ reads }) => reads === 'inputs');
  const examples = readers.flatMap(({ name, cell, units }) =>
    probeSettings(cell, isBackward).flatMap((setting): ProbeExample[] => {
      const count = { unit: units, input: network.features, all: 1 }[setting.about];
      return Array.from({ length: count }, (_, own) => ({ layer: name, setting, own }));
    }),
  );
  const asked = atLevels(wider, examples, isBackward);
  const { initialStates, upstream } = asked.problem;
  const statesOf = (find: (layer: string, carry: string) => Tensor | undefined): ByLayer =>
    layeredTables(given).layers.map(({ name, states }) =>
      Object.fromEntries(
        Object.keys(states).flatMap((state) => {
          const [own = ''] = names.get(`finalStates.${name}.${state}`) ?? [];
          const [, layer, carry] = own.split('.');
          const tensor = find(layer, carry);
          return tensor === undefined ? [] : [[state, tensor]];
        }),
      ),
    );
  const { model, inputs, weights } = withMoreFeatures(given, asked);
  const plain = {
    id: `${given.id}, weight probe`,
    model,
    inputs,
    weights,
    initialStates: statesOf((layer, carry) => initialStates?.[layer]?.[carry]),
  };
  if (!isBackward) return plain;
  const finalStates = statesOf((layer, carry) => upstream?.[layer]?.final?.[carry]);
  const last = model.layers[model.layers.length - 1].layer;
  // gradients of zero arrive at a dense layer, so that it has gradients of its own
  const logits = (layeredTables(plain).parts.get('upstream.logits') ?? []).map(({ size }) => size);
  const isDense = last === 'dense' || last === 'timeDistributed';
  return { ...plain, upstream: { finalStates, ...(isDense && { logits: zeros(...logits) }) } };
}

/** First layers whose initial states can be given, and which can read additional inputs. */
const canBeSet: ReadonlySet<string> = new Set(['simpleRNN', 'lstm', 'gru', 'bidirectional', 'cell']);
