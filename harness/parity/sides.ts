import {
  candidateImplementation,
  loadCandidate,
  type CandidateImplementation,
} from '../sides/candidate/index';
import { scratchImplementation, sideNames, usesLibrary, type OpenSide } from '../sides/index';
import type { ParityOptions } from './options';
import type { NamedSide } from './second-process';

/** The backends that a run uses. */
export function backendSides({
  backends,
  candidate,
  vectors,
  requireNative = false,
}: ParityOptions): NamedSide[] {
  if (backends !== undefined) return backends.map((name) => ({ name, required: true }));
  if (candidate !== undefined && vectors === undefined) return [];
  return sideNames.map((name) => ({ name, required: requireNative && usesLibrary(name) }));
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
