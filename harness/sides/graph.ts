import {
  GraphEvaluator,
  GraphNetwork,
  GraphSimpleRNNClassifier,
  SharedGraphs,
  type LoadedBackend,
} from '../../src/index';
import type { Implementation } from '../base/problem';
import { byModel } from './by-model';
import type { OpenSide, SideSource } from './side';
import { openBackend } from './tfjs';

/** The twin compiled to one TensorFlow graph: float32, named `graph`. Dispose it at the end: it keeps sessions. */
export function graphImplementation(backend: LoadedBackend): Implementation {
  const evaluator = new GraphEvaluator(backend);
  // one graph serves all sizes of the same layers: compiling one takes 80 ms, and running it 2
  const graphs = new SharedGraphs();
  const layered = byModel((options) => new GraphNetwork({ backend, loop: 'while', graphs, ...options }));
  return {
    name: 'graph',
    precision: 'float32',
    evaluate: (problem) => evaluator.evaluate(problem),
    layered,
    dispose: () => {
      evaluator.dispose();
      graphs.dispose();
    },
  };
}

/** The graph twin, where the native library runs. */
export function graphSide(required: boolean): SideSource {
  return {
    name: 'graph',
    required,
    open: async (): Promise<OpenSide> => {
      const backend = await openBackend('tensorflow');
      return {
        implementation: graphImplementation(backend),
        version: backend.version,
        createClassifier: (shape) => new GraphSimpleRNNClassifier({ backend, ...shape }),
      };
    },
  };
}
