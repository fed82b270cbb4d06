import { loadCandidate } from '../sides/candidate/index';
import { anySideSource, parseAnySides } from '../frameworks/index';
import { plainSideNames, sideSource, usesLibrary } from '../sides/index';
import type { FuzzSide } from './side-at-work';

export interface SideFlags {
  /** names separated by commas, each of which must run */ readonly backends?: string | undefined;
  /** of keras, torch and onnxruntime: the Python in which they are installed */ readonly python?:
    string | undefined;
  /** path of a module; it replaces the backends unless they are named */
  readonly candidate?: string | undefined;
  /** time limit of a candidate for each problem */ readonly timeoutSeconds?: number | undefined;
  /** NATIVE_REQUIRED=1: the sides in TensorFlow's library must run whenever backends run */ readonly requireNative?: boolean;
}

/** The sides that the flags ask for; by default all backends of this machine. */
export function sidesFor({
  backends,
  python,
  candidate,
  timeoutSeconds,
  requireNative = false,
}: SideFlags): FuzzSide[] {
  const own: FuzzSide[] = candidate === undefined ? [] : [candidateSide(candidate, timeoutSeconds)];
  if (backends !== undefined)
    return [
      ...parseAnySides(backends).map((backend) => ({
        source: anySideSource(backend, true, { python }),
        backend,
      })),
      ...own,
    ];
  if (candidate !== undefined) return own;
  return plainSideNames.map((backend) => ({
    source: sideSource(backend, requireNative && usesLibrary(backend)),
    backend,
  }));
}

function candidateSide(candidate: string, timeoutSeconds: number | undefined): FuzzSide {
  const open = async () => {
    const implementation = await loadCandidate(candidate, { timeoutSeconds });
    return { implementation, masks: implementation.masks, candidate: true };
  };
  return { source: { name: candidate, required: true, open }, candidate };
}
