import type { Tensor as TfTensor } from '@tensorflow/tfjs';
import {
  checkFlag,
  checkMemory,
  checkSize,
  zeros,
  type CheckedOptimizerState,
  type CheckedQuestion,
  type NetworkAnswer,
  type NetworkOptimizerState,
  type NetworkPlan,
  type ResolvedOptimizerConfig,
  type StackGradients,
  type StackInputs,
  type StackWeights,
  type Targets,
  type Tensor,
} from '../../scratch/index';
import { accuracyOf, outputsOf } from '../host-losses';
import type { CheckedBatch, NameOf, NetworkEngine, StepResult } from '../network-engine';
import { read, upload, uploadIntegers, uploadMask } from '../to-tensors';
import { CompiledGraphs, type SetUp, type SharedGraphs } from './compiled-graphs';
import { chainsFor } from './layers/chains';
import type { Call, Question } from './network-graph';
import { byLayer, keyFor } from './network-pass';
import { PackedWeights } from './packed-weights';
import { checkSessions, type SessionBackend } from './session';
import { operationsSideBySide } from './threads';
import { checkLoop, type Loop } from './time/index';
import { kindOf, settingsFor, slotsOf } from './update-rule';

/** How a graph runs, besides what it computes. */
export interface GraphOptions {
  /** the loaded backend `tensorflow`; others cannot run graphs */ readonly backend: SessionBackend;
  /** instead of the choice by length */ readonly loop?: Loop;
  /** independent parts of a batch, at most one for each example, instead of the choice by size */ readonly chains?: number;
  /** graphs that several networks share, each for all sizes: worth it where many networks answer a question or two */
  readonly graphs?: SharedGraphs;
}

/** The names of the options, for the checks of those who take them. */
export const graphOptions = { backend: true, loop: true, chains: true, graphs: true } as const;

/**
 * What computes for the networks of this room: the weights in the library's memory, the optimizer, and the compiled graphs.
 * Everything that reaches it has been checked, since a graph checks nothing: a call that would fail never happens.
 */
export class GraphEngine implements NetworkEngine {
  private readonly backend: SessionBackend;
  private readonly packing: PackedWeights;
  private readonly graphs: CompiledGraphs;
  private readonly fixedChains: number | undefined;
  private readonly widest: number;
  private readonly states: readonly number[];
  /** all weights in one vector, in the library's memory */ private packed: TfTensor;
  private slots: Record<string, TfTensor> = {};
  private updates = 0;
  /** the numbers last fed to an update, kept while they do not change */
  private settings: { readonly key: string; readonly tensor: TfTensor } | undefined;

  /**
   * @param name of the class, for messages
   * @param reportsStates whether steps and answers hold the final states
   */
  constructor(
    private readonly plan: NetworkPlan,
    { backend, loop, chains, graphs }: GraphOptions,
    weights: StackWeights,
    private config: ResolvedOptimizerConfig,
    name: string,
    private readonly nameOf: NameOf,
    private readonly reportsStates = true,
  ) {
    checkSessions(backend, name);
    this.backend = backend;
    this.fixedChains = chains === undefined ? undefined : checkSize(`${name}: chains`, chains);
    this.packing = new PackedWeights(plan);
    this.graphs = new CompiledGraphs(
      backend,
      plan,
      this.packing,
      loop === undefined ? loop : checkLoop(loop, name),
      graphs,
    );
    this.states = plan.layers.map((layer) => layer.states.length);
    this.widest = Math.max(
      0,
      ...plan.layers.flatMap(({ shapes }) =>
        Object.entries(shapes)
          .filter(([key]) => /recurrentKernel$/i.test(key))
          .map(([, [units, columns]]) => units * columns),
      ),
    );
    this.packed = this.keep(this.packing.packArrays(weights), `${name}: weights`);
  }

  get setUps(): readonly SetUp[] {
    return this.graphs.setUps;
  }

