import type * as Tf from '@tensorflow/tfjs';
import type {
  CheckedOptimizerState,
  CheckedQuestion,
  NetworkAnswer,
  NetworkOptimizerState,
  NetworkPlan,
  ResolvedOptimizerConfig,
  StackWeights,
  Tensor,
} from '../../scratch/index';
import { checkBackend, type LoadedBackend } from '../backends/index';
import { accuracyOf, lossOf, outputsOf, type HostLoss } from '../host-losses';
import {
  layerNames,
  predictionOf,
  type CheckedBatch,
  type NameOf,
  type NetworkEngine,
  type StepResult,
} from '../network-engine';
import { read, readAll, readSync, toFloat32, type ValuesOf } from '../to-tensors';
import { networkByHand } from './by-hand/network';
import { networkByTape } from './by-tape/network';
import { detoursOf } from './detours';
import { tidy } from './differentiate';
import { clipped, globalNorm } from './global-norm';
import type { GradientMethod, Gradients, NetworkMethod, Outcome } from './method';
import { createTfOptimizer, type TfOptimizer } from './optimizer';
import { Work } from './work';

export interface TfEngineOptions {
  readonly gradients: GradientMethod;
  readonly weights: StackWeights;
  /** absent for what never learns */ readonly config?: ResolvedOptimizerConfig;
  /** whether answers and steps hold the final states; default true */ readonly reportsStates?: boolean;
  /** default: those of layers */ readonly nameOf?: NameOf;
}

/** Tensors that were computed and not yet read. */
interface Computed {
  readonly outcome: Outcome;
  readonly gradients: Gradients | undefined;
  /** the loss, where the host computed it */ readonly judged: HostLoss | undefined;
}

/**
 * What computes for the networks of this room: variables, an optimizer, and a method that runs and differentiates the layers. It owns
 * tensors; every method releases whatever else it made, also when it throws.
 */
export class TfEngine implements NetworkEngine {
  private readonly tf: typeof Tf;
  private readonly method: NetworkMethod;
  private readonly variables: readonly Tf.Variable[];
  /** where each of them belongs */ private readonly places: readonly (readonly [
    layer: number,
    key: string,
  ])[];
  private readonly reportsStates: boolean;
  private readonly nameOf: NameOf;
  private optimizer: TfOptimizer | undefined;

  /**
   * @param name of the class, for messages
   * @throws RangeError when a weight is beyond float32, TypeError when the backend is none that was loaded
   */
  constructor(
    private readonly backend: Pick<LoadedBackend, 'tf' | 'name' | 'asIs' | 'use'>,
    private readonly plan: NetworkPlan,
    name: string,
    { gradients, weights, config, reportsStates = true, nameOf = layerNames }: TfEngineOptions,
  ) {
    checkBackend(backend, name);
    this.tf = backend.tf;
    this.reportsStates = reportsStates;
    this.nameOf = nameOf;
    backend.use();
    this.method =
      gradients === 'bptt'
        ? networkByHand(this.tf, plan, nameOf)
        : networkByTape(this.tf, plan, nameOf, detoursOf(backend));
    this.variables = this.method.variables.flatMap((layer) => Object.values(layer));
    this.places = this.method.variables.flatMap((layer, i) =>
      Object.keys(layer).map((key) => [i, key] as const),
    );
    try {
      this.writeWeights(weights, name);
      if (config) this.writeState({ config, step: 0, slots: {} });
    } catch (error) {
      this.method.dispose();
      throw error;
    }
  }

  /** Whether the backend gives results only some time after they were asked for. */
  get isAsynchronous(): boolean {
    return ['webgl', 'webgpu'].includes(this.backend.name);
  }

  step(batch: CheckedBatch, clipNorm: number | undefined): StepResult {
    const work = new Work(this.tf);
    try {
      return tidy(this.tf, () => this.update(batch, this.computeStep(work, batch), clipNorm, readSync));
    } finally {
      work.release();
    }
  }

