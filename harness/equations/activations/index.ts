import type { Activation } from './activation';
import { hardSigmoid, hardSigmoidOfKeras3, linear, relu } from './piecewise';
import { sigmoid } from './sigmoid';
import { tanh } from './tanh';

export type { Activation } from './activation';

/** Every function that a formula can call. */
export const activations: readonly Activation[] = [
  tanh,
  sigmoid,
  hardSigmoid,
  hardSigmoidOfKeras3,
  relu,
  linear,
];

/** The function of that name, in any spelling; undefined when it does not exist. */
export function findActivation(name: string): Activation | undefined {
  return activations.find(({ symbol, spellings }) => symbol === name || spellings.includes(name));
}

export function activationOf(name: string): Activation {
  const found = findActivation(name);
  if (found === undefined) throw new Error(`there is no function ${name}`);
  return found;
}
