import type { CompileOptions } from './classifier-interface';
import {
  checkStateFields,
  compileOptions,
  resolveCompile,
  type ResolvedCompileOptions,
} from './classifier-weights';
import type { Examples, GivenExamples } from './fit-examples';
import { checkTargets, losses, type LossName, type Targets } from './losses';
import type {
  NetworkConfig,
  NetworkOptimizerState,
  NetworkOptions,
  NetworkQuestion,
  NetworkTargets,
  NetworkUpstream,
} from './network-interface';
import { checkOptimizerMemory, resolveOptimizer, slotNames, type ResolvedOptimizerConfig } from './optimizer';
import { checkChoice, checkFlag, checkOptions, type OptionNames } from './options';
import { copyOfLayer, StackPlan } from './stack-plan';
import type { StackInputs, StackWeights } from './stack-pass';
import { borrowTensor, type Tensor, type TensorLike } from './tensor';

const networkOptions = {
  features: true,
  layers: true,
  loss: true,
  seed: true,
  weights: true,
  ...compileOptions,
} as const satisfies OptionNames<NetworkOptions>;
const questionOptions = { targets: true, upstream: true, sequences: true } as const;
const upstreamOptions: OptionNames<NetworkUpstream> = { logits: true, finalStates: true, sequences: true };

/** A question to a network, checked. */
export interface CheckedQuestion {
  readonly given: StackInputs;
  readonly targets: Targets | undefined;
  readonly upstream:
    | {
        readonly logits: Tensor | undefined;
        /** [] for a layer at which nothing arrives */ readonly finalStates: readonly (readonly Tensor[])[];
        readonly sequences: readonly (readonly Tensor[])[];
      }
    | undefined;
  readonly sequences: boolean;
}

/** An optimizer's state, checked and with every default filled in. */
export interface CheckedOptimizerState extends NetworkOptimizerState {
  readonly config: ResolvedOptimizerConfig;
}

/** The plan of a stack with a loss at its end: what every network starts from, whatever computes it. No arithmetic. */
export class NetworkPlan extends StackPlan {
  override readonly config: NetworkConfig & { readonly loss: LossName };
  readonly loss: LossName;

  /**
   * @param name of the class, for messages
   * @throws RangeError on a description that makes no sense or sizes that do not fit
   */
  constructor(options: NetworkConfig, name: string) {
    super(options, name);
    const { loss = 'softmaxCrossEntropy' } = options;
    this.loss = checkChoice(loss, Object.keys(losses) as LossName[], `${name}: loss`);
    this.config = Object.freeze({
      ...(options.features !== undefined && { features: options.features }),
      layers: Object.freeze(options.layers.map(copyOfLayer)),
      loss,
    });
    if (loss === 'softmaxCrossEntropy' && this.layers[this.layers.length - 1].output.width === 1) {
      throw new RangeError(
        `${name}: the last layer gives 1 number for softmaxCrossEntropy; the softmax of one number is always 1, so give the last layer 2 units or more, or take sigmoidCrossEntropy.`,
      );
    }
  }

  /** The boundary check of inputs and targets. */
  checkBatch(
    inputs: TensorLike,
    targets: NetworkTargets,
    options: Parameters<StackPlan['check']>[1],
    name: string,
    more: Readonly<Record<string, true>> = {},
  ): { readonly given: StackInputs; readonly targets: Targets } {
    const given = this.check(inputs, options, name, more);
    this.checkSomeStep(given, name);
    return { given, targets: this.checkTargets(targets, given, `${name}: targets`) };
  }

  /** The boundary check of targets: Int32Array of class indices for softmaxCrossEntropy, Float64Array otherwise. */
  checkTargets(
    targets: NetworkTargets,
    sizes: Pick<StackInputs, 'batch' | 'timeSteps'>,
    name: string,
  ): Targets {
    return checkTargets(this.loss, targets, this.outputShape(sizes), name);
  }

