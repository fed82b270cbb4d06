import { candidateImplementation, loadCandidate, type CandidateImplementation } from '../candidate/index';
import {
  scratchImplementation,
  sideNames,
  sideSource,
  type OpenSide,
  type SideName,
  type SideSource,
} from '../implementations/index';
import type { ParityOptions } from './options';

/** The backends that a run puts its cases to. */
export function backendSides({
  backends,
  candidate,
  vectors,
  requireNative = false,
}: ParityOptions): SideSource[] {
  if (backends !== undefined) return backends.map((name) => sideSource(name, true));
  if (candidate !== undefined && vectors === undefined) return [];
  const native = (name: SideName): boolean => name === 'tensorflow' || name === 'graph';
  return sideNames.map((name) => sideSource(name, requireNative && native(name)));
}

/** @throws UsageError when the module cannot be used */
export async function openCandidate(options: ParityOptions): Promise<CandidateImplementation | undefined> {
  const { candidate, timeoutSeconds } = options;
  if (candidate === undefined) return undefined;
  if (typeof candidate === 'string') return loadCandidate(candidate, { timeoutSeconds });
  return candidateImplementation(candidate, { timeoutSeconds });
}

/** The scratch network as a side of its own: it is held to numbers from elsewhere. */
export function scratchSide(): OpenSide {
  return { implementation: scratchImplementation() };
}
