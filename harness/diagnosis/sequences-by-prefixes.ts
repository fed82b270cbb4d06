import { zeros, type Tensor } from '../../scratch/index';
import {
  expectedShape,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../base/problem';
import { equationsOf, isRecurrent, type Network } from '../equations/index';
import { ask } from '../examine/index';
import { keep } from '../problems/index';

/** Above this many steps a side is not asked for the state of each of them. */
const mostPrefixes = 128;

/**
 * The outputs of every step of a side that gives final states only: h_t is the final state of the first t steps, so that every prefix of the
 * sequence runs on it. No step is judged by the error of an earlier step: each is held to the outputs that the side itself made before.
 *
 * @param wanted names of sequences: `states`, `sequences.layer1.h`
 * @returns those of layers that walk forwards, and read layers that do, [B, T, U] each; none where the side does not answer, or has too many
 * steps
 */
export async function sequencesByPrefixes(
  side: Implementation,
  problem: AnyProblem,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Tensor>> {
  const finals = finalStatesOf(problem, wanted);
  const [batch, timeSteps] = problem.inputs.shape;
  const made = new Map<string, Tensor>();
  if (timeSteps > mostPrefixes || finals.size === 0) return made;
  for (const name of finals.keys()) made.set(name, zeros(...expectedShape(problem, name)));
  for (let t = 0; t < timeSteps; t++) {
    let answer: Evaluation;
    try {
      ({ answer } = await ask(side, prefix(problem, t + 1)));
    } catch {
      // a side of a fixed number of steps: its inner states cannot be seen
      return new Map();
    }
    for (const [name, { data, shape }] of made) {
      const [, , units] = shape;
      const final = tensorOf(answer, finals.get(name) ?? name);
      if (final?.shape.join() !== [batch, units].join()) made.delete(name);
      else
        for (let b = 0; b < batch; b++)
          data.set(final.data.subarray(b * units, (b + 1) * units), (b * timeSteps + t) * units);
    }
  }
  return made;
}

/** By the name of a sequence the final state that its last step is. */
function finalStatesOf(problem: AnyProblem, wanted: readonly string[]): ReadonlyMap<string, string> {
  const { network, names } = equationsOf(problem);
  return new Map(
    wanted.flatMap((name): [string, string][] => {
      const layer = network.layers.find((one) => names.get(name)?.includes(`states.${one.name}`));
      if (layer === undefined || !isRecurrent(layer) || !walksForwards(network, layer.name)) return [];
      const own = `final.${layer.name}.${layer.cell.carries[0]}`;
      const final = [...names].find(([, all]) => all.includes(own));
      return final === undefined ? [] : [[name, final[0]]];
    }),
  );
}

/** Whether the output of a step depends on no later step. */
function walksForwards(network: Network, name: string): boolean {
  const layer = network.layers.find((one) => one.name === name);
  if (layer === undefined) return true;
  if (!isRecurrent(layer)) return layer.of.every((one) => walksForwards(network, one));
  return layer.reversed !== true && layer.on !== 'last' && walksForwards(network, layer.reads);
}

/** The forward pass of the first steps. */
function prefix(problem: AnyProblem, steps: number): AnyProblem {
  const { labels, upstream, ...rest } = problem;
  const { targets, ...forward } = { targets: undefined, ...rest };
  const first = Array.from({ length: steps }, (_, t) => t);
  return { ...keep(forward as AnyProblem, 'timeStep', first), id: `${problem.id}, first ${steps} steps` };
}
