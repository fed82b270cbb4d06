import { toTensor } from '../../scratch/index';
import type { Problem } from '../base/problem';
import type { VectorCase } from './vectors/index';

const hundredths = (rows: readonly (readonly number[])[]): number[][] =>
  rows.map((row) => row.map((x) => x / 100));

/**
 * The notebook's example: one sequence of three steps, two features, four units, no initial state.
 * Divided by 100 here as there, so that the float64 numbers are the same.
 */
export function notebookProblem(): Problem {
  const inputs = [
    [1, 2],
    [2, 3],
    [3, 4],
  ];
  const kernel = [
    [1, 3, 5, 7],
    [3, 5, 7, 8],
  ];
  const recurrentKernel = [
    [1, 3, 5, 7],
    [2, 4, 6, 8],
    [3, 5, 7, 8],
    [4, 6, 8, 10],
  ];
  return {
    id: 'notebook/example',
    inputs: toTensor([hundredths(inputs)], 'notebook: x'),
    weights: {
      kernel: toTensor(hundredths(kernel), 'notebook: w_x'),
      recurrentKernel: toTensor(hundredths(recurrentKernel), 'notebook: w_h'),
      bias: toTensor([1, 1, 1, 1], 'notebook: b'),
    },
    // The notebook's backward(dh) takes the gradient of the final state; these are asymmetric ones to compare with.
    upstream: { finalState: toTensor([[0.5, -1, 0.25, 2]], 'notebook: dh') },
  };
}

/** The final state that the notebook prints (its "Actual calculated output"), held to 1e-8. */
export function notebookVectors(): VectorCase {
  return {
    id: 'notebook/printed',
    source: 'the notebook',
    problem: { ...notebookProblem(), id: 'notebook/printed' },
    expected: {
      finalState: toTensor(
        [[0.7949422790422093, 0.8183900239382846, 0.8393964886275626, 0.8558417381114936]],
        'notebook: h',
      ),
    },
    tolerance: new Map([['finalState', 1e-8]]),
  };
}