  /**
   * The same with asynchronous reads, where the backend needs them.
   *
   * @param batch with arrays of its own (`ownCopy`): it is read again after each wait
   * @param goOn is called after each wait
   */
  async stepAsync(batch: CheckedBatch, clipNorm: number | undefined, goOn: () => void): Promise<StepResult> {
    if (!this.isAsynchronous) return this.step(batch, clipNorm);
    const judged = await this.judgeFirst(batch, 'trainOnBatch', goOn);
    goOn();
    const work = new Work(this.tf);
    try {
      const computed = tidy(this.tf, () => work.keepAll(this.computeStep(work, batch, judged)));
      const values = await work.read();
      goOn();
      return tidy(this.tf, () => this.update(batch, computed, clipNorm, values));
    } finally {
      work.release();
    }
  }

  answer(question: CheckedQuestion, name: string): NetworkAnswer {
    const work = new Work(this.tf);
    try {
      return tidy(this.tf, () => this.assemble(this.compute(work, question, name), readSync));
    } finally {
      work.release();
    }
  }

  /**
   * The same with asynchronous reads.
   *
   * @param question with arrays of its own (`ownCopy`): it is read again after each wait
   * @param goOn is called after each wait but the last
   */
  async answerAsync(question: CheckedQuestion, name: string, goOn: () => void): Promise<NetworkAnswer> {
    const judged = await this.judgeFirst(question, name, goOn);
    goOn();
    const work = new Work(this.tf);
    try {
      const computed = tidy(this.tf, () => work.keepAll(this.compute(work, question, name, true, judged)));
      return this.assemble(computed, await work.read());
    } finally {
      work.release();
    }
  }

  readWeights(valuesOf: ValuesOf = readSync): StackWeights {
    return this.byLayer(this.variables.map((variable) => read(variable, valuesOf)));
  }

  writeWeights(weights: StackWeights, name = 'setWeights'): void {
    const rounded = this.places.map(([layer, key]) =>
      toFloat32(weights[layer][key], `${name}: ${this.nameOf('weights', layer, key)}`),
    );
    this.tf.tidy(() => {
      this.variables.forEach((variable, n) =>
        variable.assign(this.tf.tensor(rounded[n], variable.shape, 'float32')),
      );
    });
  }

  readState(valuesOf: ValuesOf = readSync): NetworkOptimizerState {
    const { config, step } = this.optimizer!;
    const slots = Object.entries(this.optimizer!.readSlots(valuesOf)).map(
      ([slot, tensors]): readonly [string, StackWeights] => [slot, this.byLayer(tensors)],
    );
    return { config: { ...config }, step, slots: Object.fromEntries(slots) };
  }

  writeState({ config, step, slots }: CheckedOptimizerState): void {
    const ordered = Object.entries(slots).map(
      ([slot, memory]) => [slot, memory.flatMap((layer) => Object.values(layer))] as const,
    );
    const names = this.variables.map((variable) => variable.name);
    const from = { step, slots: Object.fromEntries(ordered) };
    const optimizer = createTfOptimizer(this.tf, config, names, from, this.backend.asIs);
    this.optimizer?.dispose();
    this.optimizer = optimizer;
  }

  /** Weights and optimizer, read asynchronously. */
  async readTrained(): Promise<{ readonly weights: StackWeights; readonly state: NetworkOptimizerState }> {
    const valuesOf = await readAll([...this.variables, ...this.optimizer!.slotTensors()]);
    return { weights: this.readWeights(valuesOf), state: this.readState(valuesOf) };
  }

  dispose(): void {
    this.optimizer?.dispose();
    this.method.dispose();
  }

  /** The loss of a batch by a forward pass of its own: on the host its logits must be there before the way back begins. */
  private async judgeFirst(
    { given, targets }: Pick<CheckedQuestion, 'given' | 'targets'>,
    name: string,
    goOn: () => void,
  ): Promise<HostLoss | undefined> {
    if (targets === undefined || this.method.computesLoss) return undefined;
    const { logits } = await this.answerAsync(predictionOf(given), name, goOn);
    return lossOf(this.plan.loss, logits.data, widthOf(logits), targets, this.plan.masksOf(given).at(-1));
  }

