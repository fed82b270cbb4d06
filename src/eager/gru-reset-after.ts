import type * as Tf from '@tensorflow/tfjs';
import { checkChoice, checkOptions, checkSize } from '../../scratch/index';

/** What the cell computes with. */
interface CellArgs {
  readonly units: number;
  /** default tanh */ readonly activation?: Activation;
  /** default sigmoid; that of tf.layers.gru is hardSigmoid */ readonly recurrentActivation?: Activation;
  /** default true */ readonly useBias?: boolean;
  /** default 2: bias [2, 3U]; 1: bias [3U], without the one inside the reset */ readonly biases?: 1 | 2;
  /** default glorotUniform */ readonly kernelInitializer?: Initializer;
  /** default orthogonal */ readonly recurrentInitializer?: Initializer;
}

/** What a GRU with the reset after the matrix is made from; defaults as in Keras 3. */
export interface GRUResetAfterArgs extends CellArgs {
  /** default false: the output is h_T; true: h_1 .. h_T */ readonly returnSequences?: boolean;
  /** default false; true: the final state is a second output */ readonly returnState?: boolean;
  /** default false */ readonly goBackwards?: boolean;
  readonly inputShape?: Tf.Shape;
  readonly name?: string;
}

const cellDefaults: Required<Omit<CellArgs, 'units'>> = {
  activation: 'tanh',
  recurrentActivation: 'sigmoid',
  useBias: true,
  biases: 2,
  kernelInitializer: 'glorotUniform',
  recurrentInitializer: 'orthogonal',
};
const ofLayer = { returnSequences: true, returnState: true, goBackwards: true, inputShape: true, name: true };
const argNames = { units: true, ...cellDefaults, ...ofLayer } satisfies Record<
  keyof GRUResetAfterArgs,
  unknown
>;

type LayerArgs = NonNullable<Parameters<typeof Tf.layers.gru>[0]>;
type Activation = NonNullable<LayerArgs['activation']>;
type Initializer = 'glorotUniform' | 'glorotNormal' | 'orthogonal' | 'zeros';
type Cell = InstanceType<typeof Tf.layers.RNNCell>;
type CellClass = new (args: CellArgs) => Cell;

type Rnn = InstanceType<typeof Tf.layers.RNN>;
type RnnClass = new (args: GRUResetAfterArgs) => Rnn;

/** The class of the layer, one for each TensorFlow.js that is loaded: it extends a class of that one. */
const classes = new WeakMap<typeof Tf, RnnClass>();

/**
 * tf.layers.gru with `resetAfter: true`, which TensorFlow.js refuses (tfjs#5728): the GRU of Keras's default, cuDNN and
 * PyTorch, as a layer that TensorFlow.js runs, differentiates, saves and loads.
 *
 *     a_t = x_t · kernel + bias[0]          m_t = h_{t-1} · recurrentKernel + bias[1]        three blocks: z r h
 *     z = σ(a_t[z] + m_t[z])                r = σ(a_t[r] + m_t[r])
 *     h_t = z ∘ h_{t-1} + (1 - z) ∘ φ(a_t[h] + r ∘ m_t[h])
 *
 * Weights kernel [F, 3U], recurrentKernel [U, 3U], bias [2, 3U] or [3U], as Keras stores them. A saved model that holds this layer
 * is loaded after `registerGRUResetAfter(tf)`.
 *
 * ```ts
 * const model = tf.sequential({ layers: [gruResetAfter(tf, { units: 16, inputShape: [null, 3] })] });
 * ```
 *
 * @throws RangeError when units is not an integer of at least 1, or on an unknown option
 */
export function gruResetAfter(tf: typeof Tf, args: GRUResetAfterArgs): Rnn {
  checkOptions(args, argNames, 'gruResetAfter');
  checkSize('gruResetAfter: units', args.units);
  if (args.biases !== undefined) checkChoice(args.biases, [1, 2], 'gruResetAfter: biases');
  return new (registerGRUResetAfter(tf))(args);
}

/**
 * Makes the layer known to TensorFlow.js, so that a saved model that holds it can be loaded. Once is enough; more does no
 * harm.
 */
