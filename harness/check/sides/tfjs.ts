import type * as Tf from '@tensorflow/tfjs';
import type { Tensor } from '../../../scratch/index';
import type { BackendName } from '../../../src/index';
import { UsageError } from '../../base/outcome';
import { ProblemRefusedError } from '../../base/side-errors';
import { precisionModelOf } from '../../budget/index';
import type { ModelLayer } from '../../models/index';
import { openBackend } from '../../sides/index';
import type { ModelSide, Shown, ShownGradients, SideAnswer, SideQuestion, Upstream } from './side';
import { given, inputsFor, loadModel, read, variablesOf, type LoadedModel } from './tfjs-model';
import { trainInTfjs } from './tfjs-training';

/**
 * Plain TensorFlow.js: the model as a LayersModel that `tf.loadLayersModel` opens, every layer of it shown. What TensorFlow.js does
 * not have, and what it throws, is a ProblemRefusedError.
 *
 * @throws SideUnavailableError when the backend is not on this machine
 */
export async function openTfjsSide(name: BackendName): Promise<ModelSide> {
  const backend = await openBackend(name);
  const { tf, version } = backend;
  const refusing = async <T>(work: () => Promise<T>): Promise<T> => {
    backend.use();
    try {
      return await work();
    } catch (error) {
      const { message } = error as Error;
      const said = error instanceof UsageError ? message : `TensorFlow.js: ${message}`;
      throw new ProblemRefusedError(said, { cause: error });
    }
  };
  return {
    ...{ name: `tfjs:${name}`, version },
    model: precisionModelOf({ name: `tfjs:${name}`, precision: 'float32' }),
    run: (question) =>
      refusing(async () => {
        const opened = await loadModel(tf, question.model);
        const inputs = tf.tidy(() => inputsFor(tf, question).map((tensor) => tf.variable(tensor)));
        try {
          return new Probe(tf, opened, question, inputs).answer();
        } finally {
          tf.dispose(inputs);
          opened.loaded.dispose();
        }
      }),
    train: (question) => refusing(() => trainInTfjs(tf, question)),
  };
}

/** A model that gives what every layer of another one gives. */
class Probe {
  /** by our names: the layers that TensorFlow.js has, and what each gives */
  private readonly shown: readonly (readonly [string, readonly Tf.SymbolicTensor[]])[];
  private readonly outputs: Tf.SymbolicTensor[];
  private readonly x: Tf.Tensor | Tf.Tensor[];

  constructor(
    private readonly tf: typeof Tf,
    private readonly opened: LoadedModel,
    private readonly question: SideQuestion,
    private readonly inputs: readonly Tf.Variable[],
  ) {
    const { loaded, layerOf } = opened;
    this.shown = question.model.layers.flatMap(({ name }) => {
      const theirs = layerOf.get(name);
      return theirs === undefined ? [] : [[name, [loaded.getLayer(theirs).output].flat()] as const];
    });
    this.outputs = this.shown.flatMap(([, own]) => own);
    this.x = inputs.length === 1 ? inputs[0] : [...inputs];
  }

  answer(): SideAnswer {
    const { upstream } = this.question;
    const probe = this.probe();
    const layers = this.inScope(() => this.layersOf([probe.predict(this.x)].flat()));
    return { layers, ...(upstream && this.gradients(upstream)) };
  }

  private probe(): Tf.LayersModel {
    return this.tf.model({ inputs: this.opened.loaded.inputs, outputs: this.outputs });
  }

  private layersOf(tensors: readonly Tf.Tensor[]): Map<string, Shown> {
    let at = 0;
    return new Map(
      this.shown.map(([name, own]): [string, Shown] => {
        const [output, ...states] = tensors.slice(at, (at += own.length)).map(read);
        return [name, { output, ...(states.length > 0 && { states }) }];
      }),
    );
  }

  /** Runs it, and releases the tensors that it leaves. */
  private inScope<T>(work: () => T): T {
    const results: T[] = [];
    this.tf.tidy(() => void results.push(work()));
    return results[0];
  }

  /** TensorFlow.js has no gradient of an embedding on wasm: it is left out there, with a note. */
  private gradients(upstream: readonly Upstream[]): Pick<SideAnswer, 'gradients' | 'note'> {
    const { layers } = this.question.model;
    const others = layers.filter(({ config }) => config.layer !== 'embedding');
    let note: string | undefined;
    for (const trained of others.length < layers.length ? [layers, others] : [layers])
      try {
        const gradients = this.byTape(upstream, trained);
        return { gradients, ...(note !== undefined && { note: `${note}; those of the other layers are compared` }) }; // prettier-ignore
      } catch (error) {
        note = `TensorFlow.js gives no gradients${trained === layers ? ' of all layers' : ''}: ${(error as Error).message}`;
      }
    return { ...(note !== undefined && { note }) };
  }

  /** Gradients of Σ output · gradient by the tape, of the weights of layers and of the inputs, with what the layers gave there. */
  private byTape(upstream: readonly Upstream[], trained: readonly ModelLayer[]): ShownGradients {
    const { tf, inputs, outputs, opened } = this;
    const { model } = this.question;
    const weights = variablesOf(tf, opened, trained);
    const real = model.inputs.flatMap(({ name, vocabulary }, i) =>
      vocabulary === undefined ? [{ name, variable: inputs[i] }] : [],
    );
    return this.inScope(() => {
      // under the tape TensorFlow.js fuses no products, so that its layers round otherwise than when predicting
      const probe = this.probe();
      const places = opened.loaded.outputs.map((output) => outputs.indexOf(output));
      let layers = new Map<string, Shown>();
      const { grads } = tf.variableGrads(
        () => {
          const ran = [probe.apply(this.x, { training: false })].flat() as Tf.Tensor[];
          layers = this.layersOf(ran);
          const terms = upstream.map(({ of, gradient }, i) => {
            // an output of the model may be one of its inputs
            const output =
              places[i] < 0 ? inputs[model.inputs.findIndex(({ name }) => name === of)] : ran[places[i]];
            return tf.sum(tf.mul(output, given(tf, gradient)));
          });
          return tf.addN(terms) as Tf.Scalar;
        },
        [...weights, ...real].map(({ variable }) => variable),
      );
      const byLayer = new Map<string, Record<string, Tensor>>();
      for (const { layer, name, variable } of weights)
        byLayer.set(layer.name, { ...byLayer.get(layer.name), [name]: read(grads[variable.name]) });
      const ofInputs = real.map(({ name, variable }) => [name, read(grads[variable.name])] as const);
      return { layers, weights: byLayer, outputs: new Map(), inputs: Object.fromEntries(ofInputs) };
    });
  }
}
