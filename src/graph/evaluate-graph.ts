import {
  GraphBuilder,
  type AnyTensor,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './builder/index';
import { recurrentFor, type Loop } from './rnn/loop-choice';
import { logitsOf, outputBackward, softmaxCrossEntropy } from './rnn/output-layer';
import { sumOf } from './rnn/unrolled';

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
  const { layer, steps } = recurrentFor(parts.loop, parts.timeSteps);
  const when = <D extends DType>(present: boolean, make: () => Placeholder<D>) =>
    present ? make() : undefined;
  const float = (name: string, ...shape: (number | string)[]) => g.placeholder(name, 'float32', shape);

  const weights = {
    kernel: float('kernel', 'F', 'U'),
    recurrentKernel: float('recurrentKernel', 'U', 'U'),
    bias: float('bias', 'U'),
  };
  const output = parts.output
    ? { outputKernel: float('outputKernel', 'U', 'C'), outputBias: float('outputBias', 'C') }
    : undefined;
  const inputs = float('inputs', 'B', steps, 'F');
  const initialState = when(parts.initialState, () => float('initialState', 'B', 'U'));
  const mask = when(parts.mask, () => g.placeholder('mask', 'bool', ['B', steps]));
  const labels = when(parts.labels, () => g.placeholder('labels', 'int32', ['B']));
  const upstreamStates = when(parts.upstreamStates, () => float('upstreamStates', 'B', steps, 'U'));
  const upstreamFinalState = when(parts.upstreamFinalState, () => float('upstreamFinalState', 'B', 'U'));

  const pass = layer(g, weights, { inputs, initialState, mask });
  const outputs: Record<string, AnyTensor | undefined> = {
    states: g.transpose(pass.states(), [1, 0, 2]),
    finalState: pass.finalState,
  };
  let dFinalState: GraphTensor | undefined = upstreamFinalState;
  if (output !== undefined) {
    const logits = logitsOf(g, output, pass.finalState);
    Object.assign(outputs, { logits, probabilities: g.softmax(logits) });
    if (labels !== undefined) {
      const { loss, dLogits } = softmaxCrossEntropy(g, logits, labels);
      const back = outputBackward(g, output, pass.finalState, dLogits);
      dFinalState = sumOf(g, upstreamFinalState, back.finalState);
      Object.assign(outputs, {
        loss,
        'gradients.outputKernel': back.outputKernel,
        'gradients.outputBias': back.outputBias,
      });
    }
  }
  if (dFinalState !== undefined || upstreamStates !== undefined) {
    const dStates = upstreamStates && g.transpose(upstreamStates, [1, 0, 2]);
    const gradients = pass.backward({ states: dStates, finalState: dFinalState });
    for (const [key, gradient] of Object.entries<GraphTensor>({ ...gradients }))
      outputs[`gradients.${key}`] = gradient;
  }
  const fed = {
    ...weights,
    ...output,
    ...{ inputs, initialState, mask, labels, upstreamStates, upstreamFinalState },
  };
  return { graph: g, signature: g.signature('evaluate', present(fed), present(outputs)) };
}

function present<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, T] => entry[1] !== undefined),
  );
}
