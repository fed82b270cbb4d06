import { createRandom } from '../../scratch/index';
import type { PrecisionModel } from '../budget/index';
import type { ModelDescription, Source } from '../models/index';
import { added, sure, type Doubtful } from './doubtful';
import { judgeTensor, type JudgedTensor } from './judge';
import { propagateBack, type LayerQuestion } from './propagate';
import { tensorOf, type LayerRun } from './reference';
import type { Arriving, ShownGradients } from './sides/side';

/**
 * Gradients that arrive at the outputs of a model: of the loss Σ output · gradient, with numbers from -1 to 1 that float32 holds. Every
 * output counts, and no loss function is needed that a program may compute in another form.
 */
export function upstreamOf(
  model: ModelDescription,
  runs: ReadonlyMap<string, LayerRun>,
  seed: number,
): Arriving[] {
  const random = createRandom(seed);
  return model.outputs.map((source) => {
    const { shape, data } = tensorOf(runs, source);
    return {
      ...source,
      gradient: { shape, data: data.map(() => Math.fround(2 * random.uniform() - 1)) },
    };
  });
}

/**
 * Every layer backward by itself: from what the side showed before it, and from the gradient that arrives at it. Where the side shows that
 * gradient, it is judged and takes the place of the expected one; otherwise the expected one keeps its error.
 */
export function judgeGradients(
  model: ModelDescription,
  questions: ReadonlyMap<string, LayerQuestion>,
  upstream: readonly Arriving[],
  shown: ShownGradients,
  precision: PrecisionModel,
): JudgedTensor[] {
  const arriving = new Map<string, { output?: Doubtful; states: (Doubtful | undefined)[] }>();
  const send = ({ of, state }: Source, gradient: Doubtful): void => {
    const found = arriving.get(of) ?? { states: [] };
    arriving.set(of, found);
    if (state === undefined) found.output = added(found.output, gradient, precision.unit);
    else found.states[state] = added(found.states[state], gradient, precision.unit);
  };
  for (const { gradient, ...source } of upstream) send(source, sure(gradient));
  const judged: JudgedTensor[] = [];
  for (const layer of model.layers.toReversed()) {
    const found = arriving.get(layer.name);
    const read = questions.get(layer.name);
    if (found === undefined || read === undefined) continue;
    const seen = shown.outputs.get(layer.name);
    const take = (expected: Doubtful | undefined, given: typeof read.mask, state?: number) => {
      if (expected === undefined || given === undefined) return expected;
      const one = { ...judgeTensor(layer, state, expected, given, read), gradientOf: 'what it gives' };
      judged.push(one);
      return one.status === 'shape' ? expected : sure(given);
    };
    const here = {
      output: take(found.output, seen?.output),
      states: found.states.map((state, i) => take(state, seen?.states?.[i], i)),
    };
    const back = propagateBack(layer, read, here, precision);
    const weights = shown.weights.get(layer.name) ?? {};
    for (const [name, expected] of Object.entries(back.weights))
      if (name in weights)
        judged.push({ ...judgeTensor(layer, undefined, expected, weights[name], read), gradientOf: name });
    if (back.input !== undefined) send(layer.reads, back.input);
    layer.initialStates?.forEach((source, i) => send(source, back.states[i]));
  }
  for (const { name } of model.inputs) {
    const expected = arriving.get(name)?.output;
    const reader = model.layers.find(({ reads }) => reads.of === name);
    const read = reader && questions.get(reader.name);
    if (expected === undefined || reader === undefined || read === undefined || !(name in shown.inputs))
      continue;
    judged.push({
      ...judgeTensor(reader, undefined, expected, shown.inputs[name], read),
      gradientOf: `the input ${name}`,
    });
  }
  return judged;
}
