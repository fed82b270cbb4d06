import type { Tensor } from '../../scratch/index';
import { largest } from '../base/magnitude';
import { UsageError } from '../base/outcome';
import type { PrecisionModel } from '../budget/index';
import type { ModelDescription, ModelLayer } from '../models/index';
import { moved, sure } from './doubtful';
import { judgeShown, judgeTensor, type JudgedTensor } from './judge';
import { seenMask } from './masks';
import { pickedOf, propagate, type DoubtfulQuestion } from './propagate';
import { runLayer, runReference, type ModelInputs } from './reference';
import type { ShownLayers } from './sides/side';
import { tensorOf } from './walk';
import { storageVariants, variantsOf, type Variant } from './variants/index';

/** A known mistake that explains a difference within the error budget. */
export interface Cause {
  readonly id: string;
  readonly words: string;
  /** the layer that it is in */ readonly layer: string;
  readonly gates?: readonly string[];
}

/**
 * The variants of one layer that give what the side gave, within the budget of that variant. Several that cannot be distinguished by these
 * numbers are all named; none is named where none explains them.
 */
export function causesOfLayer(judged: readonly JudgedTensor[], precision: PrecisionModel): Cause[] {
  const [{ layer, read }] = judged;
  const given = judged.filter((one) => one.status !== 'shape');
  if (given.length === 0) return [];
  const dropped = layer.config.layer === 'identity' ? dropoutOf(layer, given[0]) : undefined;
  if (dropped !== undefined) return [dropped];
  const kept = withKeptMask(layer, read);
  const asked = [
    ...variantsOf(layer).map((variant) => ({ variant, question: read })),
    ...(kept === undefined ? [] : [kept]),
  ];
  return oneOfAKind(
    asked.flatMap(({ variant, question }) =>
      explains(variant, question, given, precision) ? [causeOf(variant)] : [],
    ),
  );
}

/**
 * The layer under the mask of a layer before, which does not reach it. TensorFlow.js 4.22 passes the last mask on to every layer that
 * follows (engine/executor.ts writes it into arguments that all layers share); a longer one is cut to the steps of the layer.
 */
function withKeptMask(
  layer: ModelLayer,
  read: DoubtfulQuestion,
): { readonly variant: Variant; readonly question: DoubtfulQuestion } | undefined {
  const { earlierMask, input } = read;
  const [batch, timeSteps] = input.tensor.shape;
  if (earlierMask === undefined || seenMask(layer, earlierMask) === undefined) return undefined;
  const [rows, steps] = earlierMask.shape;
  if (rows !== batch || steps < timeSteps || input.tensor.shape.length !== 3) return undefined;
  const isBack = 'goBackwards' in layer.config && layer.config.goBackwards;
  const from = isBack ? steps - timeSteps : 0;
  const data = Float64Array.from({ length: batch * timeSteps }, (_, i) => {
    const [b, t] = [Math.floor(i / timeSteps), i % timeSteps];
    return earlierMask.data[b * steps + from + t];
  });
  return {
    variant: {
      id: 'masked-rows',
      words:
        'the mask of an earlier layer is applied here as well (TensorFlow.js keeps it for the layers that follow)',
      layer: { ...layer, maskedRows: 'state' },
    },
    question: { ...read, mask: { data, shape: [batch, timeSteps] } },
  };
}

/** Two forms of one mistake in one layer that these numbers cannot tell apart are one cause. */
function oneOfAKind(causes: readonly Cause[]): Cause[] {
  return causes.filter(
    (cause, i) => causes.findIndex(({ id, layer }) => id === cause.id && layer === cause.layer) === i,
  );
}

const causeOf = ({ id, words, layer, gates }: Variant): Cause => ({
  id,
  words,
  layer: layer.name,
  ...(gates && { gates }),
});

const asItIs = (tensor: Tensor): Tensor => tensor;

/** Whether a variant gives what a side gave, within its own budget. Other orders move numbers and round nothing. */
function explains(
  { layer, order: { read, give } = { read: asItIs, give: asItIs } }: Variant,
  given: DoubtfulQuestion,
  answers: readonly JudgedTensor[],
  precision: PrecisionModel,
): boolean {
  const question = { ...given, input: moved(given.input, read) };
  const first = attempt(() =>
    runLayer(
      layer,
      pickedOf(question, ({ tensor }) => tensor.data),
    ),
  );
  const isNearby =
    first !== undefined &&
    answers.every(({ state, ...one }) => {
      const found = state === undefined ? give(first.output) : first.states[state];
      return isNear(found, one.given, one.expected);
    });
  if (!isNearby) return false;
  const { output, states } = propagate(layer, question, precision);
  return answers.every(({ state, ...one }) => {
    const expected = state === undefined ? moved(output, give) : states[state];
    return judgeTensor(layer, state, expected, one.given, question).status === 'explained';
  });
}

