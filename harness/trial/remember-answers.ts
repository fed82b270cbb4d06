import type { AnyProblem, Evaluation } from '../base/problem';
import { writeProblem } from '../sides/page/index';
import type { OpenSide } from '../sides/index';

/**
 * A side that is asked once about each problem: a trial plants hundreds of faults in the answers to a few problems, and a program elsewhere
 * takes its time for each of them. Every answer is a copy, which a planted fault may change.
 */
export function rememberAnswers(side: OpenSide): OpenSide {
  const known = new Map<string, Promise<Evaluation>>();
  const remembered =
    (ask: (problem: AnyProblem) => Evaluation | Promise<Evaluation>) =>
    async (problem: AnyProblem): Promise<Evaluation> => {
      const key = writeProblem({ ...problem, id: '' });
      const answer = known.get(key) ?? Promise.resolve(ask(problem));
      known.set(key, answer);
      try {
        return structuredClone(await answer);
      } catch (error) {
        // it is asked again the next time
        known.delete(key);
        throw error;
      }
    };
  const { implementation } = side;
  const { layered } = implementation;
  return {
    ...side,
    implementation: {
      ...implementation,
      evaluate: remembered((problem) => implementation.evaluate(problem as never)),
      ...(layered && {
        layered: { ...layered, evaluate: remembered((problem) => layered.evaluate(problem as never)) },
      }),
    },
  };
}
