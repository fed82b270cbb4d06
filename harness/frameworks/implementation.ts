import type { FrameworkName } from '../base/framework-names';
import { CandidateError, ProblemRefusedError } from '../base/side-errors';
import { UsageError } from '../base/outcome';
import {
  isIn,
  tensorNames,
  type Implementation,
  type LayeredEvaluation,
  type LayeredProblem,
} from '../base/problem';
import { FrameworkRefusal, type Framework } from '../sides/frameworks/index';
import { ownCellRefused } from '../sides/index';
import { answerOf } from './answer';
import { questionOf } from './question';
import { asLayers, asSimple } from './simple-rnn';

/**
 * A program in a Python of the user as an implementation: float32, in an unknown form. Every problem is built of the framework's own
 * layers. What it does not have is a ProblemRefusedError.
 */
export function frameworkImplementation(
  name: FrameworkName,
  framework: Pick<Framework, 'run' | 'stop'>,
): Implementation {
  const isForwardOnly = name === 'onnxruntime';
  const lacking = isForwardOnly ? ['loss', 'gradients'] : [];
  const evaluate = async (problem: LayeredProblem): Promise<LayeredEvaluation> => {
    try {
      return answerOf(problem, await framework.run(questionOf(problem, name)));
    } catch (error) {
      if (error instanceof UsageError) throw new ProblemRefusedError(error.message, { cause: error });
      if (!(error instanceof FrameworkRefusal)) throw error;
      // the same reason is counted once, whichever layer it is
      if (error.refused)
        throw new ProblemRefusedError(error.message.replace(/^layer\d+: /, ''), { cause: error });
      if (error.gone) throw new CandidateError(`${name}: ${error.message}`, true);
      throw new Error(`${name} failed: ${error.message}`, { cause: error });
    }
  };
  return {
    name,
    precision: 'float32',
    omits: tensorNames.filter((one) => isIn(one, lacking)),
    evaluate: async (problem) => asSimple(problem, await evaluate(asLayers(problem))),
    // of a bidirectional layer that gives final states, or merges its directions, no steps are seen
    layered: { omits: ['sequences', ...lacking], refuses: ownCellRefused, evaluate },
    dispose: () => void framework.stop(),
  };
}
