import {
  zeros,
  type ActivationName,
  type LossName as NetworkLoss,
  type RecurrentConfig,
  type Tensor,
} from '../../scratch/index';
import { layeredTables, type ByLayer, type LayeredProblem } from '../base/layered';
import { evaluationOf, isLayered, type AnyProblem, type Evaluation } from '../base/problem';
import { memoize } from '../base/memoize';
import { directions, nameIn, type CellText, type ModelLayer } from '../base/model';
import { defineCell, type Cell } from './cell';
import { gru, gruResetAfter, lstm, simpleRnn } from './cells/index';
import { simpleRnnAsEquations } from './from-simple-rnn';
import type { LossName } from './losses/index';
import type { Head, Layer, ModelAsEquations, Upstream } from './network';

/**
 * A problem as equations, for every rule of the judge. The simple RNN is one layer `rnn`. One layer of a model is one of the equations,
 * or two and a merge for both directions. The last dense layer is the head; any other dense layer, and an embedding, is a cell that
 * carries nothing, an embedding over one-hot inputs.
 *
 * @throws RangeError for `goBackwards` with `returnSequences` under outputs of every time step, whose order the equations do not know
 */
export const equationsOf: (problem: AnyProblem) => ModelAsEquations = memoize((problem) =>
  isLayered(problem) ? makeEquations(problem) : simpleRnnAsEquations(problem),
);

function makeEquations(given: LayeredProblem): ModelAsEquations {
  const { model, upstream, labels, targets } = given;
  const { layers } = model;
  const builder = new Builder(given);
  const last = layers[layers.length - 1];
  const dense = last.layer === 'timeDistributed' ? last.wrapped : last;
  // gradients that arrive at the logits arrive at the output of a layer, so the dense layer is one; and without a loss its own are zero
  const hasLoss = labels !== undefined || targets !== undefined;
  const isHead =
    layers.length > 1 &&
    dense.layer === 'dense' &&
    (dense.activation ?? 'linear') === 'linear' &&
    upstream?.logits === undefined &&
    (hasLoss || upstream === undefined);
  layers.forEach((layer, i) => {
    if (!isHead || i < layers.length - 1) builder.add(layer, i);
  });
  return builder.finish(isHead);
}

const networkLosses: Readonly<Record<NetworkLoss, LossName>> = {
  softmaxCrossEntropy: 'softmax',
  sigmoidCrossEntropy: 'sigmoid',
  meanSquaredError: 'meanSquaredError',
};

/** Adds one layer after the other, and records which names their tensors have in the equations. */
class Builder {
  private readonly layers: Layer[] = [];
  private readonly weights: Record<string, Record<string, Tensor>> = {};
  private readonly initialStates: Record<string, Record<string, Tensor>> = {};
  private readonly upstream: Record<string, Upstream> = {};
  private readonly names = new Map<string, readonly string[]>();
  private readonly backwards = new Set<string>();
  /** the layer that the next one reads, whether it gives every step, and whether in reversed order */
  private below = { name: 'inputs', hasTime: true, flipped: false };

  constructor(private readonly given: LayeredProblem) {}

  add(layer: ModelLayer, i: number): void {
    const name = `layer${i + 1}`;
    const { hasTime, flipped } = this.below;
    const output = layeredTables(this.given).layers[i].output;
    switch (layer.layer) {
      case 'simpleRNN':
      case 'lstm':
      case 'gru': {
        const reversed = flipped !== (layer.goBackwards === true);
        this.recurrent(name, cellFor(layer), layer.units, reversed, (own) => own, i);
        this.below = { name, hasTime: output.hasTime, flipped: reversed };
        return;
      }
      case 'cell':
        this.recurrent(name, ownCell(layer.cell), layer.units, flipped, (own) => own, i);
        this.below = { name, hasTime: output.hasTime, flipped };
        return;
      case 'bidirectional': {
        const { wrapped, mergeMode = 'concat' } = layer;
        const of = directions.map((direction) => {
          const reversed = flipped !== (direction === 'backward');
          const called = (own: string): string => nameIn(direction, own);
          const part = `${name}${direction === 'forward' ? 'Forward' : 'Backward'}`;
          this.recurrent(part, cellFor(wrapped), wrapped.units, reversed, called, i);
          return part;
        });
        this.layers.push({ name, merge: mergeMode, of: [of[0], of[1]] });
        this.below = { name, hasTime: output.hasTime, flipped };
        return;
      }
      case 'timeDistributed':
        this.add(layer.wrapped, i);
        return;
      case 'dense':
        this.step(name, denseCell(layer.activation), layer.units, i);
        this.below = { name, hasTime, flipped };
        return;
      case 'embedding':
        this.step(name, embeddingCell(), layer.outputDim, i, { integers: true });
        this.below = { name, hasTime, flipped };
    }
  }

