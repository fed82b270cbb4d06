/** What computes: a graphics card, or a program that stands in for one. */
export interface Device {
  readonly name: string;
  /** no graphics card: the numbers are those of a program on the processor */ readonly software: boolean;
}

const softwareNames = /swiftshader|llvmpipe|softpipe|software|basic render|lavapipe/i;

/** The part of WebGL 2 that is used here; this project compiles without the types of a page. */
interface WebglContext {
  getExtension(name: string): { readonly UNMASKED_RENDERER_WEBGL: number; loseContext?(): void } | null;
  getParameter(name: number): unknown;
  readonly RENDERER: number;
}

declare class OffscreenCanvas {
  constructor(width: number, height: number);
  getContext(kind: 'webgl2'): WebglContext | null;
}

/** The device behind WebGL 2; undefined where there is none. */
export function describeWebgl(): Device | undefined {
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (context === null) return undefined;
  const info = context.getExtension('WEBGL_debug_renderer_info');
  const name = String(context.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  context.getExtension('WEBGL_lose_context')?.loseContext?.();
  return { name, software: softwareNames.test(name) };
}

interface Adapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: Readonly<Record<'vendor' | 'architecture' | 'device' | 'description', string>> & {
    readonly isFallbackAdapter?: boolean;
  };
}

/** The device behind WebGPU, or the reason why there is none. */
export async function describeWebgpu(): Promise<Device | string> {
  const { navigator: { gpu } = {} } = globalThis as unknown as {
    readonly navigator?: { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  };
  if (gpu === undefined) return 'this browser has no navigator.gpu';
  const adapter = await gpu.requestAdapter();
  if (adapter === null) return 'this browser has navigator.gpu, but gives no adapter';
  const { vendor = '', architecture = '', device = '', description = '' } = adapter.info ?? {};
  const name =
    [...new Set([vendor, architecture, device, description])].filter(Boolean).join(' ') || 'unnamed adapter';
  const fallback = adapter.isFallbackAdapter === true || adapter.info?.isFallbackAdapter === true;
  return { name, software: fallback || softwareNames.test(name) };
}
