import {
  checkChoice,
  checkOptions,
  checkSize,
  describe,
  type CompileOptions,
  type OptionNames,
  type ResolvedOptimizerConfig,
  type Tensor,
} from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { countParameters, openModelFile, type ModelDescription, type Size } from '../models/index';
import {
  didCompare,
  isLacking,
  isTrained,
  resultOf,
  runSides,
  type CheckedSide,
  type SidesOptions,
} from './check-sides';
import { judgeExpected } from './expected';
import { checkSeconds } from '../sides/candidate/index';
import { checkInputs, checkTensor, generateInputs, inSinglePrecision } from './inputs';
import { upstreamOf } from './judge-gradients';
import { runReference, type ModelInputs } from './reference';
import { everySideName } from './sides/index';
import { Training } from './training';

export interface CheckOptions extends SidesOptions {
  /** default: generated, in the range of the first layer */ readonly inputs?: ModelInputs | undefined;
  /** what another program gives for these inputs */ readonly expected?: readonly Tensor[] | undefined;
  /** of a file: checks only what comes before the layer of this name */ readonly until?: string | undefined;
  /** default false: gradients of the weights and the inputs are compared as well */ readonly forwardOnly?:
    boolean | undefined;
  /** of generated inputs, of the gradients that arrive at the outputs, and of labels; default 1 */ readonly seed?:
    number | undefined;
  /** training steps that are compared as well; default 0 */ readonly trainSteps?: number | undefined;
  /** of the training steps; default adam, with Keras's settings. Adam's `form` is that of each program unless it is given */
  readonly optimizer?: CompileOptions['optimizer'] | undefined;
}

const optionNames: OptionNames<CheckOptions> = {
  inputs: true,
  expected: true,
  sides: true,
  sidesIfThere: true,
  until: true,
  forwardOnly: true,
  python: true,
  timeoutSeconds: true,
  file: true,
  seed: true,
  trainSteps: true,
  optimizer: true,
  progress: true,
};

export interface CheckReport {
  readonly schema: 'rnn-parity-check/1';
  readonly file: string;
  readonly writtenBy: string;
  readonly layers: readonly {
    readonly number: number;
    readonly name: string;
    readonly kind: string;
    readonly output: readonly Size[];
    readonly parameters: number;
  }[];
  readonly parameters: number;
  readonly notes: readonly string[];
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** the training steps that were compared; absent where none were asked for */ readonly training?: {
    readonly steps: number;
    readonly optimizer: ResolvedOptimizerConfig;
  };
  readonly sides: readonly CheckedSide[];
  readonly verdict: 'parity' | 'mismatch' | 'side not run';
  readonly exitCode: 0 | 1 | 3;
}

/**
 * Runs a user's model on every side there is, and judges every layer of every side by its error budget.
 *
 * @param given a file (`openModelFile`) or a model that was opened
 * @throws UsageError on a file that is not read, inputs that do not fit, RangeError for a side or an option that does not exist
 */
export async function checkModel(
  given: string | ModelDescription,
  options: CheckOptions = {},
): Promise<CheckReport> {
  checkArguments(given, options);
  const { expected, forwardOnly = false, seed = 1, trainSteps: steps, optimizer, until } = options;
  const path = typeof given === 'string' ? given : undefined;
  const opened = typeof given === 'string' ? await openModelFile(given, { until }) : given;
  if (options.inputs !== undefined) checkInputs(options.inputs, opened, 'checkModel: inputs');
  const checked = inSinglePrecision(opened, options.inputs ?? generateInputs(opened, { seed }));
  const { model, inputs } = checked;
  const training = steps === undefined ? undefined : new Training(model, inputs, { steps, optimizer, seed });
  if (training !== undefined) checkTrained(training, options.sides);
  const ofExpected = expected === undefined ? [] : [resultOfExpected(model, inputs, expected)];
  const upstream = forwardOnly ? undefined : upstreamOf(model, runReference(model, inputs), seed);
  const question = { model, inputs, ...(upstream && { upstream }) };
  const ofSides = await runSides(question, training, { ...options, file: options.file ?? path });
  return reportOf(path ?? 'model', checked, training, [...ofExpected, ...ofSides]);
}

