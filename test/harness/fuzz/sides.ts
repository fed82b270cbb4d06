import type { FuzzSide } from '../../../harness/fuzz/side-at-work';
import { scratchImplementation } from '../../../harness/sides/index';
import type { Implementation } from '../../../harness/base/problem';
import { plant, specimens } from '../../../harness/faults/index';

/** A float64 side with one fault of the catalogue, or none. */
export function sideWith(fault?: string): Implementation {
  const host: Implementation = { ...scratchImplementation(), name: 'mine' };
  if (fault === undefined) return host;
  const specimen = specimens.find(({ name }) => name === fault);
  if (specimen === undefined) throw new Error(`there is no specimen ${fault}`);
  return plant(specimen, host);
}

/** The same as `runFuzz` takes it. */
export function fuzzSide(implementation: Implementation, masks = true): FuzzSide {
  const { name } = implementation;
  return { source: { name, required: true, open: () => Promise.resolve({ implementation, masks }) } };
}