  /** Nor does anything change when a weight of after the update is not finite; the norm is then reported as NaN. */
  step({ given, targets }: CheckedBatch, clipNorm: number | undefined): StepResult {
    const { weights, report, ...slots } = this.runTrain(given, targets, clipNorm);
    const numbers = report.dataSync<'float32'>();
    report.dispose();
    const [loss, gradientNorm] = [numbers[0], Math.sqrt(2 * numbers[1])];
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.packed.dispose();
      this.packed = this.backend.tf.keep(weights);
      this.setSlots(slots);
      this.updates++;
    } else {
      disposeAll({ weights, ...slots });
    }
    const shape = this.plan.outputShape(given);
    let at = 2 + shape.reduce((a, b) => a * b, 1);
    const width = shape[shape.length - 1];
    const mask = this.plan.masksOf(given).at(-1);
    const accuracy = accuracyOf(this.plan.loss, numbers.subarray(2, at), width, targets, mask);
    if (!this.reportsStates) return { loss, accuracy, gradientNorm };
    const finalStates = this.plan.layers.map(({ states }) =>
      states.map((units) => {
        const data = new Float64Array(numbers.subarray(at, (at += given.batch * units)));
        return { data, shape: [given.batch, units] };
      }),
    );
    return { loss, accuracy, gradientNorm, finalStates };
  }

  /**
   * Compiles what training on batches of this shape needs, by one step whose result is thrown away.
   *
   * @param more whether masks and initial states come as well
   * @returns milliseconds
   * @throws RangeError on sizes that are not positive integers or that no memory holds
   */
  warmUp(
    batch: number,
    timeSteps: number,
    more: { readonly mask: boolean; readonly initialStates: boolean },
    clipNorm: number | undefined,
  ): number {
    checkSize('warmUp: batch', batch);
    checkSize('warmUp: timeSteps', timeSteps);
    checkFlag(more.mask, 'warmUp: mask');
    checkFlag(more.initialStates, 'warmUp: initial states');
    const { vocabulary, features, layers, loss } = this.plan;
    const shape = vocabulary === undefined ? [batch, timeSteps, features] : [batch, timeSteps];
    checkMemory('warmUp', shape);
    const ones = { data: new Float64Array(batch * timeSteps).fill(1), shape: [batch, timeSteps] };
    const given = {
      ...{ batch, timeSteps, inputs: vocabulary === undefined ? zeros(...shape) : ones },
      mask: more.mask ? ones : undefined,
      initialStates: layers.map(({ states }) =>
        more.initialStates ? states.map((units) => zeros(batch, units)) : [],
      ),
    };
    const outputs = this.plan.outputShape(given);
    const rows = outputs.slice(0, -1).reduce((a, b) => a * b, 1);
    const width = outputs[outputs.length - 1];
    const start = performance.now();
    const targets = loss === 'softmaxCrossEntropy' ? new Int32Array(rows) : new Float64Array(rows * width);
    disposeAll(this.runTrain(given, targets, clipNorm));
    return performance.now() - start;
  }

  answer(asked: CheckedQuestion, name: string): NetworkAnswer {
    const { given, targets, upstream, sequences } = asked;
    const predicts = targets === undefined && upstream === undefined && !sequences;
    const results = this.run(predicts ? 'predict' : 'run', given, targets, name, {
      question: predicts || (upstream === undefined && !sequences) ? undefined : questionOf(asked),
      fed: upstream ? this.feedUpstream(upstream, name) : {},
    });
    try {
      const tensor = (key: string) => read(results[key]);
      const walks = this.plan.layers.map((layer) => layer.sequences.length);
      const logits = tensor('logits');
      const { data, shape } = logits;
      return {
        logits,
        outputs: { data: outputsOf(this.plan.loss, data, shape[shape.length - 1]), shape },
        finalStates: this.reportsStates ? byLayer(this.states, 'finalStates', tensor) : [],
        ...('loss' in results && { loss: results['loss'].dataSync()[0] }),
        ...(sequences && { sequences: byLayer(walks, 'sequences', tensor) }),
        ...('gradients' in results && {
          gradients: {
            weights: this.packing.unpackArrays(results['gradients'].dataSync()),
            ...('inputs' in results && { inputs: tensor('inputs') }),
            initialStates: byLayer(this.states, 'initialStates', tensor),
          } satisfies StackGradients,
        }),
      };
    } finally {
      disposeAll(results);
    }
  }

  readWeights(): StackWeights {
    return this.packing.unpackArrays(this.packed.dataSync());
  }

  writeWeights(weights: StackWeights): void {
    const next = this.keep(this.packing.packArrays(weights), 'setWeights');
    this.packed.dispose();
    this.packed = next;
  }

  readState(): NetworkOptimizerState & { readonly config: ResolvedOptimizerConfig } {
    const { config, updates } = this;
    const slots = Object.entries(updates === 0 ? {} : this.slots).map(
      ([name, memory]) => [name, this.packing.unpackArrays(memory.dataSync())] as const,
    );
    return { config: { ...config }, step: updates, slots: Object.fromEntries(slots) };
  }

  writeState({ config, step, slots }: CheckedOptimizerState): void {
    const fed: Record<string, TfTensor> = {};
    try {
      for (const [name, memory] of Object.entries(slots)) {
        fed[name] = upload(this.backend.tf, this.packing.packArrays(memory), `setOptimizerState: ${name}`);
      }
    } catch (error) {
      disposeAll(fed);
      throw error;
    }
    this.setSlots(fed);
    this.config = config;
    this.updates = step;
  }

  dispose(): void {
    this.graphs.dispose();
    this.packed.dispose();
    this.settings?.tensor.dispose();
    this.setSlots({});
  }

  private runTrain(given: StackInputs, targets: Targets, norm: number | undefined): Record<string, TfTensor> {
    // what float32 does not hold clips nothing
    const clipNorm = Number.isFinite(Math.fround(norm ?? Infinity)) ? norm : undefined;
    for (const name of slotsOf[kindOf(this.config)]) {
      this.slots[name] ??= this.backend.tf.keep(this.backend.tf.zeros([this.packing.size]));
    }
    return this.run('train', given, targets, 'trainOnBatch', {
      clipped: clipNorm !== undefined,
      kept: { ...this.slots, settings: this.settingsTensor(clipNorm) },
    });
  }

  private settingsTensor(clipNorm: number | undefined): TfTensor {
    const values = settingsFor(this.config, this.updates + 1, clipNorm);
    const key = values.join();
    if (this.settings?.key !== key) {
      this.settings?.tensor.dispose();
      this.settings = { key, tensor: this.backend.tf.keep(this.backend.tf.tensor1d(values, 'float32')) };
    }
    return this.settings.tensor;
  }

  /** One native call on a batch; `fed` is disposed after it, `kept` is not. */
  private run(
    call: Call,
    given: StackInputs,
    targets: Targets | undefined,
    name: string,
    more: {
      readonly question?: Question | undefined;
      readonly clipped?: boolean;
      readonly fed?: Record<string, TfTensor>;
      readonly kept?: Readonly<Record<string, TfTensor>>;
    },
  ): Record<string, TfTensor> {
    const { tf } = this.backend;
    const fed = more.fed ?? {};
    try {
      const initialStates = given.initialStates.flatMap((ofLayer, i) => (ofLayer.length > 0 ? [i] : []));
      const run = this.graphs.for(call, {
        timeSteps: given.timeSteps,
        initialStates,
        mask: given.mask !== undefined,
        update: kindOf(this.config),
        clipped: more.clipped ?? false,
        reportsStates: this.reportsStates,
        // none without examples, which some operations refuse
        chains: Math.min(
          given.batch,
          this.fixedChains ?? chainsFor(given.batch, this.widest, operationsSideBySide()),
        ),
        question: more.question,
      });
      fed['inputs'] =
        this.plan.vocabulary === undefined
          ? upload(tf, given.inputs, `${name}: inputs`)
          : uploadIntegers(tf, given.inputs.data, given.inputs.shape);
      if (targets !== undefined) fed['targets'] = this.uploadTargets(given, targets, name);
      if (given.mask) fed['mask'] = uploadMask(tf, given.mask);
      for (const layer of initialStates) {
        given.initialStates[layer].forEach((state, k) => {
          fed[keyFor('initialStates', layer, k)] = upload(
            tf,
            state,
            `${name}: ${this.nameOf('initialStates', layer, k)}`,
          );
        });
      }
      return run({ ...fed, weights: this.packed, ...more.kept });
    } finally {
      disposeAll(fed);
    }
  }

  private uploadTargets(given: StackInputs, targets: Targets, name: string): TfTensor {
    const { tf } = this.backend;
    const shape = this.plan.outputShape(given);
    return this.plan.loss === 'softmaxCrossEntropy'
      ? uploadIntegers(tf, targets, shape.slice(0, -1))
      : upload(tf, { data: targets as Float64Array, shape }, `${name}: targets`);
  }

  private feedUpstream(
    { logits, finalStates, sequences }: NonNullable<CheckedQuestion['upstream']>,
    name: string,
  ): Record<string, TfTensor> {
    const { tf } = this.backend;
    const fed: Record<string, TfTensor> = {};
    const feed = (key: string, tensor: Tensor) => (fed[key] = upload(tf, tensor, `${name}: upstream`));
    try {
      if (logits) feed('upstreamLogits', logits);
      finalStates.forEach((of, layer) => of.forEach((x, k) => feed(keyFor('upstreamStates', layer, k), x)));
      sequences.forEach((of, layer) => of.forEach((x, k) => feed(keyFor('upstreamSequences', layer, k), x)));
      return fed;
    } catch (error) {
      disposeAll(fed);
      throw error;
    }
  }

  private keep(tensor: Tensor, name: string): TfTensor {
    this.backend.use();
    return this.backend.tf.keep(upload(this.backend.tf, tensor, name));
  }

  private setSlots(slots: Record<string, TfTensor>): void {
    disposeAll(this.slots);
    for (const slot of Object.values(slots)) this.backend.tf.keep(slot);
    this.slots = slots;
  }
}

function questionOf({ targets, upstream, sequences }: CheckedQuestion): Question {
  const some = (byLayer_: readonly (readonly Tensor[])[] = []) =>
    byLayer_.flatMap((ofLayer, layer) => (ofLayer.length > 0 ? [layer] : []));
  return {
    targets: targets !== undefined,
    gradients: targets !== undefined || upstream !== undefined,
    logits: upstream?.logits !== undefined,
    finalStates: some(upstream?.finalStates),
    upstreamSequences: some(upstream?.sequences),
    sequences,
  };
}

function disposeAll(tensors: Readonly<Record<string, TfTensor>>): void {
  for (const key in tensors) tensors[key].dispose();
}
