import { asObject, show, type Json } from '../json';

/** Which program wrote a configuration: some names mean something else in another one. */
export interface Dialect {
  readonly program: 'tfjs' | 'keras';
  /** of Keras: 2 or 3; what TensorFlow.js saved itself counts as 2 */ readonly major: 2 | 3;
  /** as the file says it: `3.15.1`, `tfjs-layers 4.22.0` */ readonly version: string;
}

/** Makes the error about something that is not read; the advice says what to do. */
export type Refuse = (what: string, advice?: string) => Error;

export const changeIt =
  'change that in the model and save it again, or check what comes before it with --until LAYER';
export const saveAgain = 'the file is damaged, or was edited: save the model again';

/** Options that change no prediction: names, sizes known from elsewhere, initial values, penalties, ways to compute the same. */
const neutral =
  /^(name|trainable|unroll|implementation|batch_input_shape|batch_shape|input_shape|input_dim|input_length|batch_size|seed|shape|optional|sparse|ragged|momentum|renorm_momentum|rate|noise_shape|cell|unit_forget_bias|p|(kernel|recurrent|bias|beta|gamma|embeddings|moving_mean|moving_variance)_(initializer|regularizer|constraint)|activity_regularizer|(recurrent_)?dropout|num_constants|build_config|stateful|quantization_config|autocast)$/;

/** The options of one layer: each is asked for once; what is left over is refused. */
export class Options {
  private readonly asked = new Set<string>();
  private readonly values: Json;

  /** @param owner how messages call the layer: `layer rnn (SimpleRNN)` */
  constructor(
    values: unknown,
    readonly owner: string,
    private readonly refuse: Refuse,
  ) {
    this.values = Object.fromEntries(
      Object.entries(asObject(values)).map(([key, value]) => [
        key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      ]),
    );
  }

  /** The value, and `preset` where it is absent; null stays null. */
  value(name: string, preset?: unknown): unknown {
    this.asked.add(name);
    return name in this.values ? this.values[name] : preset;
  }

  flag(name: string, preset: boolean): boolean {
    const value = this.value(name, preset) ?? preset;
    if (typeof value === 'boolean') return value;
    throw this.wrong(name, value, 'true or false');
  }

  size(name: string): number {
    const value = this.value(name);
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    throw this.wrong(name, value, 'a whole number of at least 1');
  }

  number(name: string, preset: number): number {
    const value = this.value(name, preset) ?? preset;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.wrong(name, value, 'a finite number');
  }

  wrong(name: string, value: unknown, expected: string): Error {
    return this.refuse(`${this.owner} has ${name} ${show(value)}, where ${expected} was expected`);
  }

  /**
   * A policy of Keras for another precision: the layer computes in fewer bits, or in more. What it is meant to compute is the same function,
   * so that it is read, with a note.
   */
  precisionNotes(): string[] {
    const policy = policyOf(this.values['dtype']);
    if (policy !== 'mixed_float16' && policy !== 'mixed_bfloat16' && policy !== 'float64') return [];
    this.asked.add('dtype');
    return [
      `${this.owner} has the dtype policy ${policy}: Keras computes it in ${policy.replace('mixed_', '')}; it is checked in single precision`,
    ];
  }

  /** @throws UsageError that names every option that was not asked for and may change a prediction */
  finish(): void {
    const left = Object.entries(this.values).filter(
      ([name, value]) =>
        !this.asked.has(name) &&
        !neutral.test(name) &&
        !isOff(value) &&
        !(name === 'dtype' && isFloat32(value)),
    );
    if (left.length > 0)
      throw this.refuse(
        `${this.owner} has ${left.map(([name, value]) => `${name} ${show(value)}`).join(' and ')}`,
      );
  }
}

/** An option that is not used. */
function isOff(value: unknown): boolean {
  return value === null || value === false || value === 0 || (Array.isArray(value) && value.length === 0);
}

function isFloat32(value: unknown): boolean {
  const policy = policyOf(value);
  return policy === 'float32' || policy === 'int32' || policy === 'int64';
}

/** The name of a dtype, or of a DTypePolicy of Keras 3. */
function policyOf(value: unknown): unknown {
  return typeof value === 'string' ? value : asObject(asObject(value)['config'])['name'];
}
