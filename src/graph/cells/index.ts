import type { RecurrentConfig } from '../../../scratch/index';
import { activations } from './activations';
import type { Cell } from './cell';
import { gruCell, gruResetAfterCell } from './gru';
import { lstmCell } from './lstm';
import { lstmBlockCell } from './lstm-block';
import { simpleRnnCell } from './simple-rnn';

/** The cell of a layer; the description has been checked. */
export function cellOf(config: RecurrentConfig): Cell {
  const φ = activations[config.activation ?? 'tanh'];
  if (config.layer === 'simpleRNN') return simpleRnnCell(φ);
  const σ = activations[config.recurrentActivation ?? 'sigmoid'];
  if (config.layer === 'lstm') {
    return φ === activations.tanh && σ === activations.sigmoid ? lstmBlockCell : lstmCell(φ, σ);
  }
  return (config.resetAfter ?? true) ? gruResetAfterCell(φ, σ) : gruCell(φ, σ);
}

export { activations } from './activations';
export * from './cell';
