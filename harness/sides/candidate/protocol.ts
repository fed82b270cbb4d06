import type { ReadAnswer } from './answer';
import type { CandidateDeclaration } from './check';
import type { CandidateLayersProblem, CandidateProblem } from './define';

/** What the run says to the candidate's process. */
export type ToCandidate =
  | { readonly type: 'load'; readonly file: string }
  | { readonly type: 'evaluate'; readonly problem: CandidateProblem | CandidateLayersProblem };

/** What the candidate's process answers: one message for each it got. */
export type FromCandidate =
  | { readonly type: 'loaded'; readonly declaration: CandidateDeclaration }
  | { readonly type: 'refused'; readonly message: string; readonly stack: string }
  | { readonly type: 'answer'; readonly answer: ReadAnswer }
  | { readonly type: 'threw'; readonly message: string; readonly stack: string };
