import { bidirectional } from './bidirectional';
import { activations, type Activation, type ActivationName } from './cells/activations';
import type { Cell } from './cells/cell';
import { gruCell, gruResetAfterCell } from './cells/gru';
import { lstmCell } from './cells/lstm';
import { simpleRnnCell } from './cells/simple-rnn';
import { denseForward, denseInputGradients, denseWeightGradients, type DenseWeights } from './dense';
import { glorotUniform, orthogonal, uniform } from './initializers';
import { makeSignal, type Layer, type LayerWeights, type SignalShape } from './layer';
import type {
  BidirectionalConfig,
  DenseConfig,
  EmbeddingConfig,
  GRUConfig,
  LayerConfig,
  LSTMConfig,
  RecurrentConfig,
  SimpleRNNConfig,
  TimeDistributedConfig,
} from './layer-config';
import { checkChoice, checkFlag, checkOptions, describe, type OptionNames } from './options';
import { walkThroughTime } from './recurrent';
import { checkSize, zeros } from './tensor';

/** The options of every layer. */
const options = (() => {
  const recurrent = {
    layer: true,
    units: true,
    activation: true,
    useBias: true,
    returnSequences: true,
    goBackwards: true,
  } as const;
  return {
    simpleRNN: recurrent satisfies OptionNames<SimpleRNNConfig>,
    lstm: { ...recurrent, recurrentActivation: true, unitForgetBias: true } satisfies OptionNames<LSTMConfig>,
    gru: {
      ...recurrent,
      recurrentActivation: true,
      resetAfter: true,
      biases: true,
    } satisfies OptionNames<GRUConfig>,
    bidirectional: { layer: true, wrapped: true, mergeMode: true } satisfies OptionNames<BidirectionalConfig>,
    dense: { layer: true, units: true, activation: true, useBias: true } satisfies OptionNames<DenseConfig>,
    timeDistributed: { layer: true, wrapped: true } satisfies OptionNames<TimeDistributedConfig>,
    embedding: {
      layer: true,
      inputDim: true,
      outputDim: true,
      maskZero: true,
    } satisfies OptionNames<EmbeddingConfig>,
  } as const satisfies Record<LayerConfig['layer'], Readonly<Record<string, true>>>;
})();

/**
 * A layer from its description.
 *
 * @param input what it reads
 * @param name how messages call it: `layers[1]`
 * @throws RangeError on an unknown layer or option, a size that is not an integer of at least 1, or an input that it cannot read
 */
export function buildLayer(config: LayerConfig, input: SignalShape, name: string): Layer {
  checkLayer(config, Object.keys(options), name);
  const called = `${name} (${config.layer})`;
  checkOptions(config, options[config.layer], called);
  switch (config.layer) {
    case 'simpleRNN':
    case 'lstm':
    case 'gru':
      return recurrentLayer(config, input, called);
    case 'bidirectional': {
      const { wrapped, mergeMode = 'concat' } = config;
      checkChoice(mergeMode, ['concat', 'sum', 'mul', 'ave'], `${called}: mergeMode`);
      checkLayer(wrapped, ['simpleRNN', 'lstm', 'gru'], `${called}: wrapped`);
      if (wrapped.goBackwards === true) {
        throw new RangeError(
          `${called}: wrapped.goBackwards is true; a bidirectional layer goes both ways, so leave it out.`,
        );
      }
      const [there, back] = [false, true].map((goBackwards) =>
        buildLayer({ ...wrapped, goBackwards }, input, `${called}: wrapped`),
      );
      return bidirectional(there, back, mergeMode);
    }
    case 'dense':
      return denseLayer(config, input, called);
    case 'timeDistributed':
      checkLayer(config.wrapped, ['dense'], `${called}: wrapped`);
      checkTime(input, called);
      return buildLayer(config.wrapped, input, `${called}: wrapped`);
    case 'embedding':
      return embeddingLayer(config, input, called);
  }
}

function recurrentLayer(config: RecurrentConfig, input: SignalShape, name: string): Layer {
  const { units, useBias = true, returnSequences = false, goBackwards = false } = config;
  checkSize(`${name}: units`, units);
  for (const [key, flag] of Object.entries({ useBias, returnSequences, goBackwards })) {
    checkFlag(flag, `${name}: ${key}`);
  }
  checkTime(input, name);
  const cell = cellOf(config, name);
  const columns = cell.gates.length * units;
  const biases = biasesOf(config, name);
  const bias = biases === 2 ? [2, columns] : [columns];
  return {
    output: { width: units, hasTime: returnSequences },
    shapes: {
      kernel: [input.width, columns],
      recurrentKernel: [units, columns],
      ...(useBias && { bias }),
    },
    states: cell.carries.map(() => units),
    sequences: [units],
    initialize(random) {
      const made = {
        kernel: glorotUniform(random, input.width, columns),
        recurrentKernel: orthogonal(random, units, columns),
        ...(useBias && { bias: zeros(...bias) }),
      };
      const forgets = config.layer === 'lstm' && (config.unitForgetBias ?? true);
      if (forgets) made.bias?.data.fill(1, units, 2 * units);
      return made;
    },
    prepare: (weights, signal) =>
      walkThroughTime(cell, { units, returnSequences, goBackwards }, weights, signal),
  };
}

