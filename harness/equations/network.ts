import type { Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import type { Cell } from './cell';
import type { LossName } from './losses/index';
import { shapeOf, widthOf, type CellSizes } from './weights';

/** How the sequences of two layers become one. */
export type Merge = 'concat' | 'sum' | 'mul' | 'ave';

/** A recurrent layer that walks a cell through time, or two layers' outputs merged; `reads` names an earlier layer, or `inputs`. */
export type Layer =
  | {
      readonly name: string;
      readonly cell: Cell;
      readonly units: number;
      readonly reads: string;
      /** from the last time step to the first */ readonly reversed?: boolean;
      /** reads the final output of the layer below alone, as one time step without a mask */ readonly on?: 'last';
      /** computes masked steps as well: a dense layer, which carries nothing */ readonly unmasked?: boolean;
      /** its inputs are one-hot rows that stand for integers, so that a side cannot be given more of them */
      readonly integers?: boolean;
    }
  | { readonly name: string; readonly merge: Merge; readonly of: readonly [string, string] };

/** A dense layer on the last state or on every step, and the loss. */
export interface Head {
  readonly classes: number;
  readonly on: 'last' | 'steps';
  /** a layer's name */ readonly reads: string;
  /** the logits are what that layer gives, without a dense layer of the head's own */ readonly direct?: boolean;
  readonly loss: LossName;
}

/** Layers in the order of the computation. */
export interface Network {
  readonly features: number;
  readonly layers: readonly Layer[];
  readonly head?: Head;
}

/** Numbers for a network: one question that can be asked of any implementation of it. */
export interface NetworkProblem {
  /** [B, T, F] */ readonly inputs: Tensor;
  /** by layer (`head` for the dense layer: kernel [n, C], bias [C]), then by the cell's names */
  readonly weights: Readonly<Record<string, Readonly<Record<string, Tensor>>>>;
  /** by layer and carry, each [B, U]; zeros where absent */
  readonly initialStates?: Readonly<Record<string, Readonly<Record<string, Tensor>>>>;
  /** [B, T] of 0 and 1: at 0 every layer keeps its state */ readonly mask?: Tensor;
  /** one class index per example, or per example and step (a row of `labels` for each example) */
  readonly labels?: readonly number[];
  /** [B, C], or [B, T, C] with a head on every step */ readonly targets?: Tensor;
  /** loss gradients that arrive from elsewhere, by layer; added to those of the head */
  readonly upstream?: Readonly<Record<string, Upstream>>;
}

export interface Upstream {
  /** at the outputs of every step [B, T, n] */ readonly sequence?: Tensor;
  /** at the final state of a carry [B, U]; of merged layers: `output` [B, n] */
  readonly final?: Readonly<Record<string, Tensor>>;
}

/** A problem as equations: the network, its numbers, and where each tensor of an answer is found in its outcome. */
export interface ModelAsEquations {
  readonly network: Network;
  readonly problem: NetworkProblem;
  /**
   * by the dotted name of an answer's tensor: the names of the outcome whose numbers, one after the other, make it. Two for the
   * bias [2, 3U] of a GRU, one for everything else.
   */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** dotted names of sequences in the order of a walk backwards, which the equations have in the order of the inputs */
  readonly backwards: ReadonlySet<string>;
  /** how reports call an equation of `judgeSteps`, where not as the equations do: `states` for `rnn.h` */
  readonly called?: ReadonlyMap<string, string>;
}

export interface NetworkSizes {
  readonly batch: number;
  readonly timeSteps: number;
  readonly features: number;
}

export function isRecurrent(layer: Layer): layer is Extract<Layer, { cell: Cell }> {
  return 'cell' in layer;
}

/** Columns of a layer's output; F for `inputs`. */
export function outputWidth(network: Network, name: string): number {
  if (name === 'inputs') return network.features;
  const layer = network.layers.find((one) => one.name === name);
  if (layer === undefined)
    throw new RangeError(
      `there is no layer ${name}; layers are ${network.layers.map((one) => one.name).join(', ')}`,
    );
  if (isRecurrent(layer)) return layer.units;
  const widths = layer.of.map((one) => outputWidth(network, one));
  return layer.merge === 'concat' ? widths[0] + widths[1] : widths[0];
}

function stepsOfLayer(layer: Layer, timeSteps: number): number {
  return isRecurrent(layer) && layer.on === 'last' ? 1 : timeSteps;
}

/** F and U of a recurrent layer's weights. */
export function cellSizes(network: Network, layer: Extract<Layer, { cell: Cell }>): CellSizes {
  return { features: outputWidth(network, layer.reads), units: layer.units };
}

/** Every tensor that a problem for this network must or may have, with its shape, by its path: `rnn.kernel`, `initialStates.rnn.h`. */
export function expectedTensors(
  network: Network,
  { batch, timeSteps }: NetworkSizes,
): ReadonlyMap<string, { readonly shape: readonly number[]; readonly required: boolean }> {
  const out = new Map<string, { shape: readonly number[]; required: boolean }>();
  const add = (path: string, shape: readonly number[], required: boolean): unknown =>
    out.set(path, { shape, required });
  add('inputs', [batch, timeSteps, network.features], true);
  add('mask', [batch, timeSteps], false);
  for (const layer of network.layers) {
    const { name } = layer;
    const width = outputWidth(network, name);
    add(`upstream.${name}.sequence`, [batch, stepsOfLayer(layer, timeSteps), width], false);
    if (!isRecurrent(layer)) {
      add(`upstream.${name}.final.output`, [batch, width], false);
      continue;
    }
    const sizes = cellSizes(network, layer);
    for (const [weight, shape] of Object.entries(layer.cell.weights))
      add(`weights.${name}.${weight}`, shapeOf(shape, sizes), true);
    for (const carry of layer.cell.carries) {
      const shape = [batch, widthOf(['U'], sizes)];
      add(`initialStates.${name}.${carry}`, shape, false);
      add(`upstream.${name}.final.${carry}`, shape, false);
    }
  }
  const { head } = network;
  if (head !== undefined) {
    if (head.direct !== true) {
      add('weights.head.kernel', [outputWidth(network, head.reads), head.classes], true);
      add('weights.head.bias', [head.classes], true);
    }
    if (head.loss !== 'softmax')
      add('targets', head.on === 'last' ? [batch, head.classes] : [batch, timeSteps, head.classes], false);
  }
  return out;
}

/** Every tensor of a problem, by its path; found once. */
export const tensorsOf = memoize((problem: NetworkProblem): ReadonlyMap<string, Tensor> => {
  const out = new Map<string, Tensor>();
  const visit = (path: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    if ('data' in value && 'shape' in value) out.set(path, value as Tensor);
    else for (const [key, inner] of Object.entries(value)) visit(path === '' ? key : `${path}.${key}`, inner);
  };
  visit('', problem);
  return out;
});

/**
 * That the problem has every tensor of the network, in its shape, and no other.
 *
 * @throws RangeError that names the tensor, its shape and the expected one
 */
export function checkProblem(network: Network, problem: NetworkProblem): void {
  const [batch, timeSteps] = problem.inputs.shape;
  const given = tensorsOf(problem);
  const expected = expectedTensors(network, { batch, timeSteps, features: network.features });
  for (const [path, { shape, required }] of expected) {
    const tensor = given.get(path);
    if (tensor === undefined && !required) continue;
    if (tensor?.shape.join() !== shape.join())
      throw new RangeError(
        `${path} ${tensor === undefined ? 'is missing' : `has shape [${tensor.shape.join(', ')}]`}; expected is [${shape.join(', ')}]`,
      );
  }
  for (const path of given.keys())
    if (!expected.has(path))
      throw new RangeError(
        `${path} belongs to no part of the network; expected are ${[...expected.keys()].join(', ')}`,
      );
  checkLabels(network, problem, batch, timeSteps);
}

function checkLabels(
  { head }: Network,
  { labels, targets }: NetworkProblem,
  batch: number,
  timeSteps: number,
): void {
  if (labels === undefined) return;
  const rows = head?.on === 'steps' ? batch * timeSteps : batch;
  if (head?.loss !== 'softmax' || targets !== undefined)
    throw new RangeError(
      `labels are for a head with the loss softmax${head === undefined ? '; this network has none' : `; this one has ${head.loss}`}`,
    );
  if (labels.length !== rows)
    throw new RangeError(
      `labels has ${labels.length} entries; expected is ${rows}, one for each row of logits`,
    );
  const wrong = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= head.classes);
  if (wrong !== undefined)
    throw new RangeError(`label ${wrong} is no class index; expected are 0 to ${head.classes - 1}`);
}

/** Whether the problem asks for gradients. */
export function hasBackward({ labels, targets, upstream }: NetworkProblem): boolean {
  return labels !== undefined || targets !== undefined || upstream !== undefined;
}

/** The problem without what a backward pass begins with. */
export function forwardOnly({
  labels: _labels,
  targets: _targets,
  upstream: _upstream,
  ...rest
}: NetworkProblem): NetworkProblem {
  return rest;
}

/**
 * Whether a quantity's name is that of a gradient: `gradients.layer1.kernel`, or `layer1.dz[f]` where the cell of layer1 has a quantity
 * z. A quantity of the cell may itself begin with d, as delta does.
 */
export function isGradientName({ layers }: Network, name: string): boolean {
  if (name.startsWith('gradients.')) return true;
  const layer = layers.find((one) => name.startsWith(`${one.name}.`));
  const quantity = name.slice(name.lastIndexOf('.') + 1).split('[')[0];
  const isOwn = layer !== undefined && isRecurrent(layer) && layer.cell.axes.has(quantity);
  return quantity.startsWith('d') && !isOwn;
}