/** A cheap first look: a variant that leaves more than a hundredth of the difference does not explain it. */
const isNear = (found: Tensor, given: Tensor, exact: Tensor): boolean =>
  distance(found, given) <= 0.01 * distance(exact, given) + 1e-6 * largest(given.data);

/** A variant may not fit the sizes of the question (time-major without a square), or give no finite numbers: it then gives undefined. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError || error instanceof UsageError)
      return undefined;
    throw error;
  }
}

function distance({ data, shape }: Tensor, other: Tensor): number {
  if (shape.join() !== other.shape.join()) return Infinity;
  return data.reduce((most, x, i) => Math.max(most, Math.abs(x - other.data[i])), 0);
}

/** Every number is 0 or the input times one factor 1 / (1 - rate). */
function dropoutOf(layer: ModelLayer, { given, expected }: JudgedTensor): Cause | undefined {
  const factors = Array.from(given.data, (y, i) => y / expected.data[i]).filter(
    (factor) => factor !== 0 && Number.isFinite(factor),
  );
  const factor = factors.at(0);
  if (factor === undefined || factor <= 1 || factors.length === given.data.length) return undefined;
  if (factors.some((one) => Math.abs(one - factor) > 1e-5 * factor)) return undefined;
  const rate = (1 - 1 / factor).toPrecision(2);
  return {
    id: 'dropout',
    words: `dropout is active when predicting, with the rate ${rate}`,
    layer: layer.name,
  };
}

/**
 * Where only the outputs of the whole model are known: one variant of one layer at a time, the rest as it is.
 */
export function causesOfModel(
  model: ModelDescription,
  inputs: ModelInputs,
  outputs: readonly Tensor[],
  precision: PrecisionModel,
): Cause[] {
  const exact = runReference(model, inputs);
  const isExplained = (changed: ModelDescription): boolean => {
    const run = attempt(() => runReference(changed, inputs));
    return (
      run !== undefined &&
      model.outputs.every((source, n) =>
        isNear(tensorOf(run, source), outputs[n], tensorOf(exact, source)),
      ) &&
      judgeShown(changed, inputs, shownOutputs(changed, outputs), precision).judged.every(
        ({ status }) => status === 'explained',
      )
    );
  };
  const found: Cause[] = [];
  for (const [i, layer] of model.layers.entries())
    for (const variant of variantsOf(layer)) {
      if (variant.order !== undefined || variant.id.startsWith('weights-')) continue;
      if (isExplained({ ...model, layers: model.layers.with(i, variant.layer) }))
        found.push(causeOf(variant));
    }
  // fewer bits are a matter of the whole file
  for (const { id, words } of storageVariants(model.layers[0])) {
    const layers = model.layers.map(
      (layer) => storageVariants(layer).find((one) => one.id === id)?.layer ?? layer,
    );
    if (isExplained({ ...model, layers }))
      found.push({ id, words: words.replace('its weights', 'all weights'), layer: '' });
  }
  return oneOfAKind(found);
}

/** Outputs of a model as a side shows them. */
export function shownOutputs(model: ModelDescription, outputs: readonly Tensor[]): ShownLayers {
  const shown = new Map<string, { output?: Tensor; states: (Tensor | undefined)[] }>();
  model.outputs.forEach(({ of, state }, i) => {
    const layer = shown.get(of) ?? { states: [] };
    shown.set(of, layer);
    if (state === undefined) layer.output = outputs[i];
    else layer.states[state] = outputs[i];
  });
  return shown;
}

/** The single layer that a question is about, as a model of its own that shows every step. */
export function oneLayerModel(
  model: ModelDescription,
  layer: ModelLayer,
  { input }: DoubtfulQuestion,
): { readonly model: ModelDescription; readonly inputs: ModelInputs } | undefined {
  const { config } = layer;
  const hasSequences = config.layer === 'simpleRNN' || config.layer === 'lstm' || config.layer === 'gru';
  if (!hasSequences || config.returnSequences === true || layer.initialStates !== undefined) return undefined;
  const [, ...shape] = input.tensor.shape;
  return {
    model: {
      ...model,
      inputs: [{ name: 'steps', shape }],
      layers: [{ ...layer, config: { ...config, returnSequences: true }, reads: { of: 'steps' } }],
      outputs: [{ of: layer.name }],
    },
    inputs: { steps: sure(input.tensor).tensor },
  };
}