function cellOf(config: RecurrentConfig, name: string): Cell {
  const φ = activationOf(config.activation ?? 'tanh', `${name}: activation`);
  if (config.layer === 'simpleRNN') return simpleRnnCell(φ);
  const σ = activationOf(config.recurrentActivation ?? 'sigmoid', `${name}: recurrentActivation`);
  if (config.layer === 'lstm') {
    checkFlag(config.unitForgetBias ?? true, `${name}: unitForgetBias`);
    return lstmCell(φ, σ);
  }
  const resetAfter = checkFlag(config.resetAfter ?? true, `${name}: resetAfter`);
  return resetAfter ? gruResetAfterCell(φ, σ) : gruCell(φ, σ);
}

function biasesOf(config: RecurrentConfig, name: string): 1 | 2 {
  if (config.layer !== 'gru') return 1;
  const { resetAfter = true, useBias = true, biases = resetAfter ? 2 : 1 } = config;
  checkChoice(biases, [1, 2], `${name}: biases`);
  if (config.biases === 2 && !(resetAfter && useBias)) {
    throw new RangeError(
      `${name}: biases is 2 with ${useBias ? 'resetAfter' : 'useBias'} false; a second bias exists only alongside a first one and inside the reset of resetAfter: true, so leave biases out and add two biases up.`,
    );
  }
  return biases;
}

function denseLayer(config: DenseConfig, input: SignalShape, name: string): Layer {
  const { units, useBias = true } = config;
  checkSize(`${name}: units`, units);
  checkFlag(useBias, `${name}: useBias`);
  const activation = activationOf(config.activation ?? 'linear', `${name}: activation`);
  const shapes = { kernel: [input.width, units], ...(useBias && { bias: [units] }) };
  const withBias = ({ kernel, bias = zeros(units) }: LayerWeights): DenseWeights => ({ kernel, bias });
  return {
    output: { width: units, hasTime: input.hasTime },
    shapes,
    states: [],
    sequences: [],
    initialize: (random) => ({
      kernel: glorotUniform(random, input.width, units),
      ...(useBias && { bias: zeros(units) }),
    }),
    prepare(weights, { batch, timeSteps, values, gradient, mask }) {
      const rows = batch * (timeSteps ?? 1);
      const dense = withBias(weights);
      const output = makeSignal(batch, timeSteps, units, mask);
      const [z, dz] = [new Float64Array(rows * units), new Float64Array(rows * units)];
      return {
        output,
        initialStates: [],
        finalStates: [],
        sequences: [],
        forward() {
          // z = bias + x · kernel,  y = φ(z)
          denseForward(dense, values, 0, rows, z);
          activation.apply(z, output.values, 0, z.length);
        },
        clearGradients: () => output.gradient.fill(0),
        backward(gradients, toInput) {
          // dz = dy ∘ φ'(z);   dKernel += xᵀ · dz,  dBias += Σ dz,  dx += dz · kernelᵀ
          for (let n = 0; n < dz.length; n++) {
            dz[n] = output.gradient[n] * activation.slope(output.values[n], z[n]);
          }
          denseWeightGradients(withBias(gradients), values, 0, rows, dz);
          if (toInput) denseInputGradients(dense, dz, rows, gradient, 0);
        },
      };
    },
  };
}

function embeddingLayer(config: EmbeddingConfig, input: SignalShape, name: string): Layer {
  const { inputDim, outputDim, maskZero = false } = config;
  checkSize(`${name}: inputDim`, inputDim);
  checkSize(`${name}: outputDim`, outputDim);
  checkFlag(maskZero, `${name}: maskZero`);
  if (name !== 'layers[0] (embedding)') {
    throw new RangeError(
      `${name}: an embedding reads integers, and the layer before it gives other numbers; put it first.`,
    );
  }
  return {
    output: { width: outputDim, hasTime: input.hasTime },
    shapes: { embeddings: [inputDim, outputDim] },
    states: [],
    sequences: [],
    // Keras's: uniform in [-0.05, 0.05]
    initialize: (random) => ({ embeddings: uniform(random, inputDim, outputDim, 0.05) }),
    prepare({ embeddings }, { batch, timeSteps, values, mask }) {
      const ownMask = maskZero ? new Float64Array(values.length) : mask;
      const output = makeSignal(batch, timeSteps, outputDim, ownMask);
      return {
        output,
        initialStates: [],
        finalStates: [],
        sequences: [],
        forward() {
          // y = embeddings[x]
          values.forEach((row, i) => {
            const from = row * outputDim;
            output.values.set(embeddings.data.subarray(from, from + outputDim), i * outputDim);
            if (maskZero && ownMask) ownMask[i] = row === 0 ? 0 : (mask?.[i] ?? 1);
          });
        },
        clearGradients: () => output.gradient.fill(0),
        backward({ embeddings: dEmbeddings }) {
          // dEmbeddings[x] += dy: a row that is used twice gets both
          values.forEach((row, i) => {
            for (let n = 0; n < outputDim; n++) {
              dEmbeddings.data[row * outputDim + n] += output.gradient[i * outputDim + n];
            }
          });
        },
      };
    },
  };
}

function activationOf(given: ActivationName, name: string): Activation {
  return activations[checkChoice(given, Object.keys(activations) as ActivationName[], name)];
}

/** @throws TypeError when it is no description of a layer, RangeError when it is none of the allowed layers */
function checkLayer(config: LayerConfig, allowed: readonly string[], name: string): void {
  const given: unknown = config;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `${name} is ${describe(given)}; pass the description of a layer: { layer: '${allowed[0]}', units: 16 }.`,
    );
  }
  checkChoice(config.layer, allowed, `${name}.layer`);
}

function checkTime(input: SignalShape, name: string): void {
  if (input.hasTime) return;
  throw new RangeError(
    `${name} reads [B, T, N], but the layer before it gives [B, ${input.width}] without time steps; set returnSequences: true there.`,
  );
}
