import { extents } from './cases';
import { parsePageSides, usualSides, type PageSide } from '../../sides/page/index';

/** What a page is asked for: by the server that served it, or by the address behind `#`. */
export interface PageConfig {
  /** names of sides; default: the usual ones */ readonly sides?: readonly string[];
  readonly seed?: number;
  readonly only?: string;
  readonly extent?: keyof typeof extents;
  /** a fault of the catalogue to plant into every answer */ readonly plant?: string;
  /** takes the device away in the middle of the run: the harness tests itself */ readonly lose?: boolean;
  /** hands its report to the server that it came from */ readonly reports?: boolean;
  /** answers the server's problems instead of running the suite */ readonly answers?: boolean;
}

/** What the address asks for: `#side=browser:webgl&seed=1&only=shape/3`. */
export function configOfHash(hash: string): PageConfig {
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
