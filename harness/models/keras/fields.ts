import type { ActivationName } from '../../../scratch/index';
import type { ModelLayerConfig } from '../description';
import { asObject, show } from '../json';
import type { Dialect, Options } from './options';

/** An option of a layer. */
interface Field {
  /** its value where a description leaves it out */ readonly preset?: unknown;
  /** reads it from a file, where it has the name that Keras gives it */ read(
    options: Options,
    name: string,
    dialect: Dialect,
  ): unknown;
}

const size: Field = { read: (options, name) => options.size(name) };
const number = (preset: number): Field => ({
  preset,
  read: (options, name) => options.number(name, preset),
});
const flag = (preset: boolean): Field => ({ preset, read: (options, name) => options.flag(name, preset) });
const activation = (
  preset: ActivationName,
  { softmax = false, inTfjs = preset }: { readonly softmax?: boolean; readonly inTfjs?: ActivationName } = {},
): Field => ({
  preset,
  read(options, name, dialect) {
    const found = activationOf(options, name, dialect) ?? (dialect.program === 'tfjs' ? inTfjs : preset);
    if (found === 'softmax' && !softmax) throw options.wrong(name, found, activationList);
    return found;
  },
});

const recurrent = {
  units: size,
  activation: activation('tanh'),
  useBias: flag(true),
  returnSequences: flag(false),
  goBackwards: flag(false),
};
// hard_sigmoid in TensorFlow.js 4.22 and Keras before 2.3
const gates = { ...recurrent, recurrentActivation: activation('sigmoid', { inTfjs: 'hardSigmoid' }) };

/** The options of every layer of a description by their names here: what a file of Keras or TensorFlow.js says of it, both ways. */
export const fields: Readonly<Record<ModelLayerConfig['layer'], Readonly<Record<string, Field>>>> = {
  simpleRNN: recurrent,
  lstm: {
    ...gates,
    unitForgetBias: { preset: true, read: (options, name) => options.value(name) !== false },
  },
  gru: {
    ...gates,
    // where the file does not say it: reset_after came with Keras 2.1.3 as false, and is true since 2.4; TensorFlow.js has only false
    resetAfter: { preset: true, read: (options, name) => options.flag(name, false) },
  },
  dense: { units: size, activation: activation('linear', { softmax: true }), useBias: flag(true) },
  embedding: { inputDim: size, outputDim: size, maskZero: flag(false) },
  masking: { maskValue: number(0) },
  repeatVector: { times: size },
  batchNormalization: { epsilon: number(1e-3), center: flag(true), scale: flag(true) },
  activation: { activation: activation('linear', { softmax: true }) },
  ...{ bidirectional: {}, timeDistributed: {}, flatten: {}, lastStep: {}, identity: {} },
};

/** Keras's class of each layer; a Dropout stands for any layer that passes its input on when predicting. */
export const classNames = {
  simpleRNN: 'SimpleRNN',
  lstm: 'LSTM',
  gru: 'GRU',
  bidirectional: 'Bidirectional',
  dense: 'Dense',
  timeDistributed: 'TimeDistributed',
  embedding: 'Embedding',
  masking: 'Masking',
  repeatVector: 'RepeatVector',
  flatten: 'Flatten',
  batchNormalization: 'BatchNormalization',
  activation: 'Activation',
  identity: 'Dropout',
} as const;

/** recurrentKernel -> recurrent_kernel */
export const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/^_/, '');

/** Keras's name of an option. */
export const optionName = (name: string): string => (name === 'times' ? 'n' : snake(name));

/** Keras's: SimpleRNN -> simple_rnn, GRU -> gru */
export const snakeOfClass = (kind: string): string =>
  kind
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();

/** Names for things of a class, counted: lstm, lstm_1, ... */
export function counter(): (base: string) => string {
  const counts = new Map<string, number>();
  return (base) => {
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  };
}

const activationList = 'tanh, sigmoid, hard_sigmoid, relu, linear';

/** Keras's and TensorFlow.js's spellings. */
const activationNames: Readonly<Record<string, ActivationName | 'softmax' | 'hard'>> = {
  ...{ tanh: 'tanh', sigmoid: 'sigmoid', relu: 'relu', linear: 'linear', softmax: 'softmax' },
  ...{ hard_sigmoid: 'hard', hardSigmoid: 'hard', hardSigmoidKeras3: 'hardSigmoidKeras3' },
};

function activationOf(
  options: Options,
  name: string,
  { program, major }: Dialect,
): ActivationName | 'softmax' | undefined {
  const given = options.value(name, undefined);
  if (given === undefined) return undefined;
  if (given === null) return 'linear';
  // Keras 3 writes { class_name: 'function', config: 'relu' }, TensorFlow.js and Keras 2 a name or { class_name: 'relu' }
  const { class_name: kind, config } = asObject(given);
  const text = typeof given === 'string' ? given : typeof config === 'string' ? config : kind;
  const found =
    typeof text === 'string' && Object.hasOwn(activationNames, text) ? activationNames[text] : undefined;
  if (found === undefined) throw options.wrong(name, show(given), `${activationList} or softmax`);
  // x/6 + 1/2 since Keras 3; 0.2 x + 1/2 in Keras 2 and TensorFlow.js
  if (found === 'hard') return major === 3 && program === 'keras' ? 'hardSigmoidKeras3' : 'hardSigmoid';
  return found;
}