  private computeStep(work: Work, batch: CheckedBatch, judged?: HostLoss): Computed {
    const question = { ...batch, upstream: undefined, sequences: false };
    return this.compute(work, question, 'trainOnBatch', false, judged);
  }

  /** Forward and, where something asks for gradients, backward. Call it inside a tidy. */
  private compute(
    { keep }: Work,
    { given, targets, upstream, sequences }: CheckedQuestion,
    name: string,
    toInputs = true,
    judged?: HostLoss,
  ): Computed {
    if (!targets && !upstream) {
      const outcome = this.method.forward({ given, name, keep, sequences });
      return { outcome, gradients: undefined, judged: undefined };
    }
    const mask = this.plan.masksOf(given).at(-1);
    const loss = targets && {
      targets,
      mask,
      gradient: (logits: Tf.Tensor) => {
        judged ??= lossOf(this.plan.loss, logits.dataSync(), widthOf(logits), targets, mask);
        return judged.gradient();
      },
    };
    const asked = { given, name, keep, sequences, loss, upstream, toInputs };
    const { outcome, gradients } = this.method.differentiate(asked);
    return { outcome, gradients, judged };
  }

  /** One update, unless the loss or the gradients' norm is not finite. */
  private update(
    { given, targets }: CheckedBatch,
    { outcome, gradients, judged }: Computed,
    clipNorm: number | undefined,
    valuesOf: ValuesOf,
  ): StepResult {
    const { logits, finalStates } = outcome;
    const flat = this.places.map(([layer, key]) => gradients!.weights[layer][key]);
    const gradientNorm = globalNorm(flat.map(valuesOf));
    const loss = judged?.loss ?? valuesOf(outcome.loss!)[0];
    const accuracy =
      judged?.accuracy ??
      accuracyOf(this.plan.loss, valuesOf(logits), widthOf(logits), targets, this.plan.masksOf(given).at(-1));
    if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) {
      this.optimizer!.update(this.variables, clipped(this.tf, flat, gradientNorm, clipNorm));
    }
    if (!this.reportsStates) return { loss, accuracy, gradientNorm };
    return { loss, accuracy, gradientNorm, finalStates: readLayers(finalStates, valuesOf) };
  }

  private assemble({ outcome, gradients, judged }: Computed, valuesOf: ValuesOf): NetworkAnswer {
    const logits = read(outcome.logits, valuesOf);
    const loss = outcome.loss ? valuesOf(outcome.loss)[0] : judged?.loss;
    return {
      ...(loss !== undefined && { loss }),
      outputs: outcome.outputs
        ? read(outcome.outputs, valuesOf)
        : { data: outputsOf(this.plan.loss, logits.data, widthOf(logits)), shape: logits.shape },
      logits,
      finalStates: this.reportsStates ? readLayers(outcome.finalStates, valuesOf) : [],
      ...(outcome.sequences && { sequences: readLayers(outcome.sequences, valuesOf) }),
      ...(gradients && {
        gradients: {
          weights: this.plan.layers.map(({ shapes }, i) =>
            Object.fromEntries(
              Object.keys(shapes).map((key) => [key, read(gradients.weights[i][key], valuesOf)]),
            ),
          ),
          ...(gradients.inputs && { inputs: read(gradients.inputs, valuesOf) }),
          initialStates: readLayers(gradients.initialStates, valuesOf),
        },
      }),
    };
  }

  /** Tensors in the order of the variables, by layer and name. */
  private byLayer(tensors: readonly Tensor[]): StackWeights {
    let at = 0;
    return this.method.variables.map((layer) =>
      Object.fromEntries(Object.keys(layer).map((key) => [key, tensors[at++]])),
    );
  }
}

function widthOf({ shape }: { readonly shape: readonly number[] }): number {
  return shape[shape.length - 1];
}

function readLayers(layers: readonly (readonly Tf.Tensor[])[], valuesOf: ValuesOf): Tensor[][] {
  return layers.map((layer) => layer.map((tensor) => read(tensor, valuesOf)));
}
