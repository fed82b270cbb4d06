import type { Fault } from './fault';
import { faultIn, formula, outcomeName, type Way } from './faulty';

const biasAxis = faultIn('bias-axis', 'backward');
const memory = faultIn('memory', 'backward');

/** dBias [B]: of every example the sum over steps and units */
const overUnits: Way = (given) => {
  const { batch, layer } = given;
  const seen = new Map<number, Float64Array>();
  return {
    observe: ({ name, t = 0 }, block) => {
      if (name === 'dz') seen.set(t, block.value);
      return block;
    },
    finish: (outcome) => {
      const name = outcomeName('bias', given);
      const own = outcome.get(name);
      if (own === undefined) return outcome;
      const sums = new Float64Array(batch);
      for (const dz of seen.values()) dz.forEach((x, i) => (sums[Math.floor(i / layer.units)] += x));
      const block = { ...own.blocks[0], value: sums, columns: batch };
      return new Map([...outcome, [name, { shape: [batch], blocks: [block] }]]);
    },
  };
};

/** Faults of the sums over time and batch that the gradients of the weights are. */
export const sumFaults: readonly Fault[] = [
  biasAxis(
    'sums/bias-gradient-of-first-example',
    'the bias gradient is not summed over the batch: only the first example counts',
    formula({ bias: 'first_t ∘ dz_t' }, undefined, { first: (_, b) => Number(b === 0) }),
  ),
  biasAxis(
    'sums/bias-gradient-over-wrong-axis',
    'the bias gradient is summed over the units instead of the examples',
    overUnits,
  ),
  memory(
    'sums/kernel-gradient-of-last-example',
    'each example overwrites the gradient of the kernel instead of adding to it',
    formula({ kernel: 'x_t; last_t ∘ dz_t' }, undefined, { last: ({ batch }, b) => Number(b === batch - 1) }),
  ),
];
