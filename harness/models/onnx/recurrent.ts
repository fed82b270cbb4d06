import type { ActivationName, RecurrentConfig } from '../../../scratch/index';
import type { StoredTensor } from '../assemble';
import type { Source } from '../description';
import { countOf } from '../elements';
import { biasOfTwo, gateOrders, gatesToKeras, onnxActivations } from '../gates';
import { checkFractions, unify, type Step } from './step';
import type { Constant } from './tensors';
import { inWords, type Axis, type Pile, type Recurrent, type Signal, type Value } from './values';

const cells = { RNN: 'simpleRNN', LSTM: 'lstm', GRU: 'gru' } as const;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/**
 * X [T, B, F] (or [B, T, F] with layout 1), W [D, gates·U, F], R [D, gates·U, U], B [D, 2·gates·U] -> Y [T, D, B, U], Y_h and Y_c
 * [D, B, U]; D is 1, or 2 of a bidirectional operation.
 */
export function readRecurrent(step: Step): Value[] {
  const { node, graph } = step;
  const cell = cells[node.op_type as keyof typeof cells];
  const directionText = textOf(step.attribute('direction')?.s ?? new Uint8Array(0)) || 'forward';
  if (!['forward', 'reverse', 'bidirectional'].includes(directionText))
    throw step.refuse(`has the direction ${directionText}`);
  const isBatchFirst = step.number('layout', 0) === 1;
  if (step.attribute('clip') !== undefined) throw step.refuse('has a clip');
  if (step.number('input_forget', 0) !== 0) throw step.refuse('has input_forget, coupled gates');
  const directions = directionText === 'bidirectional' ? 2 : 1;
  const order = gateOrders.onnx[cell];
  const [W, R] = [step.constant(1, 'W'), step.constant(2, 'R')];
  const [, rows = 0, features = 0] = W.shape;
  const units = rows / order.length;
  const isFit =
    W.shape.length === 3 &&
    W.shape[0] === directions &&
    units >= 1 &&
    Number.isInteger(units) &&
    R.shape.join() === [directions, rows, units].join();
  if (!isFit || step.number('hidden_size', units) !== units)
    throw step.refuse(
      `has W [${W.shape.join(', ')}] and R [${R.shape.join(', ')}], which do not fit ${directions} directions`,
    );
  const B = step.input(3) === undefined ? undefined : step.constant(3, 'B');
  if (B !== undefined && B.shape.join() !== [directions, 2 * rows].join())
    throw step.refuse(`has B [${B.shape.join(', ')}], expected was [${directions}, ${2 * rows}]`);
  if (cell === 'lstm' && step.input(7) !== undefined && !isZero(step.input(7)))
    throw step.refuse('has peepholes (P)');

  const x = step.signal(0, 'X');
  const [time, batch]: Axis[] = isBatchFirst ? [x.axes[1], x.axes[0]] : [x.axes[0], x.axes[1]];
  unify(x.axes, isBatchFirst ? ['batch', 'time', 'features'] : ['time', 'batch', 'features'], step);
  if (x.flipped === true) throw step.refuse('reads steps in the opposite order');
  checkFractions(x, step);
  const width = x.axes[2].size;
  if (width !== null && width !== features) throw step.refuse(`reads ${width} features, W has ${features}`);
  x.axes[2].size = features;
  checkLengths(step, time);

  const isTwo = cell === 'gru' && step.number('linear_before_reset', 0) !== 0;
  const part = (of: Constant, d: number, shape: number[], from = 0): StoredTensor => {
    const start = (d * of.data.length) / directions + from;
    const data = of.data.slice(start, start + countOf(shape));
    return gatesToKeras({ data, shape, stored: of.stored }, order);
  };
  const weights = Array.from({ length: directions }, (_, d): Record<string, StoredTensor> => ({
    kernel: part(W, d, [rows, features]),
    recurrentKernel: part(R, d, [rows, units]),
    ...(B && { bias: biasOfTwo(part(B, d, [rows]), part(B, d, [rows], rows), isTwo) }),
  }));
  const initialStates = initialOf(step, cell === 'lstm' ? 2 : 1, directions, isBatchFirst);
  const recurrent: Recurrent = graph.add({
    name: step.name,
    kind: node.op_type,
    config: {
      ...configOf(step, cell, directions, units, B !== undefined, isTwo),
      ...(directionText === 'reverse' && { goBackwards: true }),
    },
    weights,
    reads: graph.sourceOf(x.from),
    ...(initialStates && { initialStates }),
    asked: new Set<string>(),
  });
  const unitsAxis: Axis = { role: 'features', size: units };
  const pile = (what: 'all' | 'h' | 'c', axes: Axis[], at: number): Pile => ({
    kind: 'pile',
    at,
    parts: Array.from({ length: directions }, (_, direction): Signal => ({
      kind: 'signal',
      from: { recurrent, what, direction },
      axes,
      ...(what === 'all' && directionText === 'reverse' && { flipped: true }),
    })),
  });
  // layout 1 puts the batch first everywhere: Y [B, T, D, U], Y_h [B, D, U]
  return [
    isBatchFirst ? pile('all', [batch, time, unitsAxis], 2) : pile('all', [time, batch, unitsAxis], 1),
    ...(['h', 'c'] as const).map((what) => pile(what, [batch, unitsAxis], isBatchFirst ? 1 : 0)),
  ];
}

