import type { FuzzSide } from '../../../harness/fuzz/side-at-work';
import { scratchImplementation } from '../../../harness/sides/index';
import type { Implementation } from '../../../harness/base/problem';
import { plant, catalogue } from '../../../harness/faults/index';

/** A float64 side with one fault of the catalogue, or none. */
export function sideWith(called?: string): Implementation {
  const host: Implementation = { ...scratchImplementation(), name: 'mine' };
  if (called === undefined) return host;
  const fault = catalogue.find(({ name }) => name === called);
  if (fault === undefined) throw new Error(`there is no fault ${called}`);
  return plant(fault, host);
}

/** The same as `runFuzz` takes it. */
export function fuzzSide(implementation: Implementation, masks = true): FuzzSide {
  const { name } = implementation;
  return { source: { name, required: true, open: () => Promise.resolve({ implementation, masks }) } };
}
