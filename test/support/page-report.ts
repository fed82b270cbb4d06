import { conclude } from '../../harness/parity/conclude';
import { casesOf, type PageConfig } from '../../harness/parity/page/config';
import { planOf } from '../../harness/parity/page/plan';
import type { ParityReport } from '../../harness/parity/report';
import type { Observer } from '../../harness/parity/options';
import { runSide } from '../../harness/parity/run-side';
import { byModelAsync, parsePageSides } from '../../harness/sides/page/index';
import type { Implementation } from '../../harness/base/problem';
import { evaluateWithTfjsAsync, loadBackend, TfNetwork, updateWithTfjsAsync } from '../../src/index';

/** A page's work, done here: the suite on cpu, a side with asynchronous reads. */
export async function reportOfPage(
  config: PageConfig,
  change = (side: Implementation): Implementation => side,
  observer?: Observer,
): Promise<ParityReport> {
  const [side] = parsePageSides('cpu');
  const backend = await loadBackend('cpu');
  const cases = await casesOf(config);
  const implementation = change({
    ...{ name: side.name, precision: 'float32' },
    evaluate: (problem) => evaluateWithTfjsAsync(backend, problem),
    layered: byModelAsync((options) => new TfNetwork({ backend, ...options })),
  });
  const open = {
    implementation,
    update: (options: Parameters<typeof updateWithTfjsAsync>[1]) => updateWithTfjsAsync(backend, options),
  };
  const found = await runSide(open, true, cases, { ...(observer && { observer }) });
  const { seed = 1, only, run } = config;
  const facts = { name: side.name, version: backend.version, software: false, flags: {}, complaints: [] };
  return conclude({
    ...found,
    ...{ seed, only: only ?? null, complete: only === undefined, plan: planOf(cases, side, only) },
    browser: {
      userAgent: 'a test',
      ...(run !== undefined && { run }),
      sides: [{ ...facts, opened: 1, took: 2 }],
    },
  });
}