  /** A loss is a mean over the time steps that exist. */
  private checkSomeStep(given: StackInputs, name: string): void {
    const mask = this.masksOf(given).at(-1);
    if (mask === undefined || mask.data.includes(1)) return;
    throw new RangeError(
      `${name}: all ${mask.data.length} time steps are masked, so there is no mean; leave out batches without any step.`,
    );
  }

  /** The boundary check of `run`. */
  checkQuestion(inputs: TensorLike, question: NetworkQuestion, name: string): CheckedQuestion {
    const given = this.check(inputs, question, name, questionOptions);
    const { targets, upstream, sequences = false } = question;
    if (targets !== undefined) this.checkSomeStep(given, name);
    if (upstream !== undefined) checkOptions(upstream, upstreamOptions, `${name}: upstream`);
    return {
      given,
      targets: targets === undefined ? undefined : this.checkTargets(targets, given, `${name}: targets`),
      upstream: upstream && {
        logits:
          upstream.logits === undefined
            ? undefined
            : borrowTensor(upstream.logits, `${name}: upstream.logits`, this.outputShape(given)),
        finalStates: this.checkStates(upstream.finalStates, given.batch, `${name}: upstream.finalStates`),
        sequences: this.checkSequences(upstream.sequences, given, `${name}: upstream.sequences`),
      },
      sequences: checkFlag(sequences, `${name}: sequences`),
    };
  }

  /** The boundary check of the examples of `fit`. */
  checkExamples({ inputs, labels, mask }: GivenExamples, name: string): Examples {
    const given = this.check(inputs, mask === undefined ? {} : { mask }, name);
    const shape = this.outputShape(given);
    return {
      inputs: given.inputs,
      labels: {
        data: this.checkTargets(labels, given, `${name}: labels`),
        shape: this.loss === 'softmaxCrossEntropy' ? shape.slice(0, -1) : shape,
      },
      mask: given.mask,
    };
  }

  /**
   * The boundary check of an optimizer's state: its slots are weights of this network.
   *
   * @param checkWeights of a network whose weights come in another form
   */
  checkOptimizerState<W = StackWeights>(
    state: Omit<NetworkOptimizerState, 'slots'> & { readonly slots: Readonly<Record<string, W>> },
    name: string,
    checkWeights: (memory: W, name: string) => StackWeights = (memory, slot) =>
      this.checkWeights(memory as StackWeights, slot),
  ): CheckedOptimizerState {
    checkStateFields(state, name);
    const config = resolveOptimizer({ optimizer: state.config });
    checkOptimizerMemory(state, slotNames(config));
    const slots = Object.entries(state.slots).map(([slot, memory]): readonly [string, StackWeights] => [
      slot,
      checkWeights(memory, `${name}: ${slot}`),
    ]);
    return { config, step: state.step, slots: Object.fromEntries(slots) };
  }
}

/**
 * The boundary check of a network's constructor: everything that it is made from, checked.
 *
 * @param name of the class, for messages
 * @param more the options that this class has besides those of NetworkOptions
 * @throws RangeError on an unknown option, a description that makes no sense, a bad setting, or weights that do not fit
 */
export function resolveNetwork(
  options: NetworkOptions,
  name: string,
  more: Readonly<Record<string, true>> = {},
): ResolvedCompileOptions & { readonly plan: NetworkPlan; readonly weights: StackWeights } {
  checkOptions(options, { ...networkOptions, ...more }, name);
  const { seed = 0, weights, optimizer, learningRate, clipNorm } = options;
  const plan = new NetworkPlan(options, name);
  const compile: CompileOptions = {
    ...(optimizer !== undefined && { optimizer }),
    ...(learningRate !== undefined && { learningRate }),
    ...(clipNorm !== undefined && { clipNorm }),
  };
  return {
    ...resolveCompile(compile),
    plan,
    weights:
      weights === undefined ? plan.initialWeights(seed) : plan.checkWeights(weights, `${name}: weights`),
  };
}
