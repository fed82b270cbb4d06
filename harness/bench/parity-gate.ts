import { NetworkPlan, ScratchNetwork, sizeOf, type StackWeights, type Tensor } from '../../scratch/index';
import { firstExamples } from './data';
import { networkOf } from './size';
import { repeatExamples, type EngineProblem } from './process/engine';
import { decodeTensor, decodeWeights, type WireTensor } from '../base/process/index';
import type { Checked } from './process/protocol';

/** What the scratch network says about a problem; every engine must say the same before it is timed. */
export interface Reference {
  readonly problem: EngineProblem;
  readonly loss: number;
  /** by layer */ readonly gradients: StackWeights;
  /** [1, C] and [256, C] */
  readonly probabilities1: Tensor;
  readonly probabilities256: Tensor;
}

/** One compared tensor. */
export interface GateEntry {
  readonly name: string;
  /** greatest absolute difference from scratch */ readonly difference: number;
  /** what float32 may cost here */ readonly allowed: number;
}

/** The verdict on one engine at one size. */
export interface GateVerdict {
  readonly passed: boolean;
  readonly entries: readonly GateEntry[];
}

/** Runs the scratch network once over everything that engines are asked about. */
export function makeReference(problem: EngineProblem): Reference {
  const { features, batch } = problem.size;
  const model = new ScratchNetwork({ ...networkOf(problem.size), weights: problem.weights });
  const { inputs, labels } = firstExamples(problem, batch);
  const { loss, gradients } = model.lossAndGradients(inputs, labels);
  const [, timeSteps] = problem.inputs.shape;
  const probabilities = (count: number) =>
    model.predict({
      data: repeatExamples(problem, count),
      shape: [count, timeSteps, features],
    }).outputs;
  return {
    problem,
    loss,
    gradients: gradients.weights,
    probabilities1: probabilities(1),
    probabilities256: probabilities(256),
  };
}

/** Unit roundoff of float32. */
const roundoff = 2 ** -24;

/**
 * Compares an engine's answers with the reference. The gradients are read off the timed training step itself:
 * at learning rate 1, gradient = weights before - weights after, so what is checked is what is timed.
 *
 * Allowed difference: K roundings of a sum of K terms grow like sqrt(K) (Higham 2002, 2.6: statistical bound), with 8
 * for constants and for cancellation, relative to the greatest entry m of the tensor; and the rounding of the updated
 * weight w:   8 sqrt(K) u m + 2 u |w|,   u = 2^-24, K = T + F + U forward, B T + F + U backward, T and U once for each layer.
 * It stops engines that compute something else. The tight, derived budgets are the `parity` command's.
 *
 * @throws RangeError when the engine answered nothing to compare
 */
export function judgeEngine(reference: Reference, checked: Checked): GateVerdict {
  const entries: GateEntry[] = [];
  const refuse = (name: string): void => void entries.push({ name, difference: Infinity, allowed: 0 });
  const compare = (name: string, expected: Tensor, found: Tensor, terms: number, weight?: Tensor): void => {
    if (sizeOf(found.shape) !== expected.data.length) {
      refuse(name);
      return;
    }
    const difference = greatest(expected.data, (x, i) => x - found.data[i]);
    const ownRounding = weight === undefined ? 0 : 2 * roundoff * greatest(weight.data, (x) => x);
    const allowed = 8 * Math.sqrt(terms) * roundoff * greatest(expected.data, (x) => x) + ownRounding;
    entries.push({ name, difference, allowed });
  };
  const { size, weights } = reference.problem;
  const below = new NetworkPlan(networkOf(size), 'bench').layers.slice(0, -1);
  const widths = size.features + below.reduce((sum, { output }) => sum + output.width, 0);
  const forwardTerms = below.length * size.timeSteps + widths;
  const backwardTerms = below.length * size.batch * size.timeSteps + widths;
  const scores = (wire: WireTensor) => {
    const tensor = decodeTensor(wire);
    return checked.scores === 'logits' ? softmaxRows(tensor, size.classes) : tensor;
  };
  if (checked.forward1 !== undefined)
    compare('forward1', reference.probabilities1, scores(checked.forward1), forwardTerms);
  if (checked.forward256 !== undefined)
    compare('forward256', reference.probabilities256, scores(checked.forward256), forwardTerms);
  if (checked.loss !== undefined) {
    const found = { data: Float64Array.of(checked.loss), shape: [] };
    compare('loss', { data: Float64Array.of(reference.loss), shape: [] }, found, forwardTerms);
  }
  if (checked.weights !== undefined) {
    const after = decodeWeights(checked.weights);
    weights.forEach((layer, i) => {
      for (const name of Object.keys(layer)) {
        const called = `gradients.layer${i + 1}.${name}`;
        const mine = after.at(i)?.[name];
        if (mine?.data.length !== layer[name].data.length) refuse(called);
        else compare(called, reference.gradients[i][name], subtract(layer[name], mine), backwardTerms, mine);
      }
    });
  }
  if (entries.length === 0) {
    throw new RangeError(
      'judgeEngine: the engine answered nothing to compare; comparing nothing proves nothing.',
    );
  }
  return { passed: entries.every(({ difference, allowed }) => difference <= allowed), entries };
}

/** The worst offender, for one line of a message. */
export function describeVerdict({ entries }: GateVerdict): string {
  const excess = ({ difference, allowed }: GateEntry) =>
    Number.isNaN(difference) ? Infinity : difference / allowed;
  const worst = entries.reduce((record, entry) => (excess(entry) > excess(record) ? entry : record));
  return `${worst.name} differs from scratch by ${worst.difference.toPrecision(3)}, allowed ${worst.allowed.toPrecision(3)}`;
}

/** probabilities = exp(logits - max) / sum, row by row. */
function softmaxRows({ data, shape }: Tensor, classes: number): Tensor {
  const probabilities = new Float64Array(data.length);
  for (let row = 0; row < data.length; row += classes) {
    const logits = data.subarray(row, row + classes);
    const max = logits.reduce((record, x) => Math.max(record, x), -Infinity);
    const powers = logits.map((x) => Math.exp(x - max));
    const sum = powers.reduce((total, x) => total + x, 0);
    probabilities.set(
      powers.map((x) => x / sum),
      row,
    );
  }
  return { data: probabilities, shape };
}

function subtract(before: Tensor, after: Tensor): Tensor {
  return { data: before.data.map((x, i) => x - after.data[i]), shape: after.shape };
}

/** Greatest magnitude of apply(x, i); NaN when any is NaN. */
function greatest(data: Float64Array, apply: (x: number, i: number) => number): number {
  let record = 0;
  for (let i = 0; i < data.length; i++) {
    const magnitude = Math.abs(apply(data[i], i));
    if (!(magnitude <= record)) record = magnitude;
    if (Number.isNaN(record)) return NaN;
  }
  return record;
}
