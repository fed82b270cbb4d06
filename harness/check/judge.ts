import type { Tensor } from '../../scratch/index';
import type { PrecisionModel } from '../budget/index';
import { explainByRounding } from '../judge/index';
import type { ModelDescription, ModelLayer, Source } from '../models/index';
import { propagate, spreadOf, sure, type Doubtful, type DoubtfulRun } from './doubtful';
import type { ModelInputs } from './reference';
import type { Shown, ShownLayers } from './sides/side';

/** A tensor that a side showed, against what its own numbers before it give. */
export interface JudgedTensor {
  readonly layer: ModelLayer;
  /** undefined: the output; else the number of the final state */ readonly state?: number;
  readonly status: 'explained' | 'beyond' | 'unclear' | 'shape';
  readonly given: Tensor;
  readonly expected: Tensor;
  /** what each number may be off */ readonly allowed: Float64Array;
  /** largest |error| / allowed */ readonly used: number;
  /** the number with the largest share */ readonly worst: number;
  /** what the layer read, for a search of the cause */ readonly read: LayerQuestion;
}

/** What a layer was asked. */
export interface LayerQuestion {
  readonly input: Doubtful;
  readonly mask: Tensor | undefined;
  readonly initialStates: readonly Doubtful[];
}

/**
 * Every layer by itself: what it showed is compared with what the numbers that the side showed before give there, and then takes their
 * place. What it did not show keeps its error. So a difference stands at the layer that makes it, and at no later one.
 */
export function judgeShown(
  model: ModelDescription,
  inputs: ModelInputs,
  shown: ShownLayers,
  precision: PrecisionModel,
): JudgedTensor[] {
  const runs = new Map<string, DoubtfulRun>(
    model.inputs.map(({ name }) => [name, { output: sure(inputs[name]), states: [], mask: undefined }]),
  );
  const judged: JudgedTensor[] = [];
  const at = ({ of, state }: Source): Doubtful => {
    const run = runs.get(of);
    if (run === undefined) throw new Error(`judgeShown: ${of} has not run`);
    return state === undefined ? run.output : run.states[state];
  };
  for (const layer of model.layers) {
    const read: LayerQuestion = {
      input: at(layer.reads),
      mask: layer.reads.state === undefined ? runs.get(layer.reads.of)?.mask : undefined,
      initialStates: (layer.initialStates ?? []).map(at),
    };
    const run = propagate(layer, { output: read.input, mask: read.mask }, read.initialStates, precision);
    const { output, states }: Shown = shown.get(layer.name) ?? {};
    const take = (expected: Doubtful, given: Tensor | undefined, state?: number): Doubtful => {
      if (given === undefined) return expected;
      const found = judgeTensor(layer, state, expected, given, read);
      judged.push(found);
      return found.status === 'shape' ? expected : sure(given);
    };
    runs.set(layer.name, {
      mask: run.mask,
      output: take(run.output, output),
      states: run.states.map((state, i) => take(state, states?.[i], i)),
    });
  }
  return judged;
}

export function judgeTensor(
  layer: ModelLayer,
  state: number | undefined,
  expected: Doubtful,
  given: Tensor,
  read: LayerQuestion,
): JudgedTensor {
  const { tensor } = expected;
  const base = { layer, ...(state !== undefined && { state }), given, expected: tensor, read };
  if (given.shape.join() !== tensor.shape.join())
    return { ...base, status: 'shape', allowed: new Float64Array(0), used: Infinity, worst: 0 };
  const { status, allowed } = explainByRounding(tensor.data, given.data, spreadOf(expected));
  let worst = 0;
  let used = 0;
  given.data.forEach((x, i) => {
    const error = Math.abs(x - tensor.data[i]);
    const share = error === 0 ? 0 : error / allowed[i];
    if (!(share <= used)) [used, worst] = [Number.isNaN(share) ? Infinity : share, i];
  });
  return { ...base, status, allowed, used, worst };
}
