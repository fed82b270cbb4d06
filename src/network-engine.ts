import { checkSize, someInputs } from '../scratch/index';
import type {
  BatchResult,
  CheckedOptimizerState,
  CheckedQuestion,
  NetworkAnswer,
  NetworkOptimizerState,
  NetworkPrediction,
  StackInputs,
  StackWeights,
  Targets,
  Tensor,
} from '../scratch/index';

/** Examples per forward pass of predict and evaluate; the results do not depend on it. */
const chunk = 256;

/** A batch with its targets, checked. */
export interface CheckedBatch {
  readonly given: StackInputs;
  readonly targets: Targets;
}

/** What computes a network of layers, and owns its weights and its optimizer. Everything that reaches it has been checked. */
export interface NetworkEngine {
  /** One update, unless the loss or the gradients' norm is not finite. @returns finalStates where the engine reports them */
  step(batch: CheckedBatch, clipNorm: number | undefined): StepResult;
  /** @param name of the method, for messages */
  answer(question: CheckedQuestion, name: string): NetworkAnswer;
  readWeights(): StackWeights;
  /** All of the weights or, when one does not fit float32, none. */
  writeWeights(weights: StackWeights): void;
  readState(): NetworkOptimizerState;
  writeState(state: CheckedOptimizerState): void;
  /** Frees everything that the engine owns. */
  dispose(): void;
}

export interface StepResult extends BatchResult {
  readonly finalStates?: readonly (readonly Tensor[])[];
}

/** How messages call a weight, a state or a gradient that arrives: `initialStates[0][1]`. */
export type NameOf = (what: string, layer: number, key: string | number) => string;

/** The names of a network of layers. */
export const layerNames: NameOf = (what, layer, key) =>
  what === 'weights' ? `[${layer}]: ${key}` : `${what}[${layer}][${key}]`;

/** The names of a simple RNN with or without an output layer. */
export const simpleRNNNames: NameOf = (what, layer, key) => {
  if (what !== 'weights') return simpleRNNWords[what] ?? what;
  const name = String(key);
  return layer === 0 ? name : `output${name[0].toUpperCase()}${name.slice(1)}`;
};

const simpleRNNWords: Readonly<Record<string, string>> = {
  initialStates: 'initialState',
  'upstream.finalStates': 'upstream.finalState',
  'upstream.sequences': 'upstream.states',
};

/** The question that asks for predictions alone. */
export function predictionOf(given: StackInputs): CheckedQuestion {
  return { given, targets: undefined, upstream: undefined, sequences: false };
}

/** The examples in parts, so that memory stays small. */
export function inChunks(given: StackInputs, batchSize = chunk): StackInputs[] {
  const size = checkSize('evaluate: batchSize', batchSize);
  return Array.from({ length: Math.ceil(given.batch / size) }, (_, i) =>
    someInputs(given, i * size, Math.min((i + 1) * size, given.batch)),
  );
}

/** The predictions for parts of a batch as one. */
export function joined(parts: readonly NetworkPrediction[]): NetworkPrediction {
  if (parts.length === 1) return parts[0];
  return {
    outputs: joinedTensors(parts.map(({ outputs }) => outputs)),
    logits: joinedTensors(parts.map(({ logits }) => logits)),
    finalStates: parts[0].finalStates.map((ofLayer, i) =>
      ofLayer.map((_, k) => joinedTensors(parts.map(({ finalStates }) => finalStates[i][k]))),
    ),
  };
}

/** Tensors below each other. Written here too: scratch/ does not put the answers together that it is compared with. */
export function joinedTensors(tensors: readonly Tensor[]): Tensor {
  const data = new Float64Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  const batch = tensors.reduce((sum, { shape }) => sum + shape[0], 0);
  return { data, shape: [batch, ...tensors[0].shape.slice(1)] };
}
