import type { ExpectedShape, Tensor } from '../../../scratch/index';
import { UsageError } from '../../base/outcome';
import { simpleFields } from '../../base/problem-names';
import { tablesOf, withParts, type AnyProblem, type Evaluation, type Problem } from '../../base/problem';
import { checkVisible } from '../../base/visible-text';
import { readExpected, readParts } from './dotted';
import { fieldsOf, readLabels, readTensor } from './field';
import { readLayeredProblem } from './layered-case';
import { readTolerance } from './tolerance';

/** One case of a vectors file: a problem, numbers from elsewhere, and how far one may be from them. */
export interface VectorCase {
  readonly id: string;
  /** the file it came from */ readonly source: string;
  readonly problem: AnyProblem;
  /** any subset of an answer; what it holds is compared */ readonly expected: Evaluation;
  /** absolute tolerances that the file gives, on top of the implementation's own */
  readonly tolerance: ReadonlyMap<string, number>;
}

const weightNames = ['kernel', 'recurrentKernel', 'bias', 'outputKernel', 'outputBias'] as const;

/** Checks one case, from JSON or .npz, and turns it into tensors. `where` is `FILE: case "ID"`. */
export function readCase(value: unknown, id: string, source: string, where: string): VectorCase {
  checkVisible(id, `${source}: the id of a case`);
  const fields = fieldsOf(value, where, ['id', 'problem', 'expected', 'tolerance']);
  const problem = readProblem(fields.get('problem'), id, `${where}: problem`);
  return {
    ...{ id, source, problem },
    expected: readExpected(fields.get('expected'), problem, `${where}: expected`),
    tolerance: readTolerance(fields.get('tolerance'), problem, `${where}: tolerance`),
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
  const fields = fieldsOf(value, where, simpleFields);
  const inputs = readTensor(fields.get('inputs'), `${where}.inputs`, ['batch', 'timeSteps', 'features']);
  const [batch, , features] = inputs.shape;
  const weights = readWeights(fields.get('weights'), features, `${where}.weights`);
  const given = fields.get('labels');
  if (given !== undefined && weights.outputBias === undefined) {
    throw new UsageError(
      `${where} holds labels but weights has no outputKernel and outputBias; a loss needs the output layer, so add both (or leave the labels out).`,
    );
  }
  const classes = weights.outputBias?.shape[0] ?? 0;
  const labels = given === undefined ? undefined : readLabels(given, `${where}.labels`, batch, classes);
  const problem = { id, inputs, ...(labels && { labels }), weights };
  const parts = readParts(fields, tablesOf(problem).parts, where, 0);
  if (fields.get('upstream') !== undefined && !parts.some(([name]) => name.startsWith('upstream.'))) {
    throw new UsageError(
      `${where}.upstream is empty; give states, finalState or both, or leave upstream out.`,
    );
  }
  return withParts(problem, parts);
}

function readWeights(value: unknown, features: number, where: string): Problem['weights'] {
  const fields = fieldsOf(value, where, weightNames);
  const read = (name: (typeof weightNames)[number], shape: ExpectedShape): Tensor =>
    readTensor(fields.get(name), `${where}.${name}`, shape);
  const recurrentKernel = read('recurrentKernel', ['units', 'units']);
  const [units, columns] = recurrentKernel.shape;
  if (units !== columns) {
    throw new UsageError(
      `${where}.recurrentKernel has shape [${units}, ${columns}]; it must be square, one row and one column for each unit.`,
    );
  }
  const rnn = { kernel: read('kernel', [features, units]), recurrentKernel, bias: read('bias', [units]) };
  const output = weightNames.slice(3).filter((name) => fields.get(name) !== undefined);
  if (output.length === 0) return rnn;
  if (output.length === 1) {
    throw new UsageError(
      `${where} holds only ${output[0]} of the output layer; give outputKernel and outputBias, or neither.`,
    );
  }
  const outputKernel = read('outputKernel', [units, 'classes']);
  return { ...rnn, outputKernel, outputBias: read('outputBias', [outputKernel.shape[1]]) };
}