  finish(isHead: boolean): ModelAsEquations {
    const { model, inputs, labels, targets, upstream } = this.given;
    const mask = maskOf(this.given);
    const { name, hasTime, flipped } = this.below;
    const count = model.layers.length;
    if (hasTime && flipped)
      throw new RangeError(
        'a layer that goes backwards and returns sequences gives its outputs in reversed order, and the equations of the judge have no name for these; put a layer without returnSequences after it, or wrap it in a bidirectional layer',
      );
    const { width } = layeredTables(this.given).layers[count - 1].output;
    const head: Head = {
      classes: width,
      on: hasTime ? 'steps' : 'last',
      reads: name,
      ...(!isHead && { direct: true }),
      loss: networkLosses[model.loss ?? 'softmaxCrossEntropy'],
    };
    if (isHead) {
      const { kernel, bias = zeros(width) } = this.given.weights[count - 1];
      this.weights['head'] = { kernel, bias };
      for (const weight of Object.keys(this.given.weights[count - 1]))
        this.names.set(`gradients.weights.layer${count}.${weight}`, [`gradients.head.${weight}`]);
    } else if (upstream?.logits !== undefined) {
      const layer = this.layers[this.layers.length - 1];
      const output = 'cell' in layer ? layer.cell.carries[0] : 'output';
      this.addUpstream(
        name,
        hasTime ? { sequence: upstream.logits } : { final: { [output]: upstream.logits } },
      );
    }
    const [first] = model.layers;
    const integers = first.layer === 'embedding' ? first.inputDim : undefined;
    for (const same of ['logits', 'outputs', 'loss']) this.names.set(same, [same]);
    // integers have no gradient
    if (integers === undefined) this.names.set('gradients.inputs', ['gradients.inputs']);
    return {
      network: {
        features: integers ?? model.features ?? 0,
        layers: this.layers,
        head,
      },
      problem: {
        inputs: integers === undefined ? inputs : oneHot(inputs, integers),
        weights: this.weights,
        ...(Object.keys(this.initialStates).length > 0 && { initialStates: this.initialStates }),
        ...(mask && { mask }),
        ...(labels && { labels }),
        ...(targets && { targets }),
        ...(upstream && { upstream: this.upstream }),
      },
      names: this.names,
      backwards: this.backwards,
    };
  }

  private recurrent(
    name: string,
    cell: Cell,
    units: number,
    reversed: boolean,
    called: (own: string) => string,
    i: number,
  ): void {
    this.layers.push({ name, cell, units, reads: this.below.name, ...(reversed && { reversed }) });
    const { initialStates, upstream } = this.given;
    this.addWeights(name, cell, units, called, i);
    const own = `layer${i + 1}`;
    const output = `${own}.${called(cell.carries[0])}`;
    this.names.set(`sequences.${output}`, [`states.${name}`]);
    if (reversed) this.backwards.add(`sequences.${output}`);
    for (const carry of cell.carries) {
      this.names.set(`finalStates.${own}.${called(carry)}`, [`final.${name}.${carry}`]);
      this.names.set(`gradients.initialStates.${own}.${called(carry)}`, [
        `gradients.${name}.initial.${carry}`,
      ]);
    }
    const states = (from: ByLayer | undefined): Record<string, Tensor> =>
      Object.fromEntries(
        cell.carries.flatMap((carry) => {
          const tensor = from?.at(i)?.[called(carry)];
          return tensor === undefined ? [] : [[carry, tensor]];
        }),
      );
    this.initialStates[name] = states(initialStates);
    if (upstream?.finalStates !== undefined) this.addUpstream(name, { final: states(upstream.finalStates) });
    const sequence = upstream?.sequences?.at(i)?.[called(cell.carries[0])];
    if (sequence !== undefined) this.addUpstream(name, { sequence: reversed ? turned(sequence) : sequence });
  }