const isZero = (value: Value | undefined): boolean =>
  value?.kind === 'zeros' || (value?.kind === 'constant' && value.data.every((x) => x === 0));

/** Lengths of sequences are read where all are whole. */
function checkLengths(step: Step, time: Axis): void {
  const lengths = step.input(4);
  if (lengths === undefined) return;
  const isWhole =
    (lengths.kind === 'constant' && lengths.data.every((n) => n === time.size)) ||
    (lengths.kind === 'sizes' && lengths.items.every((n) => n === time));
  if (!isWhole)
    throw step.refuse(
      'has sequence_lens, lengths that come with the inputs; export the model for sequences without padding',
    );
}

function initialOf(
  step: Step,
  states: number,
  directions: number,
  isBatchFirst: boolean,
): Source[] | undefined {
  const given = Array.from({ length: states }, (_, k) => step.input(5 + k));
  if (given.every((value) => value === undefined || isZero(value))) return undefined;
  const byState = given.map((value, k) => {
    const what = k === 0 ? 'initial_h' : 'initial_c';
    if (value?.kind !== 'pile' || value.parts.length !== directions || value.at !== (isBatchFirst ? 1 : 0))
      throw step.refuse(
        `has ${inWords(value)} as ${what}, where zeros or states [${directions}, B, U] were expected`,
      );
    return value.parts.map((part) => {
      unify(part.axes, ['batch', 'features'], step);
      checkFractions(part, step);
      return step.graph.sourceOf(part.from);
    });
  });
  return Array.from({ length: directions }, (_, d) => byState.map((parts) => parts[d])).flat();
}

function configOf(
  step: Step,
  cell: RecurrentConfig['layer'],
  directions: number,
  units: number,
  useBias: boolean,
  resetAfter: boolean,
): RecurrentConfig {
  const presets = {
    simpleRNN: ['Tanh'],
    lstm: ['Sigmoid', 'Tanh', 'Tanh'],
    gru: ['Sigmoid', 'Tanh'],
  } as const;
  const given = step.attribute('activations')?.strings.map(textOf) ?? [];
  const count = presets[cell].length;
  const all = given.length > 0 ? given : Array.from({ length: directions }, () => presets[cell]).flat();
  if (all.length !== count * directions)
    throw step.refuse(`has ${all.length} activations, expected were ${count * directions}`);
  const alphas = [...(step.attribute('activation_alpha')?.floats ?? [])];
  const betas = [...(step.attribute('activation_beta')?.floats ?? [])];
  const names = all.map((name): ActivationName => {
    const has = ['hardsigmoid', 'affine'].includes(name.toLowerCase());
    return activationNamed(name, has ? alphas.shift() : undefined, has ? betas.shift() : undefined, step);
  });
  const one = names.slice(0, count);
  if (directions === 2 && names.slice(count).join() !== one.join())
    throw step.refuse(`has other activations in the second direction (${all.join(', ')})`);
  if (cell === 'simpleRNN') return { layer: cell, units, useBias, activation: one[0] };
  const [recurrentActivation, activation] = one;
  if (cell === 'gru') return { layer: cell, units, useBias, activation, recurrentActivation, resetAfter };
  if (one[2] !== activation)
    throw step.refuse(`has different activations of the candidate and of the cell state (${all.join(', ')})`);
  return { layer: cell, units, useBias, activation, recurrentActivation };
}

/** ONNX's functions in our words; HardSigmoid is one of two, by its slope. */
export function activationNamed(
  name: string,
  alpha: number | undefined,
  beta: number | undefined,
  step: Step,
): ActivationName {
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;
  const found = Object.entries(onnxActivations).find(([, known]) => {
    if (known.name.toLowerCase() !== name.toLowerCase()) return false;
    if (known.alpha === undefined || known.beta === undefined) return true;
    const [a, b] = known.name === 'Affine' ? [alpha ?? 1, beta ?? 0] : [alpha ?? 0.2, beta ?? 0.5];
    return isNear(a, known.alpha) && isNear(b, known.beta);
  });
  if (found === undefined)
    throw step.refuse(
      `has the activation ${name}${alpha === undefined ? '' : ` (alpha ${alpha}, beta ${beta ?? 'not given'})`}; read are Tanh, Sigmoid, Relu, HardSigmoid of Keras 2 and 3, Affine as identity`,
    );
  return found[0] as ActivationName;
}
