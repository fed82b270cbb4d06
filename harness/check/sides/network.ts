import type { NetworkConfig, Tensor } from '../../../scratch/index';
import type { LayeredImplementation } from '../../base/problem';
import { ProblemRefusedError } from '../../base/side-errors';
import { precisionModelOf } from '../../budget/index';
import { openNetwork, type BackendName } from '../../sides/engine/index';
import { sideSource, type SideName } from '../../sides/index';
import { askedOf, isWeighted, runOf, sentOf, type WeightedLayer } from '../layer-problem';
import { runLayer, runLayerBack } from '../reference';
import { Arrivals, questionFrom, startRuns, type Arriving, type LayerQuestion } from '../walk';
import {
  chainsOnly,
  targetsOf,
  type ModelSide,
  type Shown,
  type ShownGradients,
  type SideAnswer,
  type SideQuestion,
  type TrainingAnswer,
  type TrainingQuestion,
} from './side';

/**
 * Our own networks: every layer with weights as a network of its own, from what the side gave before. What stands between these layers
 * (masking, repeating, softmax ...) is computed by its formula and rounded: it is not shown, as it proves nothing about the side.
 *
 * @param name `graph`, `twin:wasm`, or a device of a browser, `browser:webgl`, which trains nothing
 * @throws SideUnavailableError when the backend, the browser or its device is not on this machine
 */
export async function openNetworkSide(name: string): Promise<ModelSide> {
  const [family, backend] = name.split(':');
  const source = family === 'twin' ? `${backend}:bptt` : name;
  const { implementation, version = '' } = await sideSource(source as SideName, true).open();
  const close = (): Promise<void> => {
    implementation.dispose?.();
    return Promise.resolve();
  };
  const { layered } = implementation;
  if (layered === undefined) {
    await close();
    throw new ProblemRefusedError(`${name} runs no networks of layers.`);
  }
  const kind = family === 'graph' ? 'graph' : 'tfjs';
  return {
    ...{ name, version, model: precisionModelOf(implementation), close },
    run: (question) => runByLayers(layered, question),
    ...(family !== 'browser' && {
      train: (question) => trainOn({ kind, backend: backend as BackendName | undefined }, question),
    }),
  };
}

async function trainOn(
  choice: Parameters<typeof openNetwork>[0],
  question: TrainingQuestion,
): Promise<TrainingAnswer> {
  if ('model' in question) throw new ProblemRefusedError(chainsOnly);
  const { problem, optimizer, step, slots } = question;
  const { inputs, mask, weights, model } = problem;
  const { network } = await openNetwork(choice, model as NetworkConfig, weights);
  try {
    network.setOptimizerState({ config: optimizer, step, slots });
    const { loss } = network.trainOnBatch(inputs, targetsOf(problem), { ...(mask && { mask }) });
    return { loss, weights: network.getWeights(), slots: network.getOptimizerState().slots };
  } finally {
    network.dispose();
  }
}

/** Runs a model layer by layer, forward and, where it is asked, backward. */
async function runByLayers(
  side: LayeredImplementation,
  { model, inputs, upstream }: SideQuestion,
): Promise<SideAnswer> {
  const ask = (layer: WeightedLayer, question: LayerQuestion, arriving?: Arriving) => {
    const problem = askedOf(layer, question, arriving);
    const why = side.refuses?.(problem.model);
    if (why !== undefined) throw new ProblemRefusedError(why);
    return side.evaluate(problem);
  };
  const runs = startRuns(model, (name) => inputs[name]);
  const shown = new Map<string, Shown>();
  for (const layer of model.layers) {
    const question = questionFrom(runs, layer);
    if (isWeighted(layer)) {
      const run = runOf(layer, question, await ask(layer, question));
      shown.set(layer.name, run);
      runs.set(layer.name, run);
    } else {
      const exact = runLayer(layer, question);
      runs.set(layer.name, { ...exact, output: rounded(exact.output) });
    }
  }
  if (upstream === undefined) return { layers: shown };
  const arrivals = new Arrivals<Tensor>(upstream, (a, b) =>
    a === undefined ? b : rounded({ data: a.data.map((x, i) => x + b.data[i]), shape: a.shape }),
  );
  const weights = new Map<string, Readonly<Record<string, Tensor>>>();
  const outputs = new Map<string, Shown>();
  for (const [layer, arriving] of arrivals.through(model.layers)) {
    const question = questionFrom(runs, layer);
    const isShown = isWeighted(layer);
    const sent = isShown
      ? sentOf(layer, question, await ask(layer, question, arriving))
      : runLayerBack(layer, question, arriving);
    if (isShown) {
      outputs.set(layer.name, {
        states: arriving.states,
        ...(arriving.output && { output: arriving.output }),
      });
      weights.set(layer.name, sent.weights);
    }
    arrivals.sendFrom(layer, { input: sent.input && rounded(sent.input), states: sent.states.map(rounded) });
  }
  const atInputs = model.inputs.flatMap(({ name }): [string, Tensor][] => {
    const { output } = arrivals.at(name) ?? {};
    return output === undefined ? [] : [[name, output]];
  });
  const gradients: ShownGradients = { weights, outputs, inputs: Object.fromEntries(atInputs) };
  return { layers: shown, gradients };
}

const rounded = ({ data, shape }: Tensor): Tensor => ({ data: data.map(Math.fround), shape });
