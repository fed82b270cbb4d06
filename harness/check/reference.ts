import { Stack, zeros, type LayerConfig, type Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type { MaskedRows, ModelDescription, ModelLayer, Source } from '../models/index';

/** What a layer gave: numbers, its final states, and which steps of its output exist. */
export interface LayerRun {
  /** [B, T, N] or [B, N] */ readonly output: Tensor;
  /** [B, U] each */ readonly states: readonly Tensor[];
  /** [B, T] of 0 and 1 */ readonly mask: Tensor | undefined;
}

/** By the names of inputs: [B, T, F], [B, F], or integers [B, T]. */
export type ModelInputs = Readonly<Record<string, Tensor>>;

/**
 * Runs a model in float64: every layer of scratch/ as a stack of its own, and what stands between them by its formula. Masks go from
 * layer to layer as Keras passes them on.
 *
 * @returns by layer, in the order of the computation; the inputs are there too
 */
export function runReference(model: ModelDescription, inputs: ModelInputs): Map<string, LayerRun> {
  const runs = new Map<string, LayerRun>(
    model.inputs.map(({ name }) => [name, { output: inputs[name], states: [], mask: undefined }]),
  );
  for (const layer of model.layers) {
    const before = readOf(runs, layer);
    const states = (layer.initialStates ?? []).map((state) => tensorOf(runs, state));
    const run = runLayer(layer, before, states);
    checkSize(layer, run);
    runs.set(layer.name, run);
  }
  return runs;
}

/** Numbers that float32 does not hold are infinite on every side, and show nothing. */
function checkSize({ name, kind }: ModelLayer, { output, states }: LayerRun): void {
  for (const { data } of [output, ...states]) {
    const at = data.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (at >= 0)
      throw new UsageError(
        `layer ${name} (${kind}) gives ${data[at]} with these inputs, and float32 holds numbers up to 3.4e38; give smaller or shorter inputs, or check what comes before it with --until ${name}.`,
      );
  }
}

/** What a layer reads: the output of the one before with its mask, or one of its states. */
export function readOf(runs: ReadonlyMap<string, LayerRun>, { reads }: Pick<ModelLayer, 'reads'>): LayerRun {
  const before = runOf(runs, reads);
  return reads.state === undefined
    ? before
    : { ...before, output: before.states[reads.state], mask: undefined };
}

/** The output, or the state, that a source names. */
export function tensorOf(runs: ReadonlyMap<string, LayerRun>, source: Source): Tensor {
  const { output, states } = runOf(runs, source);
  return source.state === undefined ? output : states[source.state];
}

function runOf(runs: ReadonlyMap<string, LayerRun>, { of }: Source): LayerRun {
  const found = runs.get(of);
  if (found === undefined) throw new Error(`runReference: ${of} has not run`);
  return found;
}

/** One layer, from what it reads. */
export function runLayer(layer: LayerInModel, before: LayerRun, initialStates: readonly Tensor[]): LayerRun {
  const { config, weights, maskedRows = 'state' } = layer;
  const { output: x } = before;
  const mask = maskAfter(layer, before);
  const only = (output: Tensor): LayerRun => ({ output, states: [], mask });
  const [batch, ...sizes] = x.shape;
  const width = sizes[sizes.length - 1];
  switch (config.layer) {
    case 'masking':
      return only(masked(x, mask!));
    case 'repeatVector': {
      const data = new Float64Array(batch * config.times * width);
      for (let b = 0; b < batch; b++)
        for (let t = 0; t < config.times; t++)
          data.set(x.data.subarray(b * width, (b + 1) * width), (b * config.times + t) * width);
      return only({ data, shape: [batch, config.times, width] });
    }
    case 'flatten':
      return only({ data: x.data, shape: [batch, x.data.length / batch] });
    case 'lastStep': {
      const data = new Float64Array(batch * width);
      for (let b = 0; b < batch; b++)
        data.set(x.data.subarray(((b + 1) * sizes[0] - 1) * width, (b + 1) * sizes[0] * width), b * width);
      return only({ data, shape: [batch, width] });
    }
    case 'batchNormalization':
      return only({ shape: x.shape, data: normalized(x.data, width, config.epsilon, weights) });
    case 'activation':
      return only({
        shape: x.shape,
        data:
          config.activation === 'softmax' ? softmaxOf(x.data, width) : activated(x.data, config.activation),
      });
    case 'identity':
      return only(x);
    default: {
      const seen = seenMask(layer, before.mask);
      const { output, states } = inStack(config, weights, x, seen, initialStates);
      return {
        output: seen === undefined ? output : withMaskedRows(config, output, seen, maskedRows),
        states,
        mask,
      };
    }
  }
}

type LayerInModel = Pick<ModelLayer, 'config' | 'weights' | 'maskedRows'>;

/** The mask that a recurrent layer goes by; undefined for any other layer. */
export function seenMask({ config, maskedRows }: LayerInModel, mask: Tensor | undefined): Tensor | undefined {
  const { layer } = config;
  const isRecurrent =
    layer === 'simpleRNN' || layer === 'lstm' || layer === 'gru' || layer === 'bidirectional';
  return isRecurrent && maskedRows !== 'unmasked' ? mask : undefined;
}

/** Which steps of a layer's output exist. */
export function maskAfter({ config }: LayerInModel, { output: x, mask }: LayerRun): Tensor | undefined {
  switch (config.layer) {
    case 'masking':
      return maskOfValue(x, config.maskValue);
    case 'embedding':
      return config.maskZero === true ? { data: x.data.map((n) => (n === 0 ? 0 : 1)), shape: x.shape } : mask;
    case 'repeatVector':
    case 'flatten':
    case 'lastStep':
      return undefined;
    case 'bidirectional':
      return config.wrapped.returnSequences === true ? mask : undefined;
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return config.returnSequences === true ? mask : undefined;
    default:
      return mask;
  }
}

/** A layer of scratch/ by itself. */
function inStack(
  config: LayerConfig,
  weights: LayerInModel['weights'],
  x: Tensor,
  mask: Tensor | undefined,
  initialStates: readonly Tensor[],
): { readonly output: Tensor; readonly states: readonly Tensor[] } {
  const { stack, given } = stackOf(config, weights, x);
  const { outputs, finalStates } = stack.forward(given, {
    ...(mask && { mask }),
    ...(initialStates.length > 0 && { initialStates: [initialStates] }),
  });
  return { output: given === x ? outputs : withoutTime(outputs), states: finalStates[0] };
}

/** The stack of one layer, and its inputs: a layer without a time axis runs on one step. */
export function stackOf(
  config: LayerConfig,
  weights: LayerInModel['weights'],
  x: Tensor,
): { readonly stack: Stack; readonly given: Tensor } {
  const [batch, ...sizes] = x.shape;
  const isEmbedding = config.layer === 'embedding';
  const layers = [config.layer === 'timeDistributed' && sizes.length === 1 ? config.wrapped : config];
  const width = sizes[sizes.length - 1];
  return {
    stack: new Stack({ ...(!isEmbedding && { features: width }), layers, weights: [weights] }),
    given: isEmbedding || sizes.length === 2 ? x : { data: x.data, shape: [batch, 1, width] },
  };
}

const withoutTime = ({ data, shape: [batch] }: Tensor): Tensor => ({
  data,
  shape: [batch, data.length / batch],
});

/** A step is masked where all its features equal the value. */
function maskOfValue({ data, shape: [batch, timeSteps, width] }: Tensor, value: number): Tensor {
  const mask = zeros(batch, timeSteps);
  for (let row = 0; row < batch * timeSteps; row++)
    if (data.subarray(row * width, (row + 1) * width).some((n) => Math.fround(n) !== Math.fround(value)))
      mask.data[row] = 1;
  return mask;
}

/** The numbers of masked steps become zeros, as in Keras. */
export function masked({ data, shape }: Tensor, mask: Tensor): Tensor {
  const width = shape[2];
  return { data: data.map((x, i) => (mask.data[Math.floor(i / width)] === 0 ? 0 : x)), shape };
}

/** The rows of masked steps as the program of the model fills them (`maskedRows`). */
export function withMaskedRows(
  config: LayerConfig,
  output: Tensor,
  { data: mask, shape: [batch, timeSteps] }: Tensor,
  rows: MaskedRows,
): Tensor {
  if (rows === 'state') return output;
  const halves = config.layer === 'bidirectional';
  const isConcat = halves && (config.mergeMode ?? 'concat') === 'concat';
  // both directions of sum, mul and ave become zero together, but only with zeros everywhere
  if (halves && !isConcat && rows === 'output') return output;
  const width = output.shape[output.shape.length - 1];
  const data = output.data.slice();
  const hasTime = output.shape.length === 3;
  const part = isConcat ? width / 2 : width;
  const directions = halves
    ? [false, true]
    : [config.layer !== 'dense' && 'goBackwards' in config && config.goBackwards];
  directions.forEach((isBackwards, d) => {
    const [from, to] = isConcat ? [d * part, (d + 1) * part] : [0, width];
    for (let b = 0; b < batch; b++) {
      let seen = false;
      for (let k = 0; k < timeSteps; k++) {
        const t = isBackwards ? timeSteps - 1 - k : k;
        const exists = mask[b * timeSteps + t] !== 0;
        seen ||= exists;
        const isZero = rows === 'zero' ? !exists : !seen;
        // a layer that goes backwards gives its steps in the order in which it ran; of both directions they are put in order again
        const row = halves ? t : k;
        const isShown = hasTime || k === timeSteps - 1;
        if (isZero && isShown) {
          const at = (hasTime ? b * timeSteps + row : b) * width;
          data.fill(0, at + from, at + to);
        }
      }
    }
  });
  return { data, shape: output.shape };
}

/** gamma (x - mean) / sqrt(variance + epsilon) + beta */
function normalized(
  x: Float64Array,
  width: number,
  epsilon: number,
  { gamma, beta, movingMean, movingVariance }: Readonly<Record<string, Tensor | undefined>>,
): Float64Array {
  return x.map((value, i) => {
    const n = i % width;
    const unit = (value - (movingMean?.data[n] ?? 0)) / Math.sqrt((movingVariance?.data[n] ?? 1) + epsilon);
    return unit * (gamma?.data[n] ?? 1) + (beta?.data[n] ?? 0);
  });
}

/** An activation by itself is that of a dense layer that changes nothing. */
function activated(x: Float64Array, activation: Exclude<ActivationOfDense, undefined>): Float64Array {
  const stack = new Stack({
    features: 1,
    layers: [{ layer: 'dense', units: 1, activation, useBias: false }],
    weights: [{ kernel: [[1]] }],
  });
  return stack.forward({ data: x, shape: [1, x.length, 1] }).outputs.data;
}
type ActivationOfDense = Extract<LayerConfig, { layer: 'dense' }>['activation'];

/** exp(x - max) / Σ exp(x - max), by row */
function softmaxOf(x: Float64Array, width: number): Float64Array {
  const out = new Float64Array(x.length);
  for (let from = 0; from < x.length; from += width) {
    const row = x.subarray(from, from + width);
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = row.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    out.set(
      powers.map((p) => p / sum),
      from,
    );
  }
  return out;
}
