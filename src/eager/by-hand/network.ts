import type * as Tf from '@tensorflow/tfjs';
import type { LayerConfig, NetworkPlan, Tensor } from '../../../scratch/index';
import type { NameOf } from '../../network-engine';
import { upload } from '../../to-tensors';
import { kernelsOf } from '../kernels';
import { uploadStates, type Asked, type AskedBackward, type NetworkMethod, type Outcome } from '../method';
import type { Arriving, HandLayer, LayerGradients, LayerPass } from './layer';
import { bidirectionalLayer, denseLayer, embeddingPass } from './other-layers';
import { recurrentLayer } from './recurrent';
import { cutSteps, HostSignal, uploadStepMasks, uploadSteps, type StepMask } from './signal';

/** A network by its formulas, forward and backward, in tfjs operations without a tape. */
export function networkByHand(tf: typeof Tf, plan: NetworkPlan, nameOf: NameOf): NetworkMethod {
  const { layers: configs } = plan.config;
  const layers = configs.map((config) => layerOf(tf, config));
  const variables = plan.layers.map(({ shapes }) =>
    Object.fromEntries(
      Object.entries(shapes).map(([key, shape]) => [key, tf.tidy(() => tf.variable(tf.zeros([...shape])))]),
    ),
  );

  const runLayers = (asked: Asked, backward: boolean): LayerPass[] => {
    const { given, name } = asked;
    const masks = maskReader(tf);
    const layerMasks = plan.masksOf(given);
    const passes: LayerPass[] = [];
    layers.forEach((layer, i) => {
      if (layer === undefined) {
        passes.push(embeddingPass(tf, configs[i] as never, variables[i], given.inputs));
        return;
      }
      const signal = passes.at(-1)?.output ?? new HostSignal(tf, given.inputs, `${name}: inputs`);
      const initialStates = uploadStates(tf, plan, asked, nameOf, i);
      const fromZero = given.initialStates[i].length === 0;
      const input = { signal, initialStates, fromZero, mask: masks(layerMasks[i]) };
      passes.push(layer(variables[i], input, backward));
    });
    return passes;
  };

  return {
    variables,
    computesLoss: false,
    forward: (asked) => outcomeOf(tf, runLayers(asked, false), asked.sequences),
    differentiate(asked) {
      const passes = runLayers(asked, true);
      const outcome = outcomeOf(tf, passes, asked.sequences);
      const back = backward(tf, asked, passes, outcome, nameOf);
      const toStart = back[0].input;
      return {
        outcome,
        gradients: {
          weights: back.map(({ weights }) => weights),
          inputs: toStart && tf.stack([...toStart], 1),
          initialStates: back.map(({ initialStates }) => initialStates),
        },
      };
    },
    dispose: () => {
      for (const layer of variables) for (const variable of Object.values(layer)) variable.dispose();
    },
  };
}

/** @returns undefined for an embedding, which reads the integers of the host */
function layerOf(tf: typeof Tf, config: LayerConfig): HandLayer | undefined {
  switch (config.layer) {
    case 'embedding':
      return undefined;
    case 'dense':
      return denseLayer(tf, config);
    case 'timeDistributed':
      return denseLayer(tf, config.wrapped);
    case 'bidirectional':
      return bidirectionalLayer(tf, config);
    default:
      return recurrentLayer(tf, config);
  }
}

function outcomeOf(tf: typeof Tf, passes: readonly LayerPass[], sequences: boolean): Outcome {
  const { steps, hasTime } = passes[passes.length - 1].output;
  return {
    logits: hasTime ? tf.stack([...steps], 1) : steps[0],
    finalStates: passes.map(({ finalStates }) => finalStates),
    sequences: sequences
      ? passes.map((pass) => pass.sequences.map((walk) => tf.stack([...walk], 1)))
      : undefined,
  };
}

/** From the last layer to the first. @returns by layer */
function backward(
  tf: typeof Tf,
  { name, loss, upstream, toInputs }: AskedBackward,
  passes: readonly LayerPass[],
  { logits }: Outcome,
  nameOf: NameOf,
): LayerGradients[] {
  const { add } = kernelsOf(tf);
  const toSteps = (tensor: Tensor | undefined, what: string): Arriving =>
    tensor ? uploadSteps(tf, tensor, `${name}: ${what}`) : [];
  const fromLoss = loss?.gradient(logits);
  const one: Arriving = fromLoss ? cutSteps(tf, fromLoss, logits.shape) : [];
  const other = toSteps(upstream?.logits, 'upstream.logits');
  let outputs: Arriving = passes[passes.length - 1].output.steps.map((_, t) => {
    const [a, b] = [one[t], other[t]];
    return a && b ? add(a, b) : (a ?? b);
  });
  const back = new Array<LayerGradients>(passes.length);
  for (let i = passes.length - 1; i >= 0; i--) {
    const finalStates = (upstream?.finalStates[i] ?? []).map((state, k) =>
      upload(tf, state, `${name}: ${nameOf('upstream.finalStates', i, k)}`),
    );
    const sequences = (upstream?.sequences[i] ?? []).map((walk, k) =>
      toSteps(walk, nameOf('upstream.sequences', i, k)),
    );
    const wanted = { input: i > 0 || toInputs, initialStates: toInputs };
    const onHost = i === passes.length - 1 && !upstream?.logits ? fromLoss : undefined;
    back[i] = passes[i].backward({ outputs, ...(onHost && { onHost }), finalStates, sequences }, wanted);
    outputs = back[i].input ?? [];
  }
  return back;
}

/** Masks as columns per step, each made once. */
function maskReader(tf: typeof Tf): (mask: Tensor | undefined) => readonly (StepMask | undefined)[] {
  const known = new Map<Tensor, readonly (StepMask | undefined)[]>();
  return (mask) => {
    if (mask === undefined) return [];
    const made = known.get(mask) ?? uploadStepMasks(tf, mask);
    known.set(mask, made);
    return made;
  };
}
