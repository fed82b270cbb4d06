import type { ReadAnswer } from './answer';
import type { CandidateDeclaration } from './check';
import type { CandidateLayersProblem, CandidateProblem } from './define';

/** What each operation of the candidate's process takes and gives. */
export interface CandidateOperations {
  load: { request: { readonly file: string }; result: CandidateDeclaration };
  evaluate: {
    request: { readonly problem: CandidateProblem | CandidateLayersProblem };
    result: ReadAnswer;
  };
}
