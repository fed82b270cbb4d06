import { isLayered } from '../../base/problem';
import type { Cases } from '../cases';
import { isSelected } from '../select';
import { extents, pageCases } from './cases';
import { parsePageSides, readWritten, usualSides, type PageSide } from '../../sides/page/index';

/** What a page is asked for: by the server that served it, or by the address behind `#`. */
export interface PageConfig {
  /** names of sides; default: the usual ones */ readonly sides?: readonly string[];
  readonly seed?: number;
  readonly only?: string;
  readonly extent?: keyof typeof extents;
  /** one problem instead of the suite, as `writeProblem` writes it */ readonly problem?: string;
  /** what else the command that runs one case again needs: `['--case', 'case.json']` */ readonly flags?: readonly string[];
  /** a fault of the catalogue to plant into every answer */ readonly plant?: string;
  /** takes the device away in the middle of the run: the harness tests itself */ readonly lose?: boolean;
  /** so many attempts of every side give no sign of life: the harness tests itself */ readonly hangs?: number;
  /** seconds that a side may be silent at least; default 300 */ readonly patience?: number;
  /** hands its report to the server that it came from */ readonly reports?: boolean;
  /** which run of the server it is: no report of another run is taken for it */ readonly run?: string;
  /** answers the server's problems instead of running the suite */ readonly answers?: boolean;
}

/** What the server and the address ask for; a single case of the address is shown, and not reported. */
export function configFor(served: PageConfig, hash: string): PageConfig {
  const own = configOfHash(hash);
  return Object.keys(own).length === 0 ? served : { ...served, ...own, reports: false };
}

/** What the address asks for: `#side=browser:webgl&seed=1&only=shape/3`. */
function configOfHash(hash: string): PageConfig {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const [side, seed, only, extent] = ['side', 'seed', 'only', 'extent'].map((key) => given.get(key));
  return {
    ...(side !== null && { sides: side.split(',') }),
    ...(seed !== null && /^\d{1,9}$/.test(seed) && { seed: Number(seed) }),
    ...(only !== null && only !== '' && { only }),
    ...(extent !== null && extent in extents && { extent: extent as keyof typeof extents }),
  };
}

/** @throws RangeError where a side is named that there is not */
export function sidesOf({ sides }: PageConfig): readonly PageSide[] {
  return sides === undefined ? usualSides : parsePageSides(sides.join(','));
}

/** What a page runs. */
export function casesOf({ seed = 1, only, extent = 'usual', problem }: PageConfig): Promise<Cases> {
  if (problem === undefined) return pageCases(seed, extents[extent], only);
  const one = readWritten(problem);
  const cases = { problems: [], layered: [], vectors: [], training: [] };
  if (!isSelected(one.id, only)) return Promise.resolve(cases);
  return Promise.resolve(isLayered(one) ? { ...cases, layered: [one] } : { ...cases, problems: [one] });
}
