import type { LayerConfig } from '../../scratch/index';
import {
  GraphBuilder,
  type AnyTensor,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './builder/index';
import { losses } from './layers/losses';
import { stackOf } from './layers/stack';
import { batchFirst, stepsBelow } from './network-pass';
import { walkFor, type Loop } from './time/index';

/** Which parts a problem has; every combination is a graph of its own, for any sizes but the number of steps. */
export interface EvaluateParts {
  readonly loop: Loop;
  /** matters when unrolled */ readonly timeSteps: number;
  readonly initialState: boolean;
  readonly mask: boolean;
  readonly output: boolean;
  readonly labels: boolean;
  readonly upstreamStates: boolean;
  readonly upstreamFinalState: boolean;
  /** products by oneDNN's kernels */ readonly oneDnn: boolean;
}

/** Names a combination: equal names mean equal graphs, so a session is kept under this key. */
export function keyOf(parts: EvaluateParts): string {
  const { loop, timeSteps, ...flags } = parts;
  return `${loop === 'while' ? loop : timeSteps}:${Object.values(flags).map(Number).join('')}`;
}

/** Forward, and where something asks for gradients, backward, as one call. */
export function evaluateGraph(parts: EvaluateParts): { graph: GraphBuilder; signature: Signature } {
  const g = new GraphBuilder(parts.oneDnn);
  const { walk, steps } = walkFor(parts.loop, parts.timeSteps);
  const when = <D extends DType>(present: boolean, make: () => Placeholder<D>) =>
    present ? make() : undefined;
  const float = (name: string, ...shape: (number | string)[]) => g.placeholder(name, 'float32', shape);

  const weights = {
    kernel: float('kernel', 'F', 'U'),
    recurrentKernel: float('recurrentKernel', 'U', 'U'),
    bias: float('bias', 'U'),
  };
  const output = parts.output
    ? { kernel: float('outputKernel', 'U', 'C'), bias: float('outputBias', 'C') }
    : undefined;
  const inputs = float('inputs', 'B', steps, 'F');
  const initialState = when(parts.initialState, () => float('initialState', 'B', 'U'));
  const mask = when(parts.mask, () => g.placeholder('mask', 'bool', ['B', steps]));
  const labels = when(parts.labels, () => g.placeholder('labels', 'int32', ['B']));
  const upstreamStates = when(parts.upstreamStates, () => float('upstreamStates', 'B', steps, 'U'));
  const upstreamFinalState = when(parts.upstreamFinalState, () => float('upstreamFinalState', 'B', 'U'));

  const shape = g.shape(inputs);
  const sizes = { batch: g.slice(shape, [0], [1]), timeSteps: g.slice(shape, [1], [1]) };
  const rows = stepsBelow(g, inputs, g.slice(shape, [2], [1]));
  const signal = { rows, hasTime: true, mask: mask && g.transpose(g.expandDims(mask, 2), [1, 0, 2]) };
  // layers take their sizes from their weights
  const units = 0;
  const layers: LayerConfig[] = [
    { layer: 'simpleRNN', units },
    { layer: 'dense', units },
  ];
  const all = output ? [weights, output] : [weights];
  const pass = stackOf(g, layers.slice(0, all.length), all, walk)(signal, [[initialState], []], sizes);
  const [recurrent] = pass.passes;
  const outputs: Record<string, AnyTensor> = {
    states: batchFirst(g, recurrent.sequences()[0], sizes),
    finalState: recurrent.finalStates[0],
  };
  const logits = pass.output.rows;
  if (output) Object.assign(outputs, { logits, probabilities: g.softmax(logits) });
  let dLogits: GraphTensor | undefined;
  if (labels) {
    const rows = losses.softmaxCrossEntropy.rows(g, logits, labels, () => g.float(1));
    dLogits = g.div(rows.dLogits, g.cast(g.size(labels), 'float32'));
    outputs['loss'] = g.mean(rows.losses, [0]);
  }
  if (labels || upstreamFinalState || upstreamStates) {
    const dStates = upstreamStates && stepsBelow(g, upstreamStates, g.slice(g.shape(weights.bias), [0], [1]));
    const back = pass.backward({
      output: dLogits,
      finalStates: [[upstreamFinalState], []],
      sequences: [[dStates], []],
    });
    const [dWeights, dOutput] = back.weights;
    const gradients = {
      ...dWeights,
      ...(labels && { outputKernel: dOutput['kernel'], outputBias: dOutput['bias'] }),
      inputs: batchFirst(g, back.input, sizes),
      initialState: back.initialStates[0][0],
    };
    for (const [key, gradient] of Object.entries(gradients)) outputs[`gradients.${key}`] = gradient;
  }
  const fed = {
    ...weights,
    ...(output && { outputKernel: output.kernel, outputBias: output.bias }),
    ...{ inputs, initialState, mask, labels, upstreamStates, upstreamFinalState },
  };
  return { graph: g, signature: g.signature('evaluate', present(fed), outputs) };
}

function present<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined),
  );
}
