import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import type { Tensor } from '../../scratch/index';
import { checkProblem, type NetworkEvaluation, type NetworkProblem } from '../problem';
import { read, upload, uploadIntegers, uploadMask } from '../to-tensors';
import type { Signature } from './builder/index';
import { evaluateGraph, keyOf } from './evaluate-graph';
import { hasOneDnnProducts } from './one-dnn';
import { checkSessions, GraphSession, type SessionBackend } from './session';
import { SessionCache } from './session-cache';
import { checkLoop, chooseLoop, type Loop } from './time/index';

/** Most sessions that an evaluator keeps. */
const mostSessions = 32;

/**
 * Answers problems of any sizes by compiled graphs. Graphs are kept by number of time steps and parts (mask, labels,
 * ...), so that a suite of cases compiles a few dozen.
 */
export class GraphEvaluator {
  private readonly sessions = new SessionCache<{ session: GraphSession; signature: Signature }>(mostSessions);
  private readonly loop: Loop | undefined;

  /**
   * @param loop instead of the choice by length
   * @throws GraphUnavailableError on a backend without sessions
   */
  constructor(
    private readonly backend: SessionBackend,
    loop?: Loop,
  ) {
    checkSessions(backend, 'GraphEvaluator');
    this.loop = loop && checkLoop(loop, 'GraphEvaluator');
  }

  /** @throws RangeError on anything that does not fit; before the native call */
  evaluate(problem: NetworkProblem): NetworkEvaluation {
    const { backend } = this;
    const { tf } = backend;
    backend.use();
    const { given, weights, classes, labels, upstream } = checkProblem(problem, 'evaluate');
    const { inputs, initialState, mask, timeSteps } = given;
    const parts = {
      timeSteps,
      initialState: initialState !== undefined,
      mask: mask !== undefined,
      output: classes !== undefined,
      labels: labels !== undefined,
      upstreamStates: upstream?.states !== undefined,
      upstreamFinalState: upstream?.finalState !== undefined,
      loop: this.loop ?? chooseLoop(timeSteps),
      oneDnn: hasOneDnnProducts(backend),
    };
    const { session, signature } = this.sessions.get(keyOf(parts), () => {
      const { graph, signature } = evaluateGraph(parts);
      return { session: new GraphSession(backend, graph), signature };
    });
    const floats: Record<string, Tensor | undefined> = {
      ...weights,
      inputs,
      initialState,
      upstreamStates: upstream?.states,
      upstreamFinalState: upstream?.finalState,
    };
    let evaluation: NetworkEvaluation | undefined;
    tf.tidy(() => {
      const feeds: Record<string, TfTensor> = {};
      for (const [name, tensor] of Object.entries(floats)) {
        if (tensor !== undefined) feeds[name] = upload(tf, tensor, `evaluate: ${name}`);
      }
      if (mask) feeds.mask = uploadMask(tf, mask);
      if (labels) feeds.labels = uploadIntegers(tf, labels, [labels.length]);
      evaluation = unflatten(session.run(signature, feeds));
    });
    return evaluation as unknown as NetworkEvaluation;
  }

  /** Closes all sessions; the next `evaluate` opens new ones. */
  dispose(): void {
    this.sessions.dispose();
  }
}

/** One problem, answered once. Keep a `GraphEvaluator` for many. */
export function evaluateWithGraph(backend: SessionBackend, problem: NetworkProblem): NetworkEvaluation {
  const evaluator = new GraphEvaluator(backend);
  try {
    return evaluator.evaluate(problem);
  } finally {
    evaluator.dispose();
  }
}

/** `gradients.kernel` and its like become `gradients: { kernel }`. */
function unflatten(results: Readonly<Record<string, TfTensor>>): NetworkEvaluation {
  const evaluation: Record<string, unknown> = {};
  const gradients: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(results)) {
    if (name.startsWith('gradients.')) gradients[name.slice('gradients.'.length)] = read(tensor);
    else evaluation[name] = read(tensor);
  }
  if (Object.keys(gradients).length > 0) evaluation.gradients = gradients;
  return evaluation as unknown as NetworkEvaluation;
}
