import {
  checkChoice,
  checkOptions,
  checkSize,
  initialClassifierWeights,
  ScratchNetwork,
  ScratchSimpleRNNClassifier,
  type ClassifierWeights,
  type LayersNetwork,
  type NetworkConfig,
  type OptionNames,
  type SimpleRNNClassifier,
  type StackWeights,
} from '../../../scratch/index';
import type { BackendName, GradientMethod } from '../../../src/index';
import { BackendNotRunError } from '../../base/outcome';
import type { ClassifierShape } from '../side';
import { explainChoice, rankEngines, type EngineName, type StepSize } from './step-time';

export const modelKinds = ['scratch', 'tfjs', 'graph'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** Which network computes, and where. */
export interface EngineChoice {
  readonly kind: ModelKind;
  /** of `tfjs`; default tensorflow */ readonly backend?: BackendName | undefined;
  /** of `tfjs`: hand-written gradients are 4 to 6 times as fast; default bptt */ readonly gradients?:
    GradientMethod | undefined;
}

const choiceNames: OptionNames<EngineChoice> = { kind: true, backend: true, gradients: true };

/** A network that is ready, and what computes it. */
interface Loaded<N, W> {
  /** what computes, with versions: `TensorFlow 2.21.0` */ readonly engine: string;
  /** another network of the same kind and place */ clone(weights: W): N;
}

export interface LoadedClassifier extends Loaded<SimpleRNNClassifier, ClassifierWeights> {
  readonly classifier: SimpleRNNClassifier;
}

export interface LoadedNetwork extends Loaded<LayersNetwork, StackWeights> {
  readonly network: LayersNetwork;
}

/**
 * Makes a classifier of one kind. TensorFlow.js is loaded only when it is asked for.
 *
 * @throws BackendNotRunError when the backend cannot be loaded
 */
export async function openClassifier(
  choice: EngineChoice,
  shape: ClassifierShape,
): Promise<LoadedClassifier> {
  const { engine, where } = await openEngine(choice);
  const clone = (weights: ClassifierWeights): SimpleRNNClassifier => {
    if (where === undefined) return new ScratchSimpleRNNClassifier({ ...shape, weights });
    const { twin, backend, gradients } = where;
    return choice.kind === 'graph'
      ? new twin.GraphSimpleRNNClassifier({ ...shape, backend, weights })
      : new twin.TfSimpleRNNClassifier({ ...shape, backend, weights, gradients });
  };
  return { classifier: clone(shape.weights), engine, clone };
}

/**
 * The same for a network of any layers.
 *
 * @throws BackendNotRunError when the backend cannot be loaded
 */
export async function openNetwork(
  choice: EngineChoice,
  config: NetworkConfig,
  weights: StackWeights,
): Promise<LoadedNetwork> {
  const { engine, where } = await openEngine(choice);
  const clone = (own: StackWeights): LayersNetwork => {
    const options = { ...config, weights: own };
    if (where === undefined) return new ScratchNetwork(options);
    const { twin, backend, gradients } = where;
    return choice.kind === 'graph'
      ? new twin.GraphNetwork({ ...options, backend })
      : new twin.TfNetwork({ ...options, backend, gradients });
  };
  return { network: clone(weights), engine, clone };
}

/** What a choice computes on; `where` is undefined for scratch. */
async function openEngine({ kind, backend: backendName = 'tensorflow', gradients = 'bptt' }: EngineChoice) {
  if (kind === 'scratch') return { engine: `JavaScript float64, Node ${process.version}`, where: undefined };
  const twin = await import('../../../src/index.js');
  const backend = await twin
    .loadBackend(kind === 'graph' ? 'tensorflow' : backendName)
    .catch((error: unknown) => {
      throw new BackendNotRunError(error instanceof Error ? error.message : String(error), { cause: error });
    });
  const engine = `@tensorflow/tfjs ${backend.tf.version.tfjs}, ${backend.version}`;
  return { engine, where: { twin, backend, gradients } };
}

const sizeNames: OptionNames<StepSize> = {
  batch: true,
  timeSteps: true,
  features: true,
  units: true,
  layers: true,
};

/** What was picked, and why. */
export interface PickedEngine {
  readonly choice: EngineChoice;
  /** a sentence for people */ readonly reason: string;
}

const choices: Readonly<Record<EngineName, EngineChoice>> = {
  scratch: { kind: 'scratch' },
  graph: { kind: 'graph' },
  wasm: { kind: 'tfjs', backend: 'wasm' },
};

/**
 * Picks the engine that should be fastest for training steps of that size among those that load on this machine.
 *
 * @param whyNot says why an engine cannot be had; undefined when it can
 * @throws RangeError for a size that does not exist
 */
export async function pickEngine(size: StepSize, whyNot = whyNotHere): Promise<PickedEngine> {
  checkOptions(size, sizeNames, 'pickEngine', 'size');
  for (const name of ['batch', 'timeSteps', 'features'] as const)
    checkSize(`pickEngine: ${name}`, size[name]);
  const missing: string[] = [];
  for (const engine of rankEngines(size)) {
    const reason = await whyNot(engine);
    if (reason === undefined) {
      const without = missing.length > 0 ? `; faster, but not to be had here: ${missing.join('; ')}` : '';
      return { choice: choices[engine], reason: `${engine}: ${explainChoice(engine, size)}${without}` };
    }
    missing.push(`${engine} (${reason})`);
  }
  throw new Error('unreachable: scratch needs nothing');
}

/** Why an engine does not load here; undefined when it does. */
async function whyNotHere(engine: EngineName): Promise<string | undefined> {
  if (engine === 'scratch') return undefined;
  const twin = await import('../../../src/index.js');
  try {
    await twin.loadBackend(engine === 'graph' ? 'tensorflow' : 'wasm');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export interface CreateClassifierOptions extends Omit<StepSize, 'batch' | 'units' | 'layers'> {
  readonly units: number;
  readonly classes: number;
  /** examples per training step; with `timeSteps` it decides what `auto` picks; default 32 */ readonly batchSize?: number;
  /** default auto */ readonly engine?: 'auto' | EngineChoice | ModelKind;
  /** of the initial weights; default 0 */ readonly seed?: number;
  /** instead of initial ones */ readonly weights?: ClassifierWeights;
}

const optionNames: OptionNames<CreateClassifierOptions> = {
  timeSteps: true,
  features: true,
  units: true,
  classes: true,
  batchSize: true,
  engine: true,
  seed: true,
  weights: true,
};

/**
 * A classifier on the engine that suits its size: plain arrays for tiny networks, one TensorFlow graph for all others, wasm where the
 * native library is not to be had. The numbers are the same within rounding whatever is picked.
 *
 * @example
 * const { classifier, reason } = await createClassifier({ timeSteps: 28, features: 28, units: 128, classes: 10, seed: 1 });
 * console.log(reason); // graph: a training step of B32 T28 F28 U128 takes about 3 ms there, ...
 * classifier.dispose();
 * @throws BackendNotRunError when an engine that was named cannot be loaded
 */
export async function createClassifier(
  options: CreateClassifierOptions,
): Promise<LoadedClassifier & PickedEngine> {
  checkOptions(options, optionNames, 'createClassifier');
  const { engine = 'auto', batchSize = 32, timeSteps, features, units, classes } = options;
  const size = { batch: batchSize, timeSteps, features, units };
  const picked =
    engine === 'auto'
      ? await pickEngine(size)
      : { choice: typeof engine === 'string' ? { kind: engine } : engine, reason: 'it was asked for' };
  checkOptions(picked.choice, choiceNames, 'createClassifier: engine');
  checkChoice(picked.choice.kind, modelKinds, 'createClassifier: engine');
  const weights = options.weights ?? initialClassifierWeights(options);
  const opened = await openClassifier(picked.choice, { features, units, classes, weights }).catch(
    (error: unknown) => {
      if (!(error instanceof BackendNotRunError)) throw error;
      throw new BackendNotRunError(
        `${error.message}. Without it: leave out engine, or pass engine: { kind: 'tfjs', backend: 'wasm' } or 'scratch'.`,
        { cause: error },
      );
    },
  );
  return { ...opened, ...picked };
}
