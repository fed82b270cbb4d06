import { createRandom } from '../../scratch/index';
import type { PrecisionModel } from '../budget/index';
import type { ModelDescription, ModelLayer } from '../models/index';
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

/** What a side showed of the gradients on the way back takes the place of what was expected there. */
interface Seen {
  /** what arrives at a layer, of its output or of a state */
  readonly arriving?: (expected: Doubtful, layer: ModelLayer, state: number | undefined) => Doubtful;
  /** the gradients of a layer's weights */
  readonly weights: (layer: ModelLayer, expected: Readonly<Record<string, Doubtful>>) => void;
}

/** Walks back through the layers of a model, and gives what arrives at its inputs. */
function walkBack(
  model: ModelDescription,
  questions: ReadonlyMap<string, DoubtfulQuestion>,
  upstream: readonly Upstream[],
  precision: PrecisionModel,
  { arriving: take = (expected) => expected, weights }: Seen,
): ReadonlyMap<string, Doubtful | undefined> {
  const known = upstream.map((one) => ({ ...one, gradient: sure(one.gradient) }));
  const arrivals = new Arrivals<Doubtful>(known, (before, one) => added(before, one, precision.unit));
  for (const [layer, { output, states }] of arrivals.through(model.layers)) {
    const read = questions.get(layer.name);
    if (read === undefined) continue;
    const here = {
      output: output && take(output, layer, undefined),
      states: states.map((state, i) => state && take(state, layer, i)),
    };
    const back = propagateBack(layer, read, here, precision);
    weights(layer, back.weights);
    arrivals.sendFrom(layer, back);
  }
  return new Map(model.inputs.map(({ name }) => [name, arrivals.at(name)?.output]));
}

/** The gradients of all weights by layer, with what rounding may do to them on the whole way. */
export function expectedGradients(
  model: ModelDescription,
  questions: ReadonlyMap<string, DoubtfulQuestion>,
  upstream: readonly Upstream[],
  precision: PrecisionModel,
): ReadonlyMap<string, Readonly<Record<string, Doubtful>>> {
  const found = new Map<string, Readonly<Record<string, Doubtful>>>();
  walkBack(model, questions, upstream, precision, {
    weights: ({ name }, expected) => void found.set(name, expected),
  });
  return found;
}

/**
 * Every layer backward by itself: from what the side showed before it, and from the gradient that arrives at it. Where the side shows that
 * gradient, it is judged and takes the place of the expected one; otherwise the expected one keeps its error.
 */
export function judgeGradients(
  model: ModelDescription,
  questions: ReadonlyMap<string, DoubtfulQuestion>,
  upstream: readonly Upstream[],
  shown: ShownGradients,
  precision: PrecisionModel,
): JudgedTensor[] {
  const judged: JudgedTensor[] = [];
  const atInputs = walkBack(model, questions, upstream, precision, {
    arriving(expected, layer, state) {
      const seen = shown.outputs.get(layer.name);
      const given = state === undefined ? seen?.output : seen?.states?.[state];
      if (given === undefined) return expected;
      const one = judgeTensor(layer, state, expected, given, questions.get(layer.name)!);
      judged.push({ ...one, gradientOf: 'what it gives' });
      return one.status === 'shape' ? expected : sure(given);
    },
    weights(layer, expected) {
      const given = shown.weights.get(layer.name) ?? {};
      for (const [name, one] of Object.entries(expected))
        if (name in given)
          judged.push({
            ...judgeTensor(layer, undefined, one, given[name], questions.get(layer.name)!),
            gradientOf: name,
          });
    },
  });
  for (const { name } of model.inputs) {
    const expected = atInputs.get(name);
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
