import type { Cell } from '../cell';
import { gru, gruResetAfter } from './gru';
import { lstm } from './lstm';
import { simpleRnn } from './simple-rnn';

export { gru, gruResetAfter } from './gru';
export { lstm } from './lstm';
export { simpleRnn } from './simple-rnn';

/** The cells that come with the library, by the name that the command line knows them by. */
export const cells: Readonly<Record<string, () => Cell>> = {
  'simple-rnn': () => simpleRnn(),
  lstm: () => lstm(),
  gru: () => gru(),
  'gru-reset-after': () => gruResetAfter(),
};
