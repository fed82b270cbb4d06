import {
  GraphBuilder,
  type AnyTensor,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './builder/index';
import { denseLayer } from './layers/dense';
import { sumOf } from './layers/layer';
import { losses } from './layers/losses';
import { recurrentLayer } from './layers/recurrent';
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
  // both layers take their sizes from their weights
  const recurrent = recurrentLayer({ layer: 'simpleRNN', units: 0 }, walk)(g, weights);
  const pass = recurrent(signal, [initialState], sizes);
  const states = batchFirst(g, pass.sequences()[0], sizes);
  const outputs: Record<string, AnyTensor> = { states, finalState: pass.finalStates[0] };
  let dOutput: GraphTensor | undefined;
  if (output !== undefined) {
    const top = denseLayer({ layer: 'dense', units: 0 })(g, output)(pass.output, [], sizes);
    const logits = top.output.rows;
    Object.assign(outputs, { logits, probabilities: g.softmax(logits) });
    if (labels !== undefined) {
      const { losses: each, dLogits } = losses.softmaxCrossEntropy.rows(g, logits, labels, 0);
      const mean = g.div(dLogits, g.cast(g.size(labels), 'float32'));
      const back = top.backward({ output: mean, finalStates: [], sequences: [] });
      dOutput = back.input;
      Object.assign(outputs, {
        loss: g.mean(each, [0]),
        'gradients.outputKernel': back.weights['kernel'],
        'gradients.outputBias': back.weights['bias'],
      });
    }
  }
  if (dOutput !== undefined || parts.upstreamFinalState || parts.upstreamStates) {
    const dStates = upstreamStates && stepsBelow(g, upstreamStates, g.slice(g.shape(weights.bias), [0], [1]));
    const back = pass.backward({
      output: sumOf(g, dOutput, upstreamFinalState),
      finalStates: [],
      sequences: [dStates],
    });
    const [dInitialState] = back.initialStates;
    const gradients = {
      ...back.weights,
      inputs: batchFirst(g, back.input, sizes),
      initialState: dInitialState,
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
