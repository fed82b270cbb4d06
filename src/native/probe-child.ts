// Run in a child process, which a broken library can kill without harm: loads a backend and computes with it.
// Arguments: the backend, and for `tensorflow` perhaps an addon to try. Writes one line of JSON, a ProbeAnswer.
import { BackendUnavailableError, checkComputation, isBackendName } from '../backends/index';
import { load } from './load-backend';
import type { ProbeAnswer } from './probe';

async function probe(name = '', addon?: string): Promise<ProbeAnswer> {
  if (!isBackendName(name)) throw new Error(`no backend '${name}'`);
  const backend = await load(name, addon);
  checkComputation(backend.tf);
  return { works: true, version: backend.version };
}

void probe(process.argv[2], process.argv[3])
  .catch((error: unknown): ProbeAnswer => {
    if (error instanceof BackendUnavailableError)
      return { works: false, reason: error.reason, fix: error.fix };
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  })
  .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
