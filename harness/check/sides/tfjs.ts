import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { loadBackend, type BackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { precisionModelOf } from '../../budget/index';
import { toLayersModel, weightOrder, type ModelDescription } from '../../models/index';
import {
  AbsentSideError,
  CannotRunError,
  type Arriving,
  type ModelSide,
  type Shown,
  type ShownGradients,
  type SideAnswer,
} from './side';
import { read, trainInTfjs } from './tfjs-training';

/**
 * Plain TensorFlow.js: the model as a LayersModel that `tf.loadLayersModel` opens, every layer of it shown. What TensorFlow.js does
 * not have, and what it throws, is a CannotRunError.
 *
 * @throws AbsentSideError when the backend is not on this machine
 */
export async function openTfjsSide(name: BackendName): Promise<ModelSide> {
  const backend = await loadBackend(name).catch((error: unknown) => {
    throw new AbsentSideError((error as Error).message, { cause: error });
  });
  const { tf } = backend;
  return {
    name: `tfjs:${name}`,
    version: backend.version,
    model: precisionModelOf({ name: `tfjs:${name}`, precision: 'float32' }),
    async run({ model, inputs, upstream }) {
      backend.use();
      let loaded: Tf.LayersModel | undefined;
      try {
        const { modelTopology, weightSpecs, weightData, layerOf } = toLayersModel(model);
        const bytes = weightData.buffer.slice(
          weightData.byteOffset,
          weightData.byteOffset + weightData.byteLength,
        ) as ArrayBuffer;
        loaded = await tf.loadLayersModel(
          tf.io.fromMemory({ modelTopology, weightSpecs: [...weightSpecs], weightData: bytes }),
        );
        const shown = model.layers.flatMap(({ name: ours }) => {
          const theirs = layerOf.get(ours);
          return theirs === undefined ? [] : [[ours, theirs] as const];
        });
        const probed = loaded;
        const outputs = shown.map(([, theirs]) => [probed.getLayer(theirs).output].flat());
        const probe = tf.model({ inputs: loaded.inputs, outputs: outputs.flat() });
        /** The outputs of all layers, one after the other, by layer. */
        const layersOf = (all: readonly Tensor[]): Map<string, Shown> => {
          let at = 0;
          return new Map(
            shown.map(([ours], i): [string, Shown] => {
              const own = all.slice(at, (at += outputs[i].length));
              return [ours, { output: own[0], ...(own.length > 1 && { states: own.slice(1) }) }];
            }),
          );
        };
        const given = model.inputs.map(({ name: input, vocabulary }) => {
          const { data, shape } = inputs[input];
          const dtype = vocabulary === undefined ? 'float32' : 'int32';
          return tf.variable(tf.tensor(Float32Array.from(data), [...shape], dtype), true, undefined, dtype);
        });
        try {
          const answer = inScope(tf, () =>
            [probe.predict(given.length === 1 ? given[0] : given)].flat().map(read),
          );
          const layers = layersOf(answer);
          return {
            layers,
            ...(upstream && gradientsOf(tf, probed, model, given, upstream, shown, outputs.flat(), layersOf)),
          };
        } finally {
          tf.dispose(given);
        }
      } catch (error) {
        throw refusal(error);
      } finally {
        loaded?.dispose();
      }
    },
    async train(question) {
      backend.use();
      try {
        return await trainInTfjs(tf, question);
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}

const refusal = (error: unknown): CannotRunError =>
  new CannotRunError(
    error instanceof UsageError ? error.message : `TensorFlow.js: ${(error as Error).message}`,
    { cause: error },
  );

/** Runs it, and releases the tensors that it leaves. */
function inScope<T>(tf: typeof Tf, work: () => T): T {
  const results: T[] = [];
  tf.tidy(() => void results.push(work()));
  return results[0];
}

/**
 * Gradients of Σ output · gradient by the tape, with what the layers gave there, of the weights of every layer and of the inputs. TensorFlow.js has none of an embedding on
 * wasm: it is left out there, with a note.
 */
function gradientsOf(
  ...question: readonly [
    typeof Tf,
    Tf.LayersModel,
    ModelDescription,
    readonly Tf.Variable[],
    readonly Arriving[],
    readonly (readonly [string, string])[],
    readonly Tf.SymbolicTensor[],
    (all: readonly Tensor[]) => Map<string, Shown>,
  ]
): Pick<SideAnswer, 'gradients' | 'note'> {
  const [, , model] = question;
  const tried = [...new Set([false, model.layers.some(({ config }) => config.layer === 'embedding')])];
  let note = '';
  for (const withoutEmbedding of tried)
    try {
      const gradients = byTape(withoutEmbedding, ...question);
      return { gradients, ...(note !== '' && { note: `${note}; those of the other layers are compared` }) };
    } catch (error) {
      note = `TensorFlow.js gives no gradients${withoutEmbedding ? '' : ' of all layers'}: ${(error as Error).message}`;
    }
  return { note };
}

function byTape(
  withoutEmbedding: boolean,
  tf: typeof Tf,
  loaded: Tf.LayersModel,
  model: ModelDescription,
  inputs: readonly Tf.Variable[],
  upstream: readonly Arriving[],
  shown: readonly (readonly [string, string])[],
  all: readonly Tf.SymbolicTensor[],
  layersOf: (all: readonly Tensor[]) => Map<string, Shown>,
): ShownGradients {
  const theirs = new Map(shown);
  const weights = model.layers.flatMap((layer) => {
    if (withoutEmbedding && layer.config.layer === 'embedding') return [];
    const own = loaded.getLayer(
      theirs.get(layer.name) ?? layer.name.replace(/:softmax$/, ''),
    ).trainableWeights;
    const names = weightOrder.filter((name) => name in layer.weights && !name.startsWith('moving'));
    // what a LayerVariable reads is the variable itself
    const variables = own.map((one): unknown => one.read()) as Tf.Variable[];
    return names.map((name, i) => ({ layer: layer.name, name, variable: variables[i] }));
  });
  const real = model.inputs.flatMap(({ name, vocabulary }, i) =>
    vocabulary === undefined ? [{ name, variable: inputs[i] }] : [],
  );
  const variables = [...weights, ...real].map(({ variable }) => variable);
  return inScope(tf, () => {
    // under the tape TensorFlow.js fuses no products, so that its layers round otherwise than when predicting
    const probe = tf.model({ inputs: loaded.inputs, outputs: [...all] });
    const places = loaded.outputs.map((output) => all.indexOf(output));
    let layers = new Map<string, Shown>();
    const { grads } = tf.variableGrads(() => {
      const given = inputs.length === 1 ? inputs[0] : [...inputs];
      const ran = [probe.apply(given, { training: false })].flat() as Tf.Tensor[];
      layers = layersOf(ran.map(read));
      const terms = upstream.map(({ of, gradient: { data, shape } }, i) => {
        // an output of the model may be one of its inputs
        const output =
          places[i] < 0 ? inputs[model.inputs.findIndex(({ name }) => name === of)] : ran[places[i]];
        return tf.sum(tf.mul(output, tf.tensor(Float32Array.from(data), [...shape])));
      });
      return tf.addN(terms) as Tf.Scalar;
    }, variables);
    const byLayer = new Map<string, Record<string, Tensor>>();
    for (const { layer, name, variable } of weights) {
      const own = byLayer.get(layer) ?? {};
      byLayer.set(layer, { ...own, [name]: read(grads[variable.name]) });
    }
    return {
      layers,
      weights: byLayer,
      outputs: new Map(),
      inputs: Object.fromEntries(real.map(({ name, variable }) => [name, read(grads[variable.name])])),
    };
  });
}
