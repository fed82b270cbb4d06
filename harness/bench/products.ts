import type { Operations } from './process/protocol';
import { engineEntries, oneThread, type EngineEntry } from './catalogue';
import { ChildFailure, ChildLink, type Launch } from '../base/process/index';

/** What float32 products reach on this machine, 10^9 operations a second (a multiply-add is two). */
export interface MachineProducts {
  /** with one core */ readonly oneCore: number;
  /** with all of them */ readonly allCores: number;
  /** whose products were the fastest with all cores */ readonly by: string;
}

/** Those that compute products by a library made for it. */
const measuring = ['layers:tensorflow', 'torch'];
const oneCore = { TF_NUM_INTRAOP_THREADS: '1', ...oneThread };
const operations = 2 * 1024 ** 3;
const milliseconds = 180_000;

/**
 * The limit that the shares in the report refer to: the fastest product 1024 x 1024 x 1024 of the engines to be measured that
 * have products of their own. Undefined when none of them runs.
 */
export async function measureProducts(
  entries: readonly EngineEntry[],
  launchOf: (entry: EngineEntry) => Launch | undefined,
  tell: (line: string) => void,
): Promise<MachineProducts | undefined> {
  let best: MachineProducts | undefined;
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of engineEntries.filter(({ name }) => measuring.includes(name) && names.has(name))) {
    tell(`${entry.name} measures products of 1024 x 1024 x 1024`);
    const launch = launchOf(entry);
    if (launch === undefined) continue;
    const all = await rate(launch);
    const one = await rate({ ...launch, env: { ...launch.env, ...oneCore } });
    if (all === undefined || one === undefined) continue;
    const faster = best === undefined || all > best.allCores;
    best = {
      oneCore: Math.max(one, best?.oneCore ?? 0),
      allCores: Math.max(all, best?.allCores ?? 0),
      by: faster ? entry.name : (best?.by ?? entry.name),
    };
  }
  return best;
}

/** 10^9 operations a second; undefined when the engine does not run here. */
async function rate(launch: Launch): Promise<number | undefined> {
  const engine = new ChildLink<Operations>(launch);
  try {
    await engine.request('start', {}, milliseconds);
    const product = await engine.request('product', {}, milliseconds);
    return operations / product.milliseconds / 1e6;
  } catch (error) {
    if (error instanceof ChildFailure) return undefined;
    throw error;
  } finally {
    await engine.stop();
  }
}
