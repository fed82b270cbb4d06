import type { Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import { precisionModels, withCustomaryForms, type PrecisionModel } from '../budget/index';
import { countParameters, openModelFile, type ModelDescription, type Size } from '../models/index';
import { causesOfLayer, causesOfModel, oneLayerModel, shownOutputs, type Cause } from './causes';
import { generateInputs } from './inputs';
import { judgeShown, type JudgedTensor } from './judge';
import type { ModelInputs } from './reference';
import { sideNames, openSide, type SideName } from './sides/index';
import { AbsentSideError, CannotRunError, type ModelSide, type ShownLayers } from './sides/side';

export interface CheckOptions {
  /** default: generated, in the range of the first layer */ readonly inputs?: ModelInputs | undefined;
  /** what another program gives for these inputs */ readonly expected?: readonly Tensor[] | undefined;
  /** default: all; a side that is named must run */ readonly sides?: readonly SideName[] | undefined;
  /** checks only what comes before the layer of this name */ readonly until?: string | undefined;
  /** of generated inputs; default 1 */ readonly seed?: number | undefined;
  readonly progress?: ((line: string) => void) | undefined;
}

/** Where a difference begins. */
export interface Difference {
  readonly layerNumber: number;
  readonly layer: string;
  readonly kind: string;
  /** `output`, or `final state 1` */ readonly tensor: string;
  readonly example: number;
  /** counted from 0, in the order of the output */ readonly timeStep?: number;
  readonly unit?: number;
  readonly given: number;
  readonly expected: number;
  /** largest |error| over what rounding may do */ readonly used: number;
  readonly causes: readonly Cause[];
}

export interface CheckedSide {
  readonly name: string;
  readonly version?: string;
  readonly status: 'parity' | 'mismatch' | 'ill' | 'cannot run' | 'absent';
  /** why it did not run */ readonly reason?: string;
  readonly required: boolean;
  /** tensors that it showed */ readonly tensors: number;
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
  readonly sides: readonly CheckedSide[];
  readonly verdict: 'parity' | 'mismatch' | 'side not run';
  readonly exitCode: 0 | 1 | 3;
}

/**
 * Runs a user's model on every side there is, and judges every layer of every side by its error budget.
 *
 * @param given a file (`openModelFile`) or a model that was opened
 * @throws UsageError on a file that is not read, inputs that do not fit, or a side that does not exist
 */
export async function checkModel(
  given: string | ModelDescription,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const opened = typeof given === 'string' ? await openModelFile(given, { until: options.until }) : given;
  const { model, notes } = inSinglePrecision(opened);
  const inputs = options.inputs ?? generateInputs(model, { seed: options.seed ?? 1 });
  if (options.expected !== undefined && options.inputs === undefined)
    throw new UsageError(
      'expected outputs belong to inputs: give the inputs that the other program had as well.',
    );
  const wanted = options.sides ?? sideNames;
  const sides: CheckedSide[] = [];
  if (options.expected !== undefined) sides.push(checkExpected(model, inputs, options.expected));
  for (const name of wanted) {
    options.progress?.(`${name} ...`);
    sides.push(await checkSide(name, options.sides !== undefined, model, inputs));
  }
  const isMissing = sides.some(
    ({ required, status }) => required && (status === 'absent' || status === 'cannot run'),
  );
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
    parameters: model.layers.reduce((sum, layer) => sum + countParameters(layer), 0),
    notes: [...model.notes, ...notes],
    inputs: model.inputs.map(({ name }) => ({ name, shape: inputs[name].shape })),
    sides,
    verdict: isMismatch ? 'mismatch' : isMissing ? 'side not run' : 'parity',
    exitCode: isMismatch ? 1 : isMissing ? 3 : 0,
  };
}

/** The sides hold weights in float32; so does the reference then. */
function inSinglePrecision(model: ModelDescription): {
  readonly model: ModelDescription;
  readonly notes: readonly string[];
} {
  let changed = 0;
  const round = (x: number): number => {
    const rounded = Math.fround(x);
    if (rounded !== x) changed++;
    return rounded;
  };
  const layers = model.layers.map((layer) => ({
    ...layer,
    weights: Object.fromEntries(
      Object.entries(layer.weights).map(([name, { data, shape }]) => [
        name,
        { data: data.map(round), shape },
      ]),
    ),
  }));
  const notes =
    changed === 0 ? [] : [`${changed} weights are not exact in float32 and were rounded, as every side does`];
  return { model: { ...model, layers }, notes };
}

async function checkSide(
  name: SideName,
  required: boolean,
  model: ModelDescription,
  inputs: ModelInputs,
): Promise<CheckedSide> {
  const none = { name, required, tensors: 0, numbers: 0, used: 0, differences: [] };
  let side: ModelSide | undefined;
  try {
    side = await openSide(name);
    const shown = await side.run(model, inputs);
    return await judgeSide(side, required, model, inputs, shown);
  } catch (error) {
    if (error instanceof AbsentSideError) return { ...none, status: 'absent', reason: error.message };
    if (error instanceof CannotRunError)
      return { ...none, status: 'cannot run', reason: error.message, ...(side && { version: side.version }) };
    throw error;
  } finally {
    await side?.close?.();
  }
}

async function judgeSide(
  side: ModelSide,
  required: boolean,
  model: ModelDescription,
  inputs: ModelInputs,
  shown: ShownLayers,
): Promise<CheckedSide> {
  const judged = judgeShown(model, inputs, shown, side.model);
  const differences: Difference[] = [];
  for (const layer of wrongLayers(judged)) {
    const causes = causesOfLayer(layer, side.model);
    const [first] = layer;
    differences.push(placeOf(model, (await byStep(side, model, first)) ?? first, causes));
  }
  return { ...resultOf(side.name, required, judged, differences), version: side.version };
}

