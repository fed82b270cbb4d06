import type { Tensor } from '../../scratch/index';
import { precisionModels, type PrecisionModel } from '../budget/index';
import { explainByRounding, judgeSignal } from '../judge/index';
import type { ModelDescription, ModelLayer } from '../models/index';
import { spreadOf, sure, type Doubtful } from './doubtful';
import { propagate, type DoubtfulQuestion } from './propagate';
import type { ModelInputs } from './reference';
import type { Shown, ShownLayers } from './sides/side';
import { questionFrom, startRuns } from './walk';

/** A tensor that a side showed, against what its own numbers before it give. */
export interface JudgedTensor {
  readonly layer: ModelLayer;
  /** undefined: the output; else the number of the final state */ readonly state?: number;
  /** the gradient of this weight, or what arrives at the output or the state */ readonly gradientOf?: string;
  /** unclear: ill-conditioned, so that it is neither right nor wrong */
  readonly status: 'explained' | 'beyond' | 'unclear' | 'shape';
  readonly given: Tensor;
  readonly expected: Tensor;
  /** what each number may be off */ readonly allowed: Float64Array;
  /** |error| / allowed of each number */ readonly shares: Float64Array;
  /** the largest of them */ readonly used: number;
  /** the number with the largest share */ readonly worst: number;
  /** what the layer read, for a search of the cause */ readonly read: DoubtfulQuestion;
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
): Judgement {
  const runs = startRuns(model, (name) => sure(inputs[name]));
  const judged: JudgedTensor[] = [];
  const questions = new Map<string, DoubtfulQuestion>();
  let earlierMask: Tensor | undefined;
  for (const layer of model.layers) {
    const asked = questionFrom(runs, layer);
    const read: DoubtfulQuestion = { ...asked, ...(asked.mask === undefined && { earlierMask }) };
    earlierMask = asked.mask ?? earlierMask;
    questions.set(layer.name, read);
    const run = propagate(layer, read, precision);
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
  return { judged, questions };
}

/** What was judged, and what each layer read. */
export interface Judgement {
  readonly judged: JudgedTensor[];
  readonly questions: ReadonlyMap<string, DoubtfulQuestion>;
}

export function judgeTensor(
  layer: ModelLayer,
  state: number | undefined,
  expected: Doubtful,
  given: Tensor,
  read: DoubtfulQuestion,
): JudgedTensor {
  const { tensor } = expected;
  const base = { layer, ...(state !== undefined && { state }), given, expected: tensor, read };
  if (given.shape.join() !== tensor.shape.join())
    return { ...base, status: 'shape', allowed: none, shares: none, used: Infinity, worst: 0 };
  const { status, allowed } = explainByRounding(tensor.data, given.data, spreadOf(expected));
  const isLost = judgeSignal(tensor.data, given.data, allowed, precisionModels.any).status === 'ill';
  const shares = given.data.map((x, i) => {
    const error = Math.abs(x - tensor.data[i]);
    const share = error === 0 ? 0 : error / allowed[i];
    return Number.isNaN(share) ? Infinity : share;
  });
  const worst = shares.reduce((most, share, i) => (share > shares[most] ? i : most), 0);
  const used = shares[worst] ?? 0;
  const own = status === 'explained' && isLost ? 'unclear' : status;
  return { ...base, status: own, allowed, shares, used, worst };
}

const none = new Float64Array(0);
