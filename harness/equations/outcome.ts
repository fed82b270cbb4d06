import type { Tensor } from '../../scratch/index';
import type { Arithmetic } from './arithmetics/arithmetic';
import { runBackward } from './backward';
import { runForward, type Forward, type Ran, type RunOptions, type Step } from './forward';
import type { Matrix } from './matrix';
import { hasBackward, isRecurrent, type Network, type NetworkProblem } from './network';
import type { Block } from './operations/index';

/** One tensor of an answer: a block, or a block for every time step. */
export interface Answered<V> {
  readonly shape: readonly number[];
  readonly blocks: readonly V[];
}

/**
 * Everything that a network answers, by name: `states.rnn` [B, T, n], `final.rnn.h` [B, U], `logits`, `outputs` (probabilities of
 * softmax and sigmoid), `loss` [], `gradients.inputs` [B, T, F], `gradients.rnn.kernel`, `gradients.rnn.initial.h`,
 * `gradients.head.kernel` ...
 */
export type Outcome<V> = ReadonlyMap<string, Answered<V>>;

/** Runs a network forward and, where the problem asks for gradients, backward, in any arithmetic. */
export function runNetwork<V extends Block>(
  network: Network,
  problem: NetworkProblem,
  arithmetic: Arithmetic<V>,
  options: RunOptions<V> = {},
): Outcome<V> {
  const forward = runForward(network, problem, arithmetic, options);
  return new Map([...forwardOutcome(forward), ...backwardOutcome(forward)]);
}

/** What a forward pass answers. */
export function forwardOutcome<V extends Block>(forward: Forward<V>): Outcome<V> {
  const { network, problem, arithmetic } = forward;
  const [batch, timeSteps] = problem.inputs.shape;
  const out = new Map<string, Answered<V>>();
  const add = (name: string, shape: readonly number[], ...blocks: V[]): unknown =>
    out.set(name, { shape, blocks });
  for (const { name } of network.layers) {
    const ran = forward.layers.get(name);
    if (ran === undefined) continue;
    add(`states.${name}`, [batch, ran.sequence.length, ran.sequence[0].columns], ...ran.sequence);
    for (const [carry, value] of Object.entries(ran.final))
      add(`final.${name}.${carry}`, [batch, value.columns], value);
  }
  const { head } = network;
  const asked = problem.labels !== undefined || problem.targets !== undefined;
  if (head !== undefined && forward.logits !== undefined && forward.loss !== undefined) {
    const steps = head.on === 'steps';
    const shape = steps ? [batch, timeSteps, head.classes] : [batch, head.classes];
    const blocksOf = (of: V): V[] =>
      steps
        ? Array.from({ length: timeSteps }, (_, t) => arithmetic.rows(of, t * batch, (t + 1) * batch))
        : [of];
    add('logits', shape, ...blocksOf(forward.logits));
    add('outputs', shape, ...blocksOf(forward.loss.outputs));
    if (asked) add('loss', [], forward.loss.loss);
  }
  return out;
}

/** The gradients after a forward pass, where the problem asks for them. */
export function backwardOutcome<V extends Block>(forward: Forward<V>): Outcome<V> {
  const { network, problem } = forward;
  if (!hasBackward(problem)) return new Map();
  const out = new Map<string, Answered<V>>();
  const add = (name: string, shape: readonly number[], ...blocks: V[]): unknown =>
    out.set(name, { shape, blocks });
  const [batch, timeSteps, features] = problem.inputs.shape;
  const backward = runBackward(forward);
  for (const [name, value] of backward.head ?? [])
    add(`gradients.head.${name}`, shapeOfWeight(value, name === 'bias'), value);
  add('gradients.inputs', [batch, timeSteps, features], ...backward.inputs);
  for (const layer of network.layers) {
    const gradients = backward.layers.get(layer.name);
    if (gradients === undefined || !isRecurrent(layer)) continue;
    for (const [carry, value] of gradients.initial)
      add(`gradients.${layer.name}.initial.${carry}`, [batch, layer.units], value);
    for (const [name, value] of gradients.weights)
      add(
        `gradients.${layer.name}.${name}`,
        shapeOfWeight(value, layer.cell.weights[name].rows === undefined),
        value,
      );
  }
  return out;
}

function shapeOfWeight({ rows, columns }: Block, vector: boolean): number[] {
  return vector ? [columns] : [rows, columns];
}

/** One kind of numbers of an answered tensor, in the tensor's order: [B, T, n] where it has time steps. */
export function numbersOf<V extends Block>({ blocks }: Answered<V>, pick: (block: V) => Matrix): Matrix {
  if (blocks.length === 1) return pick(blocks[0]);
  const [{ rows, columns }] = blocks;
  const out = new Float64Array(blocks.length * rows * columns);
  blocks.forEach((block, t) => {
    const data = pick(block);
    for (let b = 0; b < rows; b++)
      out.set(data.subarray(b * columns, (b + 1) * columns), (b * blocks.length + t) * columns);
  });
  return out;
}

/** The values of an outcome, as tensors. */
export function tensorsOfOutcome(outcome: Outcome<Block>): ReadonlyMap<string, Tensor> {
  return new Map(
    [...outcome].map(([name, answered]) => [
      name,
      { data: numbersOf(answered, ({ value }) => value), shape: answered.shape },
    ]),
  );
}

/** An outcome with other tensors; those for which `change` gives none stay. */
export function withTensors<V extends Block>(
  outcome: Outcome<V>,
  change: (answered: Answered<V>, name: string) => Answered<V> | undefined,
): Outcome<V> {
  return new Map([...outcome].map(([name, answered]) => [name, change(answered, name) ?? answered]));
}

/** Other numbers in the blocks of an answered tensor, in the tensor's order. */
export function withNumbers<V extends Block>({ shape, blocks }: Answered<V>, data: Matrix): Answered<V> {
  if (blocks.length === 1) return { shape, blocks: [{ ...blocks[0], value: data }] };
  return {
    shape,
    blocks: blocks.map((block, t) => {
      const { rows, columns } = block;
      const at = (i: number): number =>
        (Math.floor(i / columns) * blocks.length + t) * columns + (i % columns);
      return { ...block, value: Float64Array.from({ length: rows * columns }, (_, i) => data[at(i)]) };
    }),
  };
}

/** The same forward pass with other steps of its recurrent layers, so that the walk back is another one. */
export function withSteps<V extends Block>(
  forward: Forward<V>,
  change: (steps: readonly Step<V>[], ran: Ran<V>, layer: string) => readonly Step<V>[],
): Forward<V> {
  const layers = new Map(
    [...forward.layers].map(([name, ran]) => [name, { ...ran, steps: change(ran.steps, ran, name) }]),
  );
  return { ...forward, layers };
}
