import { createRandom, type Tensor } from '../../scratch/index';
import type { PrecisionModel } from '../budget/index';
import type { ModelDescription } from '../models/index';
import { added, sure, type Doubtful } from './doubtful';
import { judgeTensor, type JudgedTensor } from './judge';
import { propagateBack, type DoubtfulQuestion } from './propagate';
import type { Upstream, ShownGradients } from './sides/side';
import { Arrivals, tensorOf, type Runs } from './walk';

/**
 * Gradients that arrive at the outputs of a model: of the loss Σ output · gradient, with numbers from -1 to 1 that float32 holds. Every
 * output counts, and no loss function is needed that a program may compute in another form.
 */
export function upstreamOf(model: ModelDescription, runs: Runs, seed: number): Upstream[] {
  const random = createRandom(seed);
  return model.outputs.map((source) => {
    const { shape, data } = tensorOf(runs, source);
    return {
      ...source,
      gradient: { shape, data: data.map(() => Math.fround(2 * random.uniform() - 1)) },
    };
  });
}

const nothing: ShownGradients = { weights: new Map(), outputs: new Map(), inputs: {} };

/**
 * Every layer backward by itself: from what the side showed before it, and from the gradient that arrives at it. Where the side shows that
 * gradient, it is judged and takes the place of the expected one; otherwise the expected one keeps its error.
 */
export function judgeGradients(
  model: ModelDescription,
  questions: ReadonlyMap<string, DoubtfulQuestion>,
  upstream: readonly Upstream[],
  precision: PrecisionModel,
  shown: ShownGradients = nothing,
): {
  readonly judged: readonly JudgedTensor[];
  /** the expected gradients of all weights by layer, with what rounding may do to them on the whole way */
  readonly weights: ReadonlyMap<string, Readonly<Record<string, Doubtful>>>;
} {
  const judged: JudgedTensor[] = [];
  const weights = new Map<string, Readonly<Record<string, Doubtful>>>();
  const known = upstream.map((one) => ({ ...one, gradient: sure(one.gradient) }));
  const arrivals = new Arrivals<Doubtful>(known, (before, one) => added(before, one, precision.unit));
  for (const [layer, { output, states }] of arrivals.through(model.layers)) {
    const read = questions.get(layer.name);
    if (read === undefined) continue;
    const judge = (gradientOf: string, expected: Doubtful, given: Tensor, state?: number): Doubtful => {
      const one = judgeTensor(layer, state, expected, given, read);
      judged.push({ ...one, gradientOf });
      return one.status === 'shape' ? expected : sure(given);
    };
    const seen = shown.outputs.get(layer.name);
    const arriving = (expected?: Doubtful, given?: Tensor, state?: number): Doubtful | undefined =>
      expected && given ? judge('what it gives', expected, given, state) : expected;
    const here = {
      output: arriving(output, seen?.output),
      states: states.map((state, i) => arriving(state, seen?.states?.[i], i)),
    };
    const back = propagateBack(layer, read, here, precision);
    weights.set(layer.name, back.weights);
    const given = shown.weights.get(layer.name) ?? {};
    for (const [name, expected] of Object.entries(back.weights))
      if (name in given) judge(name, expected, given[name]);
    arrivals.sendFrom(layer, back);
  }
  for (const { name } of model.inputs) {
    const expected = arrivals.at(name)?.output;
    const reader = model.layers.find(({ reads }) => reads.of === name);
    const read = reader && questions.get(reader.name);
    if (expected === undefined || reader === undefined || read === undefined || !(name in shown.inputs))
      continue;
    const one = judgeTensor(reader, undefined, expected, shown.inputs[name], read);
    judged.push({ ...one, gradientOf: `the input ${name}` });
  }
  return { judged, weights };
}