  /** The model's weights as the cell calls them: the two rows of a GRU's bias are two vectors, and an absent bias is zero. */
  private addWeights(
    name: string,
    cell: Cell,
    units: number,
    called: (own: string) => string,
    i: number,
  ): void {
    const given: Readonly<Record<string, Tensor | undefined>> = this.given.weights[i];
    const both = given[called('bias')];
    const isDouble = both?.shape.length === 2 && cell.weights['bias'].rows === undefined;
    const halves = isDouble
      ? new Map(rowsOf(both).map((row, k) => [['bias', 'recurrentBias'][k], row]))
      : undefined;
    this.weights[name] = {};
    for (const [weight, { columns }] of Object.entries(cell.weights)) {
      const half = halves?.get(weight);
      const own = half === undefined ? called(weight) : called('bias');
      const tensor = half ?? given[own];
      this.weights[name][weight] = tensor ?? zeros(columns.length * units);
      if (tensor === undefined) continue;
      const dotted = `gradients.weights.layer${i + 1}.${own}`;
      this.names.set(dotted, [...(this.names.get(dotted) ?? []), `gradients.${name}.${weight}`]);
    }
  }

  /** A layer that carries nothing from step to step. */
  private step(name: string, cell: Cell, units: number, i: number, also?: { readonly integers: true }): void {
    const { name: reads, hasTime, flipped } = this.below;
    const order = hasTime ? flipped && { reversed: true } : ({ on: 'last' } as const);
    this.layers.push({ name, cell, units, reads, unmasked: true, ...order, ...also });
    this.addWeights(name, cell, units, (own) => own, i);
  }

  private addUpstream(name: string, { sequence, final }: Upstream): void {
    const known = this.upstream[name] as Upstream | undefined;
    const isTwice =
      (sequence !== undefined && known?.sequence !== undefined) ||
      Object.keys(final ?? {}).some((carry) => known?.final?.[carry] !== undefined);
    if (isTwice)
      throw new RangeError(
        `upstream.logits and another gradient of upstream both arrive at the output of ${name}, which is that of the network; give their sum as upstream.logits`,
      );
    this.upstream[name] = {
      ...known,
      ...(sequence && { sequence }),
      ...(final && { final: { ...known?.final, ...final } }),
    };
  }
}

/** The formulas of a recurrent layer, with its activations. */
function cellFor(layer: RecurrentConfig): Cell {
  const activation = activationSymbols[layer.activation ?? 'tanh'];
  if (layer.layer === 'simpleRNN') return once(`simpleRNN ${activation}`, () => simpleRnn({ activation }));
  const recurrentActivation = activationSymbols[layer.recurrentActivation ?? 'sigmoid'];
  const make = layer.layer === 'lstm' ? lstm : (layer.resetAfter ?? true) ? gruResetAfter : gru;
  return once(`${make.name} ${activation} ${recurrentActivation}`, () =>
    make({ activation, recurrentActivation }),
  );
}

/** How the formulas call the activations of the layers. */
export const activationSymbols: Readonly<Record<ActivationName, string>> = {
  tanh: 'tanh',
  sigmoid: 'σ',
  hardSigmoid: 'hardSigmoid',
  hardSigmoidKeras3: 'hardSigmoid6',
  relu: 'relu',
  linear: 'linear',
};

