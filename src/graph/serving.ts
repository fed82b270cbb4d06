import { resolveNetwork, type LayerConfig, type Tensor } from '../../scratch/index';
import {
  GraphBuilder,
  type AnyTensor,
  type DType,
  type GraphTensor,
  type Placeholder,
} from './builder/index';
import { activations } from './cells/index';
import type { Signal } from './layers/layer';
import { stackOf } from './layers/stack';
import { batchFirst, stepsBelow } from './network-pass';
import { PackedWeights } from './packed-weights';
import { walkFor, type Sizes } from './time/index';

/** What a layer of a served graph gives. */
export interface ServedSignal extends Signal {
  /** sizes of its own time axis */ readonly sizes: Sizes;
}

/**
 * Writes a graph for TensorFlow Serving, layer by layer, with the weights inside: `saved_model.pb` of a SavedModel with the signature
 * `serving_default`. Inputs and outputs have the batch first.
 */
export class ServingGraph {
  private readonly g = new GraphBuilder();
  private readonly inputs: Record<string, Placeholder<DType>> = {};

  /** @param shape of one example: [T, F], [F], or [T] of integers; null where any size does */
  input(name: string, shape: readonly (number | null)[], isInteger: boolean): ServedSignal {
    const { g } = this;
    const sizes = ['B', ...shape.map((size, i) => size ?? `N${i}`)];
    const placeholder = g.placeholder(`serving_default_${name}`, isInteger ? 'int32' : 'float32', sizes);
    this.inputs[name] = placeholder;
    const whole = g.shape(placeholder);
    const at = (i: number): GraphTensor<'int32'> => g.slice(whole, [i], [1]);
    const batch = at(0);
    if (isInteger) {
      const integers = stepsBelow(g, placeholder as AnyTensor) as GraphTensor<'int32'>;
      const rows = g.cast(integers, 'float32');
      return { rows, integers, hasTime: true, sizes: { batch, timeSteps: at(1) } };
    }
    const values = placeholder as GraphTensor;
    if (shape.length === 1) return { rows: values, hasTime: false, sizes: { batch, timeSteps: g.int([1]) } };
    return { rows: stepsBelow(g, values, at(2)), hasTime: true, sizes: { batch, timeSteps: at(1) } };
  }

  /**
   * A layer with weights.
   *
   * @param zeroMasked whether masked steps of the output are zeros, and not the state
   * @param sees whether the layer sees the mask of its input
   */
  layer(
    name: string,
    config: LayerConfig,
    weights: Readonly<Record<string, Tensor>>,
    input: ServedSignal,
    {
      initialStates,
      zeroMasked,
      sees,
    }: {
      readonly initialStates: readonly ServedSignal[];
      readonly zeroMasked: boolean;
      readonly sees: boolean;
    },
  ): { readonly output: ServedSignal; readonly states: readonly ServedSignal[] } {
    const { g } = this;
    return g.scope(name, () => {
      const kernel = Object.entries(weights).find(
        ([own]) => own === 'kernel' || own === 'forwardKernel',
      )?.[1];
      const features = kernel?.shape[0] ?? 0;
      const { plan, weights: own } = resolveNetwork(
        {
          ...(config.layer !== 'embedding' && { features }),
          layers: [config],
          weights: [weights],
          loss: 'meanSquaredError',
        },
        'ServingGraph',
      );
      const packing = new PackedWeights(plan);
      const packed = packing.packArrays(own);
      const unpacked = packing.unpackInGraph(g, g.float(Array.from(packed.data), packed.shape));
      const mask = sees ? input.mask : undefined;
      const pass = stackOf(
        g,
        [config],
        unpacked,
        walkFor('while', 0).walk,
      )({ ...input, mask }, [initialStates.map(({ rows }) => rows)], input.sizes);
      const { output } = pass;
      const exists = output.mask && g.reshape(output.mask, g.int([-1, 1]));
      const rows = zeroMasked && exists ? g.select(exists, output.rows, g.float(0)) : output.rows;
      const steps = output.hasTime && !sees ? input.mask : output.mask;
      return {
        output: { rows, hasTime: output.hasTime, mask: steps, sizes: input.sizes },
        states: pass.passes[0].finalStates.map((state) => ({
          rows: state,
          hasTime: false,
          sizes: input.sizes,
        })),
      };
    });
  }

  /** Steps whose features all equal the value are masked; their numbers become zeros. */
  masking(value: number, input: ServedSignal): ServedSignal {
    const { g } = this;
    const differs = g.cast(g.notEqual(input.rows, g.float(value)), 'float32');
    const exists = g.notEqual(g.sum(differs, [1]), g.float(0));
    const rows = g.select(g.reshape(exists, g.int([-1, 1])), input.rows, g.float(0));
    const shape = g.concat([input.sizes.timeSteps, input.sizes.batch, g.int([1])], 0);
    return { ...input, rows, mask: g.reshape(exists, shape) };
  }

  /** [B, N] -> [B, times, N] */
  repeat(times: number, { rows, sizes: { batch } }: ServedSignal): ServedSignal {
    const { g } = this;
    const all = g.concat(new Array<GraphTensor>(times).fill(rows), 0);
    return { rows: all, hasTime: true, sizes: { batch, timeSteps: g.int([times]) } };
  }

  /** [B, T, N] -> [B, T N] */
  flatten(input: ServedSignal): ServedSignal {
    const { g } = this;
    if (!input.hasTime) return input;
    const rows = g.reshape(
      batchFirst(g, input.rows, input.sizes),
      g.concat([input.sizes.batch, g.int([-1])], 0),
    );
    return { rows, hasTime: false, sizes: input.sizes };
  }

  /** [B, T, N] -> [B, N] */
  lastStep({ rows, sizes }: ServedSignal): ServedSignal {
    const { g } = this;
    const from = g.concat([g.mul(g.sub(sizes.timeSteps, g.int([1])), sizes.batch), g.int([0])], 0);
    return { rows: g.slice(rows, from, [-1, -1]), hasTime: false, sizes };
  }

  /** x · scale + shift, by feature. */
  affine(scale: Float64Array, shift: Float64Array, input: ServedSignal): ServedSignal {
    const { g } = this;
    const rows = g.add(g.mul(input.rows, g.float(Array.from(scale))), g.float(Array.from(shift)));
    return { ...input, rows };
  }

  activation(name: keyof typeof activations | 'softmax', input: ServedSignal): ServedSignal {
    const { g } = this;
    const rows = name === 'softmax' ? g.softmax(input.rows) : activations[name].forward(g, input.rows);
    return { ...input, rows };
  }

  /** The bytes of saved_model.pb; outputs by name, [B, T, N] or [B, N]. */
  finish(outputs: Readonly<Record<string, ServedSignal>>): Uint8Array {
    const { g } = this;
    const named = Object.entries(outputs).map(([name, { rows, hasTime, sizes }]) => [
      name,
      g.identity(hasTime ? batchFirst(g, rows, sizes) : rows, `serving_output_${name}`),
    ]);
    g.signature('serving_default', this.inputs, Object.fromEntries(named) as Record<string, AnyTensor>);
    return g.toSavedModel();
  }
}
