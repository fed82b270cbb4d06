import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import { loadBackend, type BackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { precisionModelOf } from '../../budget/index';
import type { ModelDescription } from '../../models/index';
import {
  AbsentSideError,
  CannotRunError,
  type Arriving,
  type ModelSide,
  type Shown,
  type ShownGradients,
  type SideAnswer,
} from './side';
import { given, loadModel, read, variablesOf, type LoadedModel } from './tfjs-model';
import { trainInTfjs } from './tfjs-training';

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
      let opened: LoadedModel | undefined;
      try {
        opened = await loadModel(tf, model);
        const { loaded, layerOf } = opened;
        const shown = model.layers.flatMap(({ name: ours }) => {
          const theirs = layerOf.get(ours);
          return theirs === undefined ? [] : [[ours, theirs] as const];
        });
        const outputs = shown.map(([, theirs]) => [loaded.getLayer(theirs).output].flat());
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
        const variables = model.inputs.map(({ name: input, vocabulary }) => {
          const dtype = vocabulary === undefined ? 'float32' : 'int32';
          return tf.variable(given(tf, inputs[input], dtype), true, undefined, dtype);
        });
        try {
          const answer = inScope(tf, () =>
            [probe.predict(variables.length === 1 ? variables[0] : variables)].flat().map(read),
          );
          const layers = layersOf(answer);
          return {
            layers,
            ...(upstream && gradientsOf(tf, opened, model, variables, upstream, outputs.flat(), layersOf)),
          };
        } finally {
          tf.dispose(variables);
        }
      } catch (error) {
        throw refusal(error);
      } finally {
        opened?.loaded.dispose();
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
    LoadedModel,
    ModelDescription,
    readonly Tf.Variable[],
    readonly Arriving[],
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
  opened: LoadedModel,
  model: ModelDescription,
  inputs: readonly Tf.Variable[],
  upstream: readonly Arriving[],
  all: readonly Tf.SymbolicTensor[],
  layersOf: (all: readonly Tensor[]) => Map<string, Shown>,
): ShownGradients {
  const { loaded } = opened;
  const trained = model.layers.filter(({ config }) => !(withoutEmbedding && config.layer === 'embedding'));
  const weights = variablesOf(tf, opened, trained);
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
      const x = inputs.length === 1 ? inputs[0] : [...inputs];
      const ran = [probe.apply(x, { training: false })].flat() as Tf.Tensor[];
      layers = layersOf(ran.map(read));
      const terms = upstream.map(({ of, gradient }, i) => {
        // an output of the model may be one of its inputs
        const output =
          places[i] < 0 ? inputs[model.inputs.findIndex(({ name }) => name === of)] : ran[places[i]];
        return tf.sum(tf.mul(output, given(tf, gradient)));
      });
      return tf.addN(terms) as Tf.Scalar;
    }, variables);
    const byLayer = new Map<string, Record<string, Tensor>>();
    for (const { layer, name, variable } of weights) {
      const own = byLayer.get(layer.name) ?? {};
      byLayer.set(layer.name, { ...own, [name]: read(grads[variable.name]) });
    }
    return {
      layers,
      weights: byLayer,
      outputs: new Map(),
      inputs: Object.fromEntries(real.map(({ name, variable }) => [name, read(grads[variable.name])])),
    };
  });
}