/** @throws TypeError, RangeError or UsageError on arguments that make no sense together, before the model is opened */
function checkArguments(given: string | ModelDescription, options: CheckOptions): void {
  checkOptions(options, optionNames, 'checkModel');
  const { inputs, expected, until, optimizer, trainSteps, progress, timeoutSeconds } = options;
  if (typeof given !== 'string' && !Array.isArray((given as Partial<ModelDescription> | undefined)?.layers))
    throw new TypeError(
      `checkModel: the model is ${describe(given)}; pass the path of a model's file, or what openModelFile returns.`,
    );
  const sides: unknown = options.sides;
  if (sides !== undefined && !Array.isArray(sides))
    throw new TypeError(`checkModel: sides is ${describe(sides)}; pass an array of names, or leave it out.`);
  options.sides?.forEach((side) => checkChoice(side, everySideName, 'checkModel: a side'));
  if (options.sides?.length === 0 && expected === undefined)
    throw new RangeError(
      'checkModel: sides is empty and nothing is expected, so nothing would be compared; name a side, or leave sides out.',
    );
  if (typeof given !== 'string' && until !== undefined)
    throw new TypeError(
      `checkModel: until is "${until}", and the model is opened already; pass until to openModelFile, or the path of the file here.`,
    );
  if (expected !== undefined && inputs === undefined)
    throw new UsageError(
      'expected outputs are given without inputs: give the inputs that the other program had as well (--inputs), because generated inputs would differ.',
    );
  const isList: boolean = expected === undefined || Array.isArray(expected);
  if (!isList)
    throw new TypeError(`checkModel: expected is ${describe(expected)}; pass an array of tensors.`);
  expected?.forEach((output, i) => checkTensor(output, `checkModel: the expected output ${i + 1}`));
  if (progress !== undefined && typeof progress !== 'function')
    throw new TypeError(`checkModel: progress is ${describe(progress)}; pass a function, or leave it out.`);
  if (timeoutSeconds !== undefined) checkSeconds(timeoutSeconds, 'checkModel');
  if (optimizer !== undefined && trainSteps === undefined)
    throw new RangeError(
      'checkModel: optimizer is that of training steps, and trainSteps is not given; give it as well.',
    );
  if (trainSteps !== undefined) checkSize('checkModel: trainSteps', trainSteps);
}

/** @throws UsageError where a side is named that takes no training steps of the model */
function checkTrained(training: Training, sides: CheckOptions['sides'] = []): void {
  for (const side of sides) {
    const why = training.whyNot(side);
    if (why !== undefined)
      throw new UsageError(
        `Training steps (--train-steps): the side ${side} takes none: ${why}; take it out of the sides (--sides), or leave the training steps out.`,
      );
  }
}

function resultOfExpected(
  model: ModelDescription,
  inputs: ModelInputs,
  expected: readonly Tensor[],
): CheckedSide {
  const { judged, differences } = judgeExpected(model, inputs, expected);
  return resultOf('expected', true, judged, differences);
}

function reportOf(
  file: string,
  { model, inputs, notes }: ReturnType<typeof inSinglePrecision>,
  training: Training | undefined,
  sides: readonly CheckedSide[],
): CheckReport {
  const layers = model.layers.map((layer, i) => ({
    number: i + 1,
    name: layer.name,
    kind: layer.kind,
    output: layer.output,
    parameters: countParameters(layer),
  }));
  const isMissing =
    !sides.some(didCompare) ||
    sides.some((side) => side.required && isLacking(side)) ||
    (training !== undefined && !sides.some(isTrained));
  const isMismatch = sides.some(({ status }) => status === 'mismatch');
  return {
    schema: 'rnn-parity-check/1',
    file,
    writtenBy: model.writtenBy,
    layers,
    parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0),
    notes: [...model.notes, ...notes, ...(training?.notes ?? [])],
    ...(training && { training: { steps: training.steps, optimizer: training.optimizer } }),
    inputs: model.inputs.map(({ name }) => ({ name, shape: inputs[name].shape })),
    sides,
    verdict: isMismatch ? 'mismatch' : isMissing ? 'side not run' : 'parity',
    exitCode: isMismatch ? 1 : isMissing ? 3 : 0,
  };
}
