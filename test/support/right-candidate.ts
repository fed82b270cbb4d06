import type { CandidateAnswer, CandidateProblem } from '../../harness/sides/candidate/index';
import type { Problem } from '../../harness/base/problem';
import { replay, type Fault } from '../../harness/faults/index';
import { HandNetwork } from '../oracles/hand-network';
import { toTensor } from '../../scratch/index';

/**
 * A right answer to a plain problem, in tensors ({ data, shape }), the loss a number.
 *
 * @param fault for an answer that is wrong
 */
export function rightAnswer(plain: CandidateProblem, fault?: Fault): CandidateAnswer {
  const { weights, labels, upstream, initialState, mask } = plain;
  const w = weights as unknown as Record<string, number[]>;
  const problem: Problem = {
    id: 'plain',
    inputs: toTensor(plain.inputs, 'inputs'),
    ...(initialState && { initialState: toTensor(initialState, 'initialState') }),
    ...(mask && { mask: toTensor(mask, 'mask') }),
    ...(labels && { labels }),
    ...(upstream && {
      upstream: {
        ...(upstream.states && { states: toTensor(upstream.states, 'upstream.states') }),
        ...(upstream.finalState && { finalState: toTensor(upstream.finalState, 'upstream.finalState') }),
      },
    }),
    weights: Object.fromEntries(
      Object.keys(w).map((name) => [name, toTensor(w[name], name)]),
    ) as unknown as Problem['weights'],
  };
  const { loss, ...rest } = fault ? replay(fault, problem) : new HandNetwork(problem).evaluate();
  return { ...rest, ...(loss && { loss: loss.data[0] }) };
}
