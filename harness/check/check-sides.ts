import { countParameters, type ModelDescription } from '../models/index';
import { isFrameworkName } from '../base/framework-names';
import { ProblemRefusedError, SideUnavailableError } from '../base/side-errors';
import { causesOfLayer, oneLayerModel } from './causes';
import { placeOf, wrongLayers, type Difference } from './difference';
import { judgeShown, type JudgedTensor } from './judge';
import { judgeGradients } from './judge-gradients';
import { openSide, sideNames, type SideName } from './sides/index';
import type { ModelSide, SideAnswer, SideQuestion } from './sides/side';
import type { Training } from './training';

/** Which sides run, and how. */
export interface SidesOptions {
  /** default: all; a side that is named must run */ readonly sides?: readonly SideName[] | undefined;
  /** run as well where this machine has them; default none */ readonly sidesIfThere?:
    readonly SideName[] | undefined;
  /** the Python in which Keras, PyTorch and onnxruntime are installed; default python3 of the PATH */ readonly python?:
    string | undefined;
  /** time limit of Keras, PyTorch and onnxruntime for each answer; default 180 */ readonly timeoutSeconds?:
    number | undefined;
  /** where the model was read from; default the path that is given: Keras opens its own files itself */
  readonly file?: string | undefined;
  readonly progress?: ((line: string) => void) | undefined;
}

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

/** Runs the sides one after the other, and judges what each showed. */
export async function runSides(
  question: SideQuestion,
  training: Training | undefined,
  { sides, sidesIfThere = [], progress, python, timeoutSeconds, file }: SidesOptions,
): Promise<CheckedSide[]> {
  const names = [...new Set([...(sides ?? sideNames), ...sidesIfThere])];
  const parameters = question.model.layers.reduce((sum, layer) => sum + countParameters(layer), 0);
  const ask = (name: SideName): Promise<Asked> => askSide(name, question, { python, timeoutSeconds, file });
  // other programs compute in processes of their own meanwhile, one after the other
  const early = new Map<SideName, Promise<Asked>>();
  let last: Promise<unknown> = Promise.resolve();
  for (const name of names.filter(isFrameworkName)) {
    const asked = last.then(() => ask(name));
    early.set(name, asked);
    last = asked.catch(() => undefined);
  }
  const checked: CheckedSide[] = [];
  try {
    for (const name of names) {
      progress?.(`${name} ...`);
      const asked = await (early.get(name) ?? ask(name));
      // of a large model the judgement takes its time as well
      if ('answer' in asked && parameters > 500_000)
        progress?.(`${name} answered; its numbers are judged ...`);
      checked.push(await judgeAsked(name, sides?.includes(name) === true, question, asked, training));
    }
  } catch (error) {
    // a program that is left open keeps this process alive
    for (const asked of early.values())
      await asked.then((one) => ('side' in one ? one.side.close?.() : undefined)).catch(() => undefined);
    throw error;
  }
  return checked;
}

/** Whether a side showed something: one whose numbers are all ill-conditioned shows nothing. */
export const didCompare = ({ status, tensors, unclear }: CheckedSide): boolean =>
  status !== 'absent' && status !== 'cannot run' && tensors > unclear;

/** Whether a side has not done what was asked: one that was to train and did not has not either. */
export const isLacking = (side: CheckedSide): boolean => !didCompare(side) || side.untrained !== undefined;

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
  options: Pick<SidesOptions, 'python' | 'timeoutSeconds' | 'file'>,
): Promise<Asked> {
  let side: ModelSide | undefined;
  try {
    side = await openSide(name, options);
    return { side, answer: await side.run(question) };
  } catch (error) {
    await side?.close?.();
    if (error instanceof SideUnavailableError) return { status: 'absent', reason: error.message };
    if (error instanceof ProblemRefusedError)
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
  if ('reason' in asked) return { ...resultOf(name, required, [], []), ...asked };
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
  // a side that runs its layers again for the gradients is asked by what they gave in that run
  const asked = gradients?.layers && judgeShown(model, inputs, gradients.layers, side.model).questions;
  const { judged: backward } =
    gradients === undefined || upstream === undefined
      ? { judged: [] }
      : judgeGradients(model, asked ?? questions, upstream, side.model, gradients);
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
    if (error instanceof ProblemRefusedError) return { ...result, untrained: error.message };
    throw error;
  }
}

/** The result of a side whose tensors were judged. */
export function resultOf(
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
