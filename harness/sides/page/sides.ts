import type { BrowserBackendName } from '../../../src/browser/index';
import type { Model } from '../../base/model';
import { ownCellRefused } from '../by-model';

/** One row of the page: a backend with its flags, and whose layers run on it. */
export interface PageSide {
  /** `browser:webgl`, `browser:webgl:as-is` */ readonly name: string;
  readonly backend: BrowserBackendName;
  /** TensorFlow.js's layers as they are, without the twin's ways around known defects */ readonly asIs: boolean;
  readonly flags: Readonly<Record<string, boolean | number>>;
}

/** On a graphics card tfjs runs small operations on the processor instead ("forwarding"), which hides what the card computes. */
const forwarding = { webgl: 'WEBGL_CPU_FORWARD', webgpu: 'WEBGPU_CPU_FORWARD' } as const;

const variants = ['', ':forward', ':as-is', ':as-is:forward', ':f16'] as const;

function sideOf(backend: BrowserBackendName, variant: (typeof variants)[number]): PageSide | undefined {
  const name = `browser:${backend}${variant}`;
  if (backend === 'cpu' || backend === 'wasm')
    return variant === '' ? { name, backend, asIs: false, flags: {} } : undefined;
  const half = variant === ':f16';
  if (half && backend === 'webgpu') return undefined;
  const asIs = variant.startsWith(':as-is');
  const forwards = variant.endsWith(':forward');
  return {
    ...{ name, backend, asIs },
    flags: { [forwarding[backend]]: forwards, ...(half && { WEBGL_FORCE_F16_TEXTURES: true }) },
  };
}

/** Every side that a page can run, small and sure ones first. */
export const pageSides: readonly PageSide[] = (['cpu', 'wasm', 'webgl', 'webgpu'] as const).flatMap(
  (backend) => variants.map((variant) => sideOf(backend, variant)).filter((side) => side !== undefined),
);

/** What a visitor's page runs: the twin, and TensorFlow.js as it is, on the device and as users get it. */
export const usualSides = pageSides.filter(({ name }) => !/:f16$|webg[a-z]+:forward$/.test(name));

/**
 * Reads `webgl,webgpu:as-is`; a bare backend is the twin on it with everything on the device.
 *
 * @throws RangeError when it names none, or one that there is not
 */
export function parsePageSides(list: string): PageSide[] {
  const words = list.split(',').map((word) => word.trim().replace(/^browser:/, ''));
  const sides = words.map((word) => pageSides.find(({ name }) => name === `browser:${word}`));
  const unknown = sides.indexOf(undefined);
  if (unknown >= 0)
    throw new RangeError(
      `${JSON.stringify(words[unknown])} is no side of a browser; choose from ${pageSides.map(({ name }) => name.slice('browser:'.length)).join(', ')}, separated by commas.`,
    );
  return [...new Set(sides.filter((side) => side !== undefined))];
}

/** Why a side cannot run a network of layers, as the end of a sentence; undefined when it can. */
export function refusesLayers({ asIs }: Pick<PageSide, 'asIs'>, model: Model): string | undefined {
  return asIs
    ? "it runs TensorFlow.js's own simple RNN only; networks of layers are the twin's"
    : ownCellRefused(model);
}

/** `HeadlessChrome/156.0.0.0`, of the text by which a browser names itself. */
export function browserIn(userAgent: string): string {
  return /(?:Headless)?Chrom\w*\/\S+|Firefox\/\S+|Version\/\S+ Safari/.exec(userAgent)?.[0] ?? 'a browser';
}
