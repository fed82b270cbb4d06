import type { Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type { PrecisionModel } from '../budget/index';
import type { ModelDescription } from '../models/index';
import { causesOfModel, shownOutputs, type Cause } from './causes';
import { placeOf, wrongLayers, type Difference } from './difference';
import { judgeShown, type JudgedTensor } from './judge';
import { runReference, type ModelInputs } from './reference';
import { unknownProgram } from './sides/framework';
import { causeOfStorage, causesOfFewerBits } from './stored-weights';
import { tensorOf } from './walk';

/** Outputs from elsewhere: nothing inside is known, so that every layer may be the one. */
export function judgeExpected(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
): { readonly judged: readonly JudgedTensor[]; readonly differences: readonly Difference[] } {
  if (outputs.length !== model.outputs.length)
    throw new UsageError(
      `${outputs.length} expected outputs for a model with ${model.outputs.length}; give one for each.`,
    );
  for (const [i, { data }] of outputs.entries()) {
    const at = data.findIndex(Number.isNaN);
    if (at >= 0)
      throw new UsageError(
        `The expected output ${i + 1} of ${outputs.length} holds NaN at position ${at}, which equals no number; find out why the other program gives it, and save numbers.`,
      );
  }
  const { judged } = judgeShown(model, inputs, shownOutputs(model, outputs), unknownProgram);
  const wrong = wrongLayers(judged);
  const known = wrong.length === 0 ? [] : causesOfModel(model, inputs, outputs, unknownProgram);
  // what the file itself says of its weights comes before what may be guessed
  const rounding = model.outputs.map(
    ({ of, state }) => judged.find((one) => one.layer.name === of && one.state === state)?.allowed ?? [],
  );
  const hasShapes = judged.every(({ status }) => status !== 'shape');
  const ofBits = causesOfFewerBits(model, inputs, outputs, rounding);
  const causes =
    wrong.length === 0 || known.length > 0 || !hasShapes
      ? known
      : firstOf([
          () => roundedOutputs(model, inputs, outputs, rounding),
          () => causeOfStorage(model, inputs, outputs, rounding),
          () => ofBits(16),
          // of the same size in small models: then both are named
          () => [...ofBits(8), ...fewerBits(model, inputs, outputs)],
        ]);
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
  return { judged, differences };
}

/** The first that explains the outputs: from few changes to many. */
const firstOf = (explanations: readonly (() => Cause[])[]): Cause[] =>
  explanations.reduce<Cause[]>((found, explain) => (found.length > 0 ? found : explain()), []);

/**
 * Share of the budget, 10 σ, that honest runs in half precision use: Keras in float16 used 0.012 of it at most (three models). Weights of 4
 * bits use 0.17 and more, so that the whole budget would explain these as well.
 */
const typical = 1 / 20;

/** 11 significant bits, down to 2^-24. */
const isHalf = (x: number): boolean => {
  const step = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(x))) - 10));
  return x === 0 || Math.abs(x) === Infinity || Number.isInteger(x / step);
};

/** Outputs that were saved in float16: all of them are such numbers, and as near as rounding once leaves them. */
function roundedOutputs(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
  rounding: readonly ArrayLike<number>[],
): Cause[] {
  const runs = runReference(model, inputs);
  const isRounded = outputs.every(({ data }, n) => {
    const exact = tensorOf(runs, model.outputs[n]).data;
    return data.every(
      (y, i) =>
        isHalf(y) && Math.abs(y - exact[i]) <= 2 ** -11 * Math.abs(exact[i]) + 2 ** -25 + rounding[n][i],
    );
  });
  if (!isRounded) return [];
  const words =
    'the expected outputs were rounded to float16 when they were saved: save them as float32 to compare more digits';
  return [{ id: 'rounded-outputs', words, layer: '' }];
}

/** Arithmetic in half precision explains differences that single precision does not. */
function fewerBits(model: ModelDescription, inputs: ModelInputs, outputs: readonly Tensor[]): Cause[] {
  const half: PrecisionModel = { ...unknownProgram, unit: 2 ** -11, tiny: 2 ** -14, precision: 'float64' };
  const { judged } = judgeShown(model, inputs, shownOutputs(model, outputs), half);
  return judged.every(({ used, status }) => status !== 'shape' && used <= typical)
    ? [
        {
          id: 'half-precision',
          words: 'the whole model ran in half precision (float16), whose rounding explains the difference',
          layer: '',
        },
      ]
    : [];
}