export function registerGRUResetAfter(tf: typeof Tf): RnnClass {
  const known = classes.get(tf);
  if (known !== undefined) return known;
  const Cell = cellClass(tf);

  class GRUResetAfter extends tf.layers.RNN {
    static override readonly className = 'GRUResetAfter';

    constructor(args: GRUResetAfterArgs) {
      super({ ...args, cell: new Cell(args) });
    }

    // RNN's own looks for a description of the cell; here the layer's description, which has the cell's settings, is enough
    static override fromConfig<T extends Tf.serialization.Serializable>(
      cls: Tf.serialization.SerializableConstructor<T>,
      config: Tf.serialization.ConfigDict,
    ): T {
      return new cls(config);
    }
  }

  tf.serialization.registerClass(GRUResetAfter);
  classes.set(tf, GRUResetAfter);
  return GRUResetAfter;
}

function cellClass(tf: typeof Tf): CellClass {
  return class GRUResetAfterCell extends tf.layers.RNNCell {
    static readonly className = 'GRUResetAfterCell';
    readonly stateSize: number;
    private readonly settings: Required<CellArgs>;
    private readonly activate: Record<'φ' | 'σ', (z: Tf.Tensor) => Tf.Tensor>;
    private kernel: Tf.LayerVariable | undefined;
    private recurrentKernel: Tf.LayerVariable | undefined;
    private bias: Tf.LayerVariable | undefined;

    constructor(args: CellArgs) {
      super(args as unknown as Tf.serialization.ConfigDict);
      const own = Object.entries(cellDefaults).map(([name, usual]: [string, unknown]) => [
        name,
        args[name as keyof CellArgs] ?? usual,
      ]);
      this.settings = { units: args.units, ...Object.fromEntries(own) } as Required<CellArgs>;
      const { units, activation, recurrentActivation } = this.settings;
      this.stateSize = units;
      const layerOf = (name: Activation) => {
        const layer = tf.layers.activation({ activation: name });
        return (z: Tf.Tensor) => layer.apply(z) as Tf.Tensor;
      };
      this.activate = { φ: layerOf(activation), σ: layerOf(recurrentActivation) };
    }

    override build(inputShape: Tf.Shape | Tf.Shape[]): void {
      const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as number[];
      const { units, useBias, biases, kernelInitializer, recurrentInitializer } = this.settings;
      const add = (name: string, size: number[], initializer: Initializer) =>
        this.addWeight(name, size, 'float32', tf.initializers[initializer]({}));
      this.kernel = add('kernel', [shape[shape.length - 1], 3 * units], kernelInitializer);
      this.recurrentKernel = add('recurrent_kernel', [units, 3 * units], recurrentInitializer);
      if (useBias) this.bias = add('bias', biases === 2 ? [2, 3 * units] : [3 * units], 'zeros');
      this.built = true;
    }

    /** @param inputs x_t [B, F] and h_{t-1} [B, U] @returns h_t twice: the output and the state */
    override call(inputs: Tf.Tensor | Tf.Tensor[]): Tf.Tensor[] {
      return tf.tidy(() => {
        const [x, h] = inputs as [Tf.Tensor2D, Tf.Tensor2D];
        const { units } = this.settings;
        const { φ, σ } = this.activate;
        const bias = this.bias?.read();
        const biases = bias === undefined ? [] : bias.rank === 2 ? tf.unstack(bias) : [bias];
        const side = (v: Tf.Tensor2D, weight: Tf.LayerVariable, row: number): Tf.Tensor[] => {
          const product = tf.matMul(v, weight.read());
          const sum = biases.length > row ? tf.add(product, biases[row]) : product;
          return tf.split(sum, [units, units, units], 1);
        };
        const [aZ, aR, aH] = side(x, this.kernel!, 0);
        const [mZ, mR, mH] = side(h, this.recurrentKernel!, 1);
        const z = σ(tf.add(aZ, mZ));
        const r = σ(tf.add(aR, mR));
        const candidate = φ(tf.add(aH, tf.mul(r, mH)));
        const next = tf.add(tf.mul(z, h), tf.mul(tf.sub(1, z), candidate));
        return [next, next];
      });
    }

    override getConfig(): Tf.serialization.ConfigDict {
      return { ...super.getConfig(), ...this.settings };
    }
  };
}