function denseCell(activation: ActivationName = 'linear'): Cell {
  return once(`dense ${activation}`, () =>
    defineCell({
      name: 'dense',
      carries: ['h'],
      weights: { kernel: 'F, U', bias: 'U' },
      equations: `
        z_t = x_t · kernel + bias
        h_t = ${activationSymbols[activation]}(z_t)
      `,
    }),
  );
}

function embeddingCell(): Cell {
  return once('embedding', () =>
    defineCell({
      name: 'embedding',
      carries: ['h'],
      weights: { embeddings: 'F, U' },
      equations: 'h_t = x_t · embeddings',
    }),
  );
}

const known = new Map<string, Cell>();

/** Cells are derived once. */
function once(key: string, make: () => Cell): Cell {
  const cell = known.get(key) ?? make();
  known.set(key, cell);
  return cell;
}

const ownCell: (text: CellText) => Cell = memoize(defineCell);

/** Integers [B, T] as rows of the identity [B, T, classes]. */
function oneHot({ data, shape }: Tensor, classes: number): Tensor {
  const out = zeros(...shape, classes);
  data.forEach((integer, row) => (out.data[row * classes + integer] = 1));
  return out;
}

function rowsOf({ data, shape }: Tensor): Tensor[] {
  const [rows, columns] = shape;
  return Array.from({ length: rows }, (_, i) => ({
    data: data.slice(i * columns, (i + 1) * columns),
    shape: [columns],
  }));
}

/** [B, T] or [B, T, n] with the steps in the opposite order. */
export function turned({ data, shape }: Tensor): Tensor {
  const [batch, timeSteps, n = 1] = shape;
  const out = new Float64Array(data.length);
  for (let row = 0; row < batch * timeSteps; row++) {
    const t = row % timeSteps;
    out.set(data.subarray(row * n, (row + 1) * n), (row - t + timeSteps - 1 - t) * n);
  }
  return { data: out, shape };
}

/** Steps that are 1 in the mask and, with maskZero, no 0 for the embedding. */
function maskOf({ model, inputs, mask }: LayeredProblem): Tensor | undefined {
  const [first] = model.layers;
  if (first.layer !== 'embedding' || first.maskZero !== true) return mask;
  return {
    data: inputs.data.map((integer, i) => (integer === 0 ? 0 : (mask?.data[i] ?? 1))),
    shape: inputs.shape,
  };
}

/** The tensors of an outcome, by the dotted names of an answer to the model. */
export function answerOf(model: ModelAsEquations, outcome: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const [dotted, own] of model.names) {
    const parts = own.flatMap((name) => outcome.get(name) ?? []);
    if (parts.length === own.length) out.set(dotted, asAnswered(model, dotted, parts));
  }
  return out;
}

/** An outcome of the formulas under the names of a problem's answer. */
export function asEvaluation(source: AnyProblem, outcome: ReadonlyMap<string, Tensor>): Evaluation {
  return evaluationOf(answerOf(equationsOf(source), outcome));
}

/** Tensors of the outcome as the one of the answer: rows below each other, steps in the order of the walk. */
export function asAnswered(
  { backwards }: ModelAsEquations,
  dotted: string,
  parts: readonly Tensor[],
): Tensor {
  const [first] = parts;
  if (parts.length > 1)
    return {
      data: Float64Array.from(parts.flatMap(({ data }) => [...data])),
      shape: [parts.length, ...first.shape],
    };
  return backwards.has(dotted) ? turned(first) : first;
}

/** An answer to the model as one to its equations. */
export function asOutcome(
  { names, backwards }: ModelAsEquations,
  answer: (dotted: string) => Tensor | undefined,
): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  for (const [dotted, own] of names) {
    const tensor = answer(dotted);
    if (tensor === undefined) continue;
    if (own.length > 1) rowsOf(tensor).forEach((row, k) => out.set(own[k], row));
    else out.set(own[0], backwards.has(dotted) ? turned(tensor) : tensor);
  }
  return out;
}
