import type { RecurrentConfig } from '../../../scratch/index';
import type { Cell } from './cell';
import { gruCell, gruResetAfterCell } from './gru';
import { lstmCell } from './lstm';
import { simpleRnnCell } from './simple-rnn';

export { activationOf, type Activated, type Activation } from './activations';
export type { Cell, CellAtWork, CellTools, CellWeights, Kept, State, StepGradients } from './cell';
export { gateProducts } from './gate-weights';

/** The cell of a recurrent layer. */
export function cellOf(config: RecurrentConfig): Cell {
  switch (config.layer) {
    case 'simpleRNN':
      return simpleRnnCell;
    case 'lstm':
      return lstmCell;
    case 'gru':
      return config.resetAfter === false ? gruCell : gruResetAfterCell;
  }
}