function resultOf(
  name: string,
  required: boolean,
  judged: readonly JudgedTensor[],
  differences: readonly Difference[],
): CheckedSide {
  const isIll = judged.some(({ status }) => status === 'unclear');
  return {
    name,
    required,
    status: differences.length > 0 ? 'mismatch' : isIll ? 'ill' : 'parity',
    tensors: judged.length,
    numbers: judged.reduce((sum, { given }) => sum + given.data.length, 0),
    used: judged.reduce((most, { used }) => Math.max(most, used), 0),
    differences,
  };
}

/** The judged tensors of each layer that has a wrong one, those first that are wrong. */
function wrongLayers(judged: readonly JudgedTensor[]): JudgedTensor[][] {
  const isWrong = ({ status }: JudgedTensor): boolean => status === 'beyond' || status === 'shape';
  const layers = [...new Set(judged.filter(isWrong).map(({ layer }) => layer))];
  return layers.map((layer) =>
    judged.filter((one) => one.layer === layer).toSorted((a, b) => Number(isWrong(b)) - Number(isWrong(a))),
  );
}

/** A layer that gives its last state only is asked again for every step, from the same input. */
async function byStep(
  side: ModelSide,
  model: ModelDescription,
  judged: JudgedTensor,
): Promise<JudgedTensor | undefined> {
  const question = oneLayerModel(model, judged.layer, judged.read);
  if (question === undefined || judged.read.mask !== undefined) return undefined;
  const shown = await side.run(question.model, question.inputs).catch(() => undefined);
  if (shown === undefined) return undefined;
  return judgeShown(question.model, question.inputs, shown, side.model).find(
    ({ status, state }) => status === 'beyond' && state === undefined,
  );
}

/** The first time step at which a number is beyond its budget, and the worst number there. */
function placeOf(model: ModelDescription, judged: JudgedTensor, causes: readonly Cause[]): Difference {
  const { layer, state, given, expected, allowed, status } = judged;
  const [, ...sizes] = expected.shape;
  const width = sizes[sizes.length - 1];
  const timeSteps = sizes.length === 2 ? sizes[0] : 1;
  let at = judged.worst;
  if (status !== 'shape') {
    const share = (i: number): number => {
      const error = Math.abs(given.data[i] - expected.data[i]);
      return error === 0 ? 0 : Number.isNaN(error) ? Infinity : error / allowed[i];
    };
    const stepOf = (i: number): number => Math.floor(i / width) % timeSteps;
    const wrong = Array.from(given.data.keys()).filter((i) => share(i) > 1);
    const first = Math.min(...wrong.map(stepOf));
    at = wrong
      .filter((i) => stepOf(i) === first)
      .reduce((worst, i) => (share(i) > share(worst) ? i : worst), wrong.at(0) ?? at);
  }
  return {
    layerNumber: model.layers.findIndex(({ name }) => name === layer.name) + 1,
    layer: layer.name,
    kind: layer.kind,
    tensor: state === undefined ? 'output' : `final state ${state + 1}`,
    example: Math.floor(at / (width * timeSteps)),
    ...(sizes.length === 2 && { timeStep: Math.floor(at / width) % timeSteps }),
    unit: at % width,
    given: given.data[at],
    expected: expected.data[at],
    used: judged.used,
    causes,
  };
}

/** Outputs from elsewhere: nothing inside is known, so that every layer may be the one. */
function checkExpected(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
): CheckedSide {
  if (outputs.length !== model.outputs.length)
    throw new UsageError(
      `${outputs.length} expected outputs for a model with ${model.outputs.length}; give one for each.`,
    );
  const judged = judgeShown(model, inputs, shownOutputs(model, outputs), unknownProgram);
  const wrong = wrongLayers(judged);
  const known = wrong.length === 0 ? [] : causesOfModel(model, inputs, outputs, unknownProgram);
  const causes = wrong.length > 0 && known.length === 0 ? fewerBits(model, inputs, outputs) : known;
  const differences = wrong.map(([first]) => {
    const cause = causes.at(0);
    const place = placeOf(model, first, causes);
    const layer = model.layers.find(({ name }) => name === cause?.layer);
    return layer === undefined
      ? place
      : {
          ...place,
          layerNumber: model.layers.indexOf(layer) + 1,
          layer: layer.name,
          kind: layer.kind,
          tensor: 'the outputs of the model',
        };
  });
  return resultOf('expected', true, judged, differences);
}

/** A program in single precision that was never measured, in any customary form. */
const unknownProgram: PrecisionModel = withCustomaryForms(precisionModels.any) ?? precisionModels.any;

/** Arithmetic in half precision explains differences that single precision does not. */
function fewerBits(model: ModelDescription, inputs: ModelInputs, outputs: readonly Tensor[]): Cause[] {
  const half: PrecisionModel = { ...unknownProgram, unit: 2 ** -11, tiny: 2 ** -14, precision: 'float64' };
  const judged = judgeShown(model, inputs, shownOutputs(model, outputs), half);
  return judged.every(({ used, status }) => status === 'explained' && used <= 1)
    ? [
        {
          id: 'half-precision',
          words: 'the whole model ran in half precision (float16), whose rounding explains the difference',
          layer: '',
        },
      ]
    : [];
}
