import { UsageError } from '../../base/outcome';
import type { Tensor } from '../../../scratch/index';
import { concatenated } from '../../base/tensor-moves';
import { asObject, show, type Json } from '../json';
import type { Entry } from './weights';

/** What Keras 2 calls the options of Keras 1 (keras/legacy/interfaces.py of Keras 2.0). */
const renamed: Readonly<Record<string, string>> = {
  output_dim: 'units',
  inner_activation: 'recurrent_activation',
  bias: 'use_bias',
  p: 'rate',
  sigma: 'stddev',
};

/** What changes no prediction: initial values, penalties, dropout, ways to compute the same. */
const dropped =
  /^(init|inner_init|forget_bias_init|beta_init|gamma_init|consume_less|input_dtype|dropout_[WU]|[WUb]_(regularizer|constraint)|(beta|gamma)_regularizer)$/;

/** Classes that Keras 2 has under another name. */
const classes: Readonly<Record<string, string>> = { TimeDistributedDense: 'Dense' };

/** Whether the file was written by Keras 1. */
export const isKeras1 = (version: string): boolean => /^\D*1\./.test(version);

/**
 * A configuration of Keras 1 in the words of Keras 2.
 *
 * @throws UsageError for a mode of BatchNormalization that Keras 2 does not have
 */
export function fromKeras1(config: unknown, where: string): unknown {
  if (Array.isArray(config)) return config.map((one: unknown) => fromKeras1(one, where));
  const { class_name: kind, config: options, ...others } = asObject(config);
  if (typeof kind !== 'string') {
    const layers = asObject(config)['layers'];
    return Array.isArray(layers) ? { ...asObject(config), layers: fromKeras1(layers, where) } : config;
  }
  const isModel = kind === 'Sequential' || kind === 'Model';
  const own = isModel ? fromKeras1(options, where) : optionsOf(kind, asObject(options), where);
  return { ...others, class_name: classes[kind] ?? kind, config: own };
}

function optionsOf(kind: string, options: Json, where: string): Json {
  const { mode = 0, ...others } = options;
  if (kind === 'BatchNormalization' && mode !== 0)
    throw new UsageError(
      `${where}: layer ${show(options['name'])} is a BatchNormalization of Keras 1 with mode ${show(mode)}, which normalizes with what the batch itself has; only mode 0 is read, so train it again in Keras 2 or later.`,
    );
  return Object.fromEntries(
    Object.entries(kind === 'BatchNormalization' ? others : options).flatMap(([name, value]) => {
      if (dropped.test(name)) return [];
      const isWidth = name === 'output_dim' && kind === 'Embedding';
      const inner = name === 'layer' ? fromKeras1(value, where) : value;
      return [[isWidth ? name : (renamed[name] ?? name), inner]];
    }),
  );
}

type Readable = Entry & { read(): Tensor };

const parts = { W: 'kernel', U: 'recurrent_kernel', b: 'bias' } as const;
/** Keras 2's order of the gates, which lie side by side there. */
const orders = ['ifco', 'zrh'].map((gates) => Array.from(gates));

/**
 * Weights of Keras 1 under the names of Keras 2: `lstm_1/lstm_1_W_i`, ... become `lstm_1/lstm_1/kernel`, with the gates side by side in the
 * order i f c o, of a GRU z r h (`preprocess_weights_for_loading` of Keras 2.0).
 *
 * @param embeddings names of the Embedding layers
 */
export function weightsOfKeras1(entries: readonly Readable[], embeddings: ReadonlySet<string>): Readable[] {
  const gates = new Map<string, Map<string, Readable>>();
  const found: Readable[] = [];
  for (const entry of entries) {
    const plain = entry.name.replace(/:\d+$/, '');
    const matched = /^(.*)_([WUb])(?:_([ifcozrh]))?$/.exec(plain);
    if (matched === null) {
      const name = plain
        .replace(/_running_mean$/, '/moving_mean')
        // Keras 1 calls the variance so
        .replace(/_running_std$/, '/moving_variance')
        .replace(/_(gamma|beta)$/, '/$1');
      found.push({ ...entry, name });
      continue;
    }
    const [, before, part, gate = ''] = matched;
    const layer = before.slice(before.lastIndexOf('/') + 1);
    const word = embeddings.has(layer) ? 'embeddings' : parts[part as keyof typeof parts];
    if (gate === '') {
      found.push({ ...entry, name: `${before}/${word}` });
      continue;
    }
    const name = `${before}/${word}`;
    const own = gates.get(name) ?? new Map<string, Readable>();
    gates.set(name, own.set(gate, entry));
  }
  for (const [name, own] of gates) {
    const order = orders.find((one) => one.length === own.size && one.every((gate) => own.has(gate)));
    // what is not complete stays under its own names, and is reported as left over
    if (order === undefined) found.push(...own.values());
    else
      found.push(
        sideBySide(
          name,
          order.map((gate) => own.get(gate)!),
        ),
      );
  }
  return found;
}

/** [F, U] each as [F, n U], or [U] each as [n U]. */
function sideBySide(name: string, entries: readonly Readable[]): Readable {
  const [{ shape: first }] = entries;
  const isFit = entries.every(({ shape }) => shape.join() === first.join());
  const last = first.length - 1;
  const shape = isFit && last >= 0 ? first.with(last, first[last] * entries.length) : [];
  return {
    name,
    shape,
    read: () =>
      concatenated(
        entries.map((entry) => entry.read()),
        last,
      ),
  };
}
