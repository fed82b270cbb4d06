import { resolveCompile } from '../../scratch/index';
import { simpleRNNNames } from '../network-engine';
import { problemOfLayers, type NetworkEvaluation, type NetworkProblem } from '../problem';
import { toFloat32 } from '../to-tensors';
import { SharedGraphs } from './compiled-graphs';
import { GraphEngine } from './engine';
import { checkSessions, type SessionBackend } from './session';
import { checkLoop, type Loop } from './time/index';

/** Most sessions that an evaluator keeps. */
const mostSessions = 32;

/**
 * Answers problems of any sizes by compiled graphs. Graphs are kept by number of time steps and parts (mask, labels,
 * ...), so that a suite of cases compiles a few dozen.
 */
export class GraphEvaluator {
  private readonly graphs = new SharedGraphs(mostSessions);
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
    this.loop = loop === undefined ? loop : checkLoop(loop, 'GraphEvaluator');
  }

  /** @throws RangeError on anything that does not fit; before the native call */
  evaluate(problem: NetworkProblem): NetworkEvaluation {
    const { backend, graphs, loop } = this;
    const name = 'evaluate';
    const { plan, weights, question, evaluationOf } = problemOfLayers(problem, name);
    weights.forEach((own, layer) => {
      for (const [key, tensor] of Object.entries(own))
        toFloat32(tensor, `${name}: ${simpleRNNNames('weights', layer, key)}`);
    });
    const options = { backend, graphs, chains: 1, ...(loop && { loop }) };
    const engine = new GraphEngine(plan, options, weights, resolveCompile({}).config, name, simpleRNNNames);
    try {
      return evaluationOf(engine.answer(question, name));
    } finally {
      engine.dispose();
    }
  }

  /** Closes all sessions; the next `evaluate` opens new ones. */
  dispose(): void {
    this.graphs.dispose();
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
