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
import { causesOfLayer, oneLayerModel } from './causes';
import { placeOf, wrongLayers, type Difference } from './difference';
import { judgeExpected } from './expected';
import { checkInputs, generateInputs, inSinglePrecision } from './inputs';
import { judgeShown, type JudgedTensor } from './judge';
import { judgeGradients, upstreamOf } from './judge-gradients';
import { runReference, type ModelInputs } from './reference';
import { Training } from './training';
import { isFrameworkName } from '../base/framework-names';
import { everySideName, sideNames, openSide, type SideName } from './sides/index';
import {
  AbsentSideError,
  CannotRunError,
  type ModelSide,
  type SideAnswer,
  type SideQuestion,
} from './sides/side';

export interface CheckOptions {
  /** default: generated, in the range of the first layer */ readonly inputs?: ModelInputs | undefined;
  /** what another program gives for these inputs */ readonly expected?: readonly Tensor[] | undefined;
  /** default: all; a side that is named must run */ readonly sides?: readonly SideName[] | undefined;
  /** run as well where this machine has them; default none */ readonly sidesIfThere?:
    readonly SideName[] | undefined;
  /** of a file: checks only what comes before the layer of this name */ readonly until?: string | undefined;
  /** default false: gradients of the weights and the inputs are compared as well */ readonly forwardOnly?:
    boolean | undefined;
  /** the Python in which Keras, PyTorch and onnxruntime are installed; default python3 of the PATH */ readonly python?:
    string | undefined;
  /** time limit of Keras, PyTorch and onnxruntime for each answer; default 180 */ readonly timeoutSeconds?:
    number | undefined;
  /** where the model was read from; default the path that is given: Keras opens its own files itself */
  readonly file?: string | undefined;
  /** of generated inputs, of the gradients that arrive at the outputs, and of labels; default 1 */ readonly seed?:
    number | undefined;
  /** training steps that are compared as well; default 0 */ readonly trainSteps?: number | undefined;
  /** of the training steps; default adam, with Keras's settings. Adam's `form` is that of each program unless it is given */
  readonly optimizer?: CompileOptions['optimizer'] | undefined;
  readonly progress?: ((line: string) => void) | undefined;
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

export interface CheckedSide {
  readonly name: string;
  readonly version?: string;
  readonly status: 'parity' | 'mismatch' | 'ill' | 'cannot run' | 'absent';
  /** why it did not run */ readonly reason?: string;
  readonly required: boolean;
  /** tensors that it showed */ readonly tensors: number;
  /** how many of them are gradients */ readonly gradients: number;
  /** how many are ill-conditioned: rounding alone may move their numbers so far that they show nothing */ readonly unclear: number;
  /** how many are weights, memory and losses of training steps; absent where none were asked for */ readonly updates?: number;
  /** why its training steps were not compared */ readonly untrained?: string;
  /** what the user should know of this run */ readonly note?: string;
  readonly numbers: number;
  /** largest share of its budget that a number used */ readonly used: number;
  readonly differences: readonly Difference[];
}

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
  /** that were compared */ readonly training?: {
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
  checkOptions(options, optionNames, 'checkModel');
  if (typeof given !== 'string' && !Array.isArray((given as Partial<ModelDescription> | undefined)?.layers))
    throw new TypeError(
      `checkModel: the model is ${describe(given)}; pass the path of a model's file, or what openModelFile returns.`,
    );
  const named: unknown = options.sides;
  if (named !== undefined && !Array.isArray(named))
    throw new TypeError(`checkModel: sides is ${describe(named)}; pass an array of names, or leave it out.`);
  options.sides?.forEach((side) => checkChoice(side, everySideName, 'checkModel: a side'));
  if (options.sides?.length === 0 && options.expected === undefined)
    throw new RangeError(
      'checkModel: sides is empty and nothing is expected, so nothing would be compared; name a side, or leave sides out.',
    );
  if (typeof given !== 'string' && options.until !== undefined)
    throw new TypeError(
      `checkModel: until is "${options.until}", and the model is opened already; pass until to openModelFile, or the path of the file here.`,
    );
  const opened = typeof given === 'string' ? await openModelFile(given, { until: options.until }) : given;
  if (options.inputs !== undefined) checkInputs(options.inputs, opened, 'checkModel: inputs');
  const seed = options.seed ?? 1;
  const { model, inputs, notes } = inSinglePrecision(
    opened,
    options.inputs ?? generateInputs(opened, { seed }),
  );
  if (options.expected !== undefined && options.inputs === undefined)
    throw new UsageError(
      'expected outputs are given without inputs: give the inputs that the other program had as well (--inputs), because generated ones are others.',
    );
  if (options.optimizer !== undefined && options.trainSteps === undefined)
    throw new RangeError(
      'checkModel: optimizer is that of training steps, and trainSteps is not given; give it as well.',
    );
  const parameters = model.layers.reduce((sum, layer) => sum + countParameters(layer), 0);
  const trainSteps =
    options.trainSteps === undefined ? 0 : checkSize('checkModel: trainSteps', options.trainSteps);
  const training =
    trainSteps === 0
      ? undefined
      : new Training(model, inputs, { steps: trainSteps, optimizer: options.optimizer, seed });
  for (const side of options.sides ?? []) {
    const why = training?.whyNot(side);
    if (why !== undefined)
      throw new UsageError(
        `Training steps (--train-steps): the side ${side} takes none: ${why}; take it out of the sides (--sides), or leave the training steps out.`,
      );
  }
  const wanted = new Set([...(options.sides ?? sideNames), ...(options.sidesIfThere ?? [])]);
  const sides: CheckedSide[] = [];
  if (options.expected !== undefined) {
    const { judged, differences } = judgeExpected(model, inputs, options.expected);
    sides.push(resultOf('expected', true, judged, differences));
  }
  const question: SideQuestion = {
    model,
    inputs,
    ...(options.forwardOnly !== true && { upstream: upstreamOf(model, runReference(model, inputs), seed) }),
  };
  const { python, timeoutSeconds } = options;
  const file = options.file ?? (typeof given === 'string' ? given : undefined);
  const ask = (name: SideName): Promise<Asked> => askSide(name, question, { python, timeoutSeconds, file });
  // other programs compute in processes of their own meanwhile, one after the other
  const early = new Map<SideName, Promise<Asked>>();
  let last: Promise<unknown> = Promise.resolve();
  for (const name of [...wanted].filter(isFrameworkName)) {
    const asked = last.then(() => ask(name));
    early.set(name, asked);
    last = asked.catch(() => undefined);
  }
  try {
    for (const name of wanted) {
      options.progress?.(`${name} ...`);
      const required = options.sides?.includes(name) === true;
      const asked = await (early.get(name) ?? ask(name));
      // of a large model the judgement takes its time as well
      if ('answer' in asked && parameters > 500_000)
        options.progress?.(`${name} answered; its numbers are judged ...`);
      sides.push(await judgeAsked(name, required, question, asked, training));
    }
  } catch (error) {
    // a program that is left open keeps this process alive
    for (const asked of early.values())
      await asked.then((one) => ('side' in one ? one.side.close?.() : undefined)).catch(() => undefined);
    throw error;
  }
  // one whose numbers are all ill-conditioned shows nothing
  const didRun = ({ status, tensors, unclear }: CheckedSide): boolean =>
    status !== 'absent' && status !== 'cannot run' && tensors > unclear;
  // and one that was to train and did not has not done what was asked
  const isLacking = (side: CheckedSide): boolean => !didRun(side) || side.untrained !== undefined;
  const isMissing =
    !sides.some(didRun) ||
    sides.some((side) => side.required && isLacking(side)) ||
    (training !== undefined && !sides.some(isTrained));
  const isMismatch = sides.some(({ status }) => status === 'mismatch');
  return {
    schema: 'rnn-parity-check/1',
    file: typeof given === 'string' ? given : 'model',
    writtenBy: model.writtenBy,
    layers: model.layers.map((layer, i) => ({
      number: i + 1,
      name: layer.name,
      kind: layer.kind,
      output: layer.output,
      parameters: countParameters(layer),
    })),
    parameters,
    notes: [...model.notes, ...notes, ...(training?.notes ?? [])],
    ...(training && { training: { steps: trainSteps, optimizer: training.optimizer } }),
    inputs: model.inputs.map(({ name }) => ({ name, shape: inputs[name].shape })),
    sides,
    verdict: isMismatch ? 'mismatch' : isMissing ? 'side not run' : 'parity',
    exitCode: isMismatch ? 1 : isMissing ? 3 : 0,
  };
}

/** Whether training steps of the side were compared, and showed something. */
export const isTrained = ({ updates = 0, untrained }: CheckedSide): boolean =>
  updates > 0 && untrained === undefined;

/** A side that answered, or why there is no answer. */
type Asked =
  | { readonly side: ModelSide; readonly answer: SideAnswer }
  | { readonly status: 'absent' | 'cannot run'; readonly reason: string; readonly version?: string };

async function askSide(
  name: SideName,
  question: SideQuestion,
  options: Pick<CheckOptions, 'python' | 'timeoutSeconds' | 'file'>,
): Promise<Asked> {
  let side: ModelSide | undefined;
  try {
    side = await openSide(name, options);
    return { side, answer: await side.run(question) };
  } catch (error) {
    await side?.close?.();
    if (error instanceof AbsentSideError) return { status: 'absent', reason: error.message };
    if (error instanceof CannotRunError)
      return { status: 'cannot run', reason: error.message, ...(side && { version: side.version }) };
    throw error;
  }
}

async function judgeAsked(
  name: SideName,
  required: boolean,
  question: SideQuestion,
  asked: Asked,
  training: Training | undefined,
): Promise<CheckedSide> {
  if ('reason' in asked)
    return {
      name,
      required,
      tensors: 0,
      gradients: 0,
      unclear: 0,
      numbers: 0,
      used: 0,
      differences: [],
      ...asked,
    };
  try {
    const judged = await judgeSide(asked.side, required, question, asked.answer);
    return training === undefined ? judged : await withTraining(judged, training, asked.side);
  } finally {
    await asked.side.close?.();
  }
}

async function judgeSide(
  side: ModelSide,
  required: boolean,
  { model, inputs, upstream }: SideQuestion,
  { layers, gradients, note }: SideAnswer,
): Promise<CheckedSide> {
  const { judged: forward, questions } = judgeShown(model, inputs, layers, side.model);
  if (forward.length === 0) {
    const reason = 'it has no layer of this model to show, so nothing was compared';
    return { ...resultOf(side.name, required, [], []), status: 'cannot run', version: side.version, reason };
  }
  const differences: Difference[] = [];
  for (const layer of wrongLayers(forward)) {
    const causes = causesOfLayer(layer, side.model);
    const [first] = layer;
    differences.push(placeOf(model, (await byStep(side, model, first)) ?? first, causes));
  }
  const backward =
    gradients === undefined || upstream === undefined
      ? []
      : judgeGradients(
          model,
          gradients.layers === undefined
            ? questions
            : judgeShown(model, inputs, gradients.layers, side.model).questions,
          upstream,
          gradients,
          side.model,
        );
  // gradients of a layer that is wrong forward are wrong for that reason
  const isKnown = new Set(differences.map(({ layer }) => layer));
  for (const [first] of wrongLayers(backward))
    if (!isKnown.has(first.layer.name)) differences.push(placeOf(model, first, []));
  return {
    ...resultOf(side.name, required, [...forward, ...backward], differences),
    version: side.version,
    ...(note !== undefined && { note }),
  };
}

/** The result with the training steps of the side in it: where its layers or gradients are right, for wrong ones make wrong steps. */
async function withTraining(result: CheckedSide, training: Training, side: ModelSide): Promise<CheckedSide> {
  if (result.status === 'mismatch')
    return { ...result, untrained: 'they would follow from what is different before' };
  if (result.status === 'cannot run') return result;
  try {
    const { verdicts, differences, isSeen } = await training.judge(side);
    const shares = verdicts.map(({ worst }) => worst?.usedShare ?? 0);
    const unclear = result.unclear + verdicts.filter(({ status }) => status === 'ill').length;
    return {
      ...result,
      status: differences.length > 0 ? 'mismatch' : unclear > 0 ? 'ill' : 'parity',
      tensors: result.tensors + verdicts.length,
      updates: verdicts.length,
      unclear,
      numbers: verdicts.reduce((sum, { compared }) => sum + compared, result.numbers),
      used: shares.reduce((a, b) => Math.max(a, b), result.used),
      differences,
      ...(!isSeen && {
        untrained:
          'rounding alone may move every new weight as far as the step did (ill-conditioned), so that they show nothing',
      }),
    };
  } catch (error) {
    if (error instanceof CannotRunError) return { ...result, untrained: error.message };
    throw error;
  }
}

function resultOf(
  name: string,
  required: boolean,
  judged: readonly JudgedTensor[],
  differences: readonly Difference[],
): CheckedSide {
  const unclear = judged.filter(({ status }) => status === 'unclear').length;
  return {
    name,
    required,
    status: differences.length > 0 ? 'mismatch' : unclear > 0 ? 'ill' : 'parity',
    tensors: judged.length,
    gradients: judged.filter(({ gradientOf }) => gradientOf !== undefined).length,
    unclear,
    numbers: judged.reduce((sum, { given }) => sum + given.data.length, 0),
    used: judged.reduce((most, { used }) => Math.max(most, used), 0),
    differences,
  };
}

/** A layer that gives its last state only is asked again for every step, from the same input. */
async function byStep(
  side: ModelSide,
  model: ModelDescription,
  judged: JudgedTensor,
): Promise<JudgedTensor | undefined> {
  const question = oneLayerModel(model, judged.layer, judged.read);
  if (question === undefined || judged.read.mask !== undefined) return undefined;
  const shown = await side.run(question).catch(() => undefined);
  if (shown === undefined) return undefined;
  return judgeShown(question.model, question.inputs, shown.layers, side.model).judged.find(
    ({ status, state }) => status === 'beyond' && state === undefined,
  );
}
