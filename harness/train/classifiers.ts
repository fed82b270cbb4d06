import {
  ScratchSimpleRNNClassifier,
  type ClassifierWeights,
  type SimpleRNNClassifier,
} from '../../scratch/index';
import { BackendNotRunError } from '../outcome';
import type { BackendName, TrainSettings } from './settings';

export interface ClassifierShape {
  readonly features: number;
  readonly units: number;
  readonly classes: number;
  readonly weights: ClassifierWeights;
}

export interface LoadedClassifier {
  readonly classifier: SimpleRNNClassifier;
  /** what computes, with versions: `TensorFlow 2.21.0` */ readonly engine: string;
  /** another network of the same kind and place */ clone(weights: ClassifierWeights): SimpleRNNClassifier;
}

/** Makes a network of one kind. TensorFlow.js is loaded only when it is asked for. Throws BackendNotRunError. */
export async function createClassifier(
  kind: 'scratch' | 'tfjs' | 'graph',
  backendName: BackendName | undefined,
  shape: ClassifierShape,
): Promise<LoadedClassifier> {
  if (kind === 'scratch') {
    const clone = (weights: ClassifierWeights): SimpleRNNClassifier =>
      new ScratchSimpleRNNClassifier({ ...shape, weights });
    return { classifier: clone(shape.weights), engine: `JavaScript float64, Node ${process.version}`, clone };
  }
  const twin = await import('../../src/index.js');
  const backend = await twin.loadBackend(backendName ?? 'tensorflow').catch((error: unknown) => {
    throw new BackendNotRunError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  const Classifier = kind === 'graph' ? twin.GraphSimpleRNNClassifier : twin.TfSimpleRNNClassifier;
  const clone = (weights: ClassifierWeights): SimpleRNNClassifier =>
    new Classifier({ ...shape, backend, weights });
  return {
    classifier: clone(shape.weights),
    engine: `@tensorflow/tfjs ${backend.tf.version.tfjs}, ${backend.version}`,
    clone,
  };
}

/** The kinds of network that a run trains, the leading one first. */
export function sidesOf(settings: Pick<TrainSettings, 'model'>): readonly ('scratch' | 'tfjs' | 'graph')[] {
  return settings.model === 'both' ? ['scratch', 'tfjs'] : [settings.model];
}
