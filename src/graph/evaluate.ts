import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import {
  borrowTensor,
  checkLabels,
  checkMask,
  type ClassifierGradients,
  type Tensor,
  type TensorLike,
} from '../../scratch/index';
import { evaluateGraph, keyOf, type EvaluateParts } from './evaluate-graph';
import { feedFloats, feedLabels, feedMask, fetchTensor } from './native-tensors';
import { hasOneDnnProducts } from './one-dnn';
import { chooseLoop, type Loop } from './rnn/loop-choice';
import { GraphSession, type SessionBackend } from './session';
import type { Signature } from './builder/index';

/** One question: a batch, the weights, and what is asked about them. Shape letters as everywhere. */
export interface GraphProblem {
  /** [B, T, F] */ readonly inputs: TensorLike;
  /** [B, U]; zeros when absent */ readonly initialState?: TensorLike;
  /** [B, T] of 0 and 1 */ readonly mask?: TensorLike;
  /** asks for the loss and its gradients */ readonly labels?: ArrayLike<number>;
  /** loss gradients that arrive at the states from elsewhere; added to those of the labels */
  readonly upstream?: {
    /** [B, T, U] */ readonly states?: TensorLike;
    /** [B, U] */ readonly finalState?: TensorLike;
  };
  readonly weights: {
    /** [F, U] */ readonly kernel: TensorLike;
    /** [U, U] */ readonly recurrentKernel: TensorLike;
    /** [U] */ readonly bias: TensorLike;
    /** [U, C] */ readonly outputKernel?: TensorLike;
    /** [C] */ readonly outputBias?: TensorLike;
  };
}

export interface GraphEvaluation {
  /** [B, T, U] */ readonly states: Tensor;
  /** [B, U] */ readonly finalState: Tensor;
  /** [B, C] */ readonly logits?: Tensor;
  /** [B, C] */ readonly probabilities?: Tensor;
  /** scalar: mean over the batch, nats */ readonly loss?: Tensor;
  readonly gradients?: Partial<ClassifierGradients>;
}

/** Most sessions an evaluator keeps; the one not used for longest goes first. */
const mostSessions = 32;

/**
 * Answers problems of any sizes by compiled graphs. Graphs are kept by number of time steps and parts (mask, labels,
 * ...), so that a suite of cases compiles a few dozen.
 */
export class GraphEvaluator {
  private readonly sessions = new Map<string, { session: GraphSession; signature: Signature }>();

  /** @param loop in place of the rule's choice by length */
  constructor(
    private readonly backend: SessionBackend,
    private readonly loop?: Loop,
  ) {}

  /** @throws RangeError on anything that does not fit; before the native call */
  evaluate(problem: GraphProblem): GraphEvaluation {
    const { backend } = this;
    backend.use();
    const given = checkProblem(problem);
    const { session, signature } = this.open({
      ...given.parts,
      loop: this.loop ?? chooseLoop(given.parts.timeSteps),
      oneDnn: hasOneDnnProducts(backend),
    });
    let evaluation: GraphEvaluation | undefined;
    backend.tf.tidy(() => {
      const feeds: Record<string, TfTensor> = {};
      for (const [name, tensor] of Object.entries(given.floats)) {
        feeds[name] = feedFloats(backend, tensor, `evaluate: ${name}`);
      }
      if (given.mask) feeds.mask = feedMask(backend, given.mask);
      if (given.labels) feeds.labels = feedLabels(backend, given.labels);
      evaluation = unflatten(session.run(signature, feeds));
    });
    return evaluation as unknown as GraphEvaluation;
  }

  /** Closes all sessions; the next `evaluate` opens new ones. */
  dispose(): void {
    for (const { session } of this.sessions.values()) session.dispose();
    this.sessions.clear();
  }

  private open(parts: EvaluateParts): { session: GraphSession; signature: Signature } {
    const key = keyOf(parts);
    let entry = this.sessions.get(key);
    if (entry === undefined) {
      const { graph, signature } = evaluateGraph(parts);
      entry = { session: new GraphSession(this.backend, graph), signature };
    }
    // last used is last in the map's order
    this.sessions.delete(key);
    this.sessions.set(key, entry);
    if (this.sessions.size > mostSessions) {
      const [oldest, { session }] = this.sessions.entries().next().value as [string, typeof entry];
      session.dispose();
      this.sessions.delete(oldest);
    }
    return entry;
  }
}

/** One problem, answered once. Whoever has many keeps a `GraphEvaluator`. */
export function evaluateWithGraph(backend: SessionBackend, problem: GraphProblem): GraphEvaluation {
  const evaluator = new GraphEvaluator(backend);
  try {
    return evaluator.evaluate(problem);
  } finally {
    evaluator.dispose();
  }
}

interface CheckedProblem {
  readonly floats: Readonly<Record<string, Tensor>>;
  readonly mask: Tensor | undefined;
  readonly labels: Int32Array | undefined;
  readonly parts: Omit<EvaluateParts, 'loop' | 'oneDnn'>;
}

function checkProblem({
  inputs,
  initialState,
  mask,
  labels,
  upstream,
  weights,
}: GraphProblem): CheckedProblem {
  const at = (name: string): string => `evaluate: ${name}`;
  const x = borrowTensor(inputs, at('inputs'), ['B', 'T', 'F']);
  const [batch, timeSteps, features] = x.shape;
  const bias = borrowTensor(weights.bias, at('bias'), ['U']);
  const [units] = bias.shape;
  const floats: Record<string, Tensor> = {
    inputs: x,
    bias,
    kernel: borrowTensor(weights.kernel, at('kernel'), [features, units]),
    recurrentKernel: borrowTensor(weights.recurrentKernel, at('recurrentKernel'), [units, units]),
  };
  const add = (name: string, value: TensorLike | undefined, shape: readonly (number | string)[]): boolean => {
    if (value !== undefined) floats[name] = borrowTensor(value, at(name), shape);
    return value !== undefined;
  };
  const output = add('outputKernel', weights.outputKernel, [units, 'C']);
  const classes = output ? floats.outputKernel.shape[1] : 0;
  if (add('outputBias', weights.outputBias, [classes]) !== output || (labels !== undefined && !output)) {
    throw new RangeError(
      'evaluate: logits need outputKernel and outputBias, and a loss needs logits; pass both weights, or neither and no labels.',
    );
  }
  return {
    floats,
    mask: checkMask(mask, at('mask'), batch, timeSteps),
    labels: labels && checkLabels(labels, at('labels'), batch, classes),
    parts: {
      timeSteps,
      initialState: add('initialState', initialState, [batch, units]),
      mask: mask !== undefined,
      output,
      labels: labels !== undefined,
      upstreamStates: add('upstreamStates', upstream?.states, [batch, timeSteps, units]),
      upstreamFinalState: add('upstreamFinalState', upstream?.finalState, [batch, units]),
    },
  };
}

/** `gradients.kernel` and its like become `gradients: { kernel }`. */
function unflatten(results: Readonly<Record<string, TfTensor>>): GraphEvaluation {
  const evaluation: Record<string, unknown> = {};
  const gradients: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(results)) {
    if (name.startsWith('gradients.')) gradients[name.slice('gradients.'.length)] = fetchTensor(tensor);
    else evaluation[name] = fetchTensor(tensor);
  }
  if (Object.keys(gradients).length > 0) evaluation.gradients = gradients;
  return evaluation as unknown as GraphEvaluation;
}
