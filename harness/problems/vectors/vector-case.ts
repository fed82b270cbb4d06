import type { Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import {
  evaluationOf,
  expectedNames,
  expectedShape,
  isLayered,
  tensorNames,
  type AnyProblem,
  type Evaluation,
  type Problem,
  type ProblemWeights,
  type TensorName,
} from '../../base/problem';
import { fieldsOf, readLabels, readMask, readNumber, readTensor, type Fields } from './field';
import { toleranceOf } from './tolerance';
import { readLayeredExpected, readLayeredProblem, readLayeredTolerance } from './layered-case';

/** One case of a vectors file: a problem, numbers from elsewhere, and how far one may be from them. */
export interface VectorCase {
  readonly id: string;
  /** the file it came from */ readonly source: string;
  readonly problem: AnyProblem;
  /** any subset of an answer; what it holds is compared */ readonly expected: Evaluation;
  /** absolute tolerances that the file gives, on top of the implementation's own */
  readonly tolerance: ReadonlyMap<string, number>;
}

const gradientNames = [
  'kernel',
  'recurrentKernel',
  'bias',
  'outputKernel',
  'outputBias',
  'inputs',
  'initialState',
] as const;
const weightNames = ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const;

/** Checks one case, from JSON or .npz, and turns it into tensors. `where` is `FILE: case "ID"`. */
export function readCase(value: unknown, id: string, source: string, where: string): VectorCase {
  const fields = fieldsOf(value, where, ['id', 'problem', 'expected', 'tolerance']);
  const problem = readProblem(fields.get('problem'), id, `${where}: problem`);
  const expected = [fields.get('expected'), `${where}: expected`] as const;
  const tolerance = [fields.get('tolerance'), `${where}: tolerance`] as const;
  return isLayered(problem)
    ? {
        ...{ id, source, problem },
        expected: readLayeredExpected(expected[0], problem, expected[1]),
        tolerance: readLayeredTolerance(tolerance[0], problem, tolerance[1]),
      }
    : {
        ...{ id, source, problem },
        expected: readExpected(expected[0], problem, expected[1]),
        tolerance: readTolerance(...tolerance),
      };
}

/** Checks the fields of a problem: every size against every other. With `model` it is about a network of layers. */
export function readProblem(value: unknown, id: string, where: string): AnyProblem {
  const hasModel =
    value instanceof Map
      ? value.has('model')
      : typeof value === 'object' && value !== null && Object.hasOwn(value, 'model');
  return hasModel ? readLayeredProblem(value, id, where) : readSimpleProblem(value, id, where);
}

function readSimpleProblem(value: unknown, id: string, where: string): Problem {
  const fields = fieldsOf(value, where, ['inputs', 'initialState', 'labels', 'upstream', 'mask', 'weights']);
  const inputs = readTensor(fields.get('inputs'), `${where}.inputs`, ['batch', 'timeSteps', 'features']);
  const [batch, timeSteps, features] = inputs.shape;
  const weights = readWeights(fields.get('weights'), features, `${where}.weights`);
  const units = weights.bias.shape[0];
  const labels = fields.get('labels');
  if (labels !== undefined && weights.outputBias === undefined) {
    throw new UsageError(
      `${where} holds labels but weights has no outputKernel and outputBias; a loss needs the output layer, so add both (or leave the labels out).`,
    );
  }
  const initialState = fields.get('initialState');
  const mask = fields.get('mask');
  return {
    id,
    inputs,
    ...(initialState !== undefined && {
      initialState: readTensor(initialState, `${where}.initialState`, [batch, units]),
    }),
    ...(mask !== undefined && { mask: readMask(mask, `${where}.mask`, batch, timeSteps) }),
    ...(labels !== undefined && {
      labels: readLabels(labels, `${where}.labels`, batch, weights.outputBias?.shape[0] ?? 0),
    }),
    ...readUpstream(fields, where, [batch, timeSteps, units]),
    weights,
  };
}

function readWeights(value: unknown, features: number, where: string): ProblemWeights {
  const fields = fieldsOf(value, where, weightNames);
  const recurrentKernel = readTensor(fields.get('recurrentKernel'), `${where}.recurrentKernel`, [
    'units',
    'units',
  ]);
  const [units, columns] = recurrentKernel.shape;
  if (units !== columns) {
    throw new UsageError(
      `${where}.recurrentKernel has shape [${units}, ${columns}]; it must be square, one row and one column for each unit.`,
    );
  }
  const rnn = {
    kernel: readTensor(fields.get('kernel'), `${where}.kernel`, [features, units]),
    recurrentKernel,
    bias: readTensor(fields.get('bias'), `${where}.bias`, [units]),
  };
  const outputKernel = fields.get('outputKernel');
  const outputBias = fields.get('outputBias');
  if (outputKernel === undefined && outputBias === undefined) return rnn;
  if (outputKernel === undefined || outputBias === undefined) {
    throw new UsageError(
      `${where} holds only ${outputKernel === undefined ? 'outputBias' : 'outputKernel'} of the output layer; give outputKernel and outputBias, or neither.`,
    );
  }
  const output = readTensor(outputKernel, `${where}.outputKernel`, [units, 'classes']);
  return {
    ...rnn,
    outputKernel: output,
    outputBias: readTensor(outputBias, `${where}.outputBias`, [output.shape[1]]),
  };
}

function readUpstream(
  problem: Fields,
  where: string,
  [batch, timeSteps, units]: readonly [number, number, number],
): Pick<Problem, 'upstream'> {
  const value = problem.get('upstream');
  if (value === undefined) return {};
  const fields = fieldsOf(value, `${where}.upstream`, ['states', 'finalState']);
  const states = fields.get('states');
  const finalState = fields.get('finalState');
  if (states === undefined && finalState === undefined) {
    throw new UsageError(
      `${where}.upstream is empty; give states, finalState or both, or leave upstream out.`,
    );
  }
  return {
    upstream: {
      ...(states !== undefined && {
        states: readTensor(states, `${where}.upstream.states`, [batch, timeSteps, units]),
      }),
      ...(finalState !== undefined && {
        finalState: readTensor(finalState, `${where}.upstream.finalState`, [batch, units]),
      }),
    },
  };
}

function readExpected(value: unknown, problem: Problem, where: string): Evaluation {
  const fields = fieldsOf(value, where, [
    'states',
    'finalState',
    'logits',
    'probabilities',
    'loss',
    'gradients',
  ]);
  const gradients = fields.get('gradients');
  const gradientFields =
    gradients === undefined
      ? (new Map() as Fields)
      : fieldsOf(gradients, `${where}.gradients`, gradientNames);
  const known = expectedNames(problem);
  const found = new Map<TensorName, Tensor>();
  for (const name of tensorNames) {
    const path = name.split('.');
    const item = path.length === 1 ? fields.get(name) : gradientFields.get(path[1]);
    if (item === undefined) continue;
    if (!known.includes(name)) throw new UsageError(`${where}.${name} ${whyNot(name)}`);
    found.set(name, readExpectedTensor(name, item, problem, where));
  }
  if (found.size === 0) {
    throw new UsageError(
      `${where} holds no tensor; give at least one of ${known.join(', ')}, else nothing is compared.`,
    );
  }
  return evaluationOf(found);
}

function readExpectedTensor(name: TensorName, value: unknown, problem: Problem, where: string): Tensor {
  if (name === 'loss') return { data: Float64Array.of(readNumber(value, `${where}.loss`)), shape: [] };
  return readTensor(value, `${where}.${name}`, expectedShape(problem, name));
}

function whyNot(name: TensorName): string {
  if (name === 'logits' || name === 'probabilities')
    return 'is expected, but problem.weights has no output layer; add outputKernel and outputBias.';
  if (name === 'loss' || name.startsWith('gradients.output'))
    return 'is expected, but the problem has no labels; add problem.labels.';
  return 'is expected, but the problem has neither labels nor upstream; add one of them, so that there is a gradient.';
}

function readTolerance(value: unknown, where: string): Map<string, number> {
  if (value === undefined) return new Map();
  const fields = fieldsOf(value, where, [...tensorNames, ...gradientNames, 'gradients']);
  const entries = [...fields].flatMap(([key, item]) =>
    key === 'gradients' && typeof item === 'object' && item !== null
      ? [...fieldsOf(item, `${where}.gradients`, gradientNames)]
      : [[key, item] as const],
  );
  return toleranceOf(
    entries.map(([name, given]) => [name, given, namesFor(name)]),
    where,
  );
}

/** `kernel` and `gradients.kernel` mean the same; `gradients` means all of them. */
export function namesFor(name: string): TensorName[] {
  if (name === 'gradients') return tensorNames.filter((full) => full.startsWith('gradients.'));
  return tensorNames.filter((full) => full === name || full === `gradients.${name}`);
}
