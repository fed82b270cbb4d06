import type { ProbeAnswer, SetUpResult } from '../../src/index';
import { BackendNotRunError, exitCodes } from '../base/outcome';
import { defineCommand } from './command';
import { jsonFlag, yes } from './options';
import { openOutputs } from './outputs';

export const defineSetup = defineCommand({
  name: 'setup',
  description: 'set up the native backend: find, link or build the addon of tfjs-node',
  flags: {
    require: yes('--require', 'exit with code 3 if it cannot be set up (also: NATIVE_REQUIRED=1)'),
    clean: yes('--clean', 'remove everything that setup has written to your cache'),
    json: jsonFlag('the result'),
  },
  async run(flags) {
    const outputs = await openOutputs(flags, { json: undefined });
    const done = flags.clean ? await clean() : await setUp(flags.require === true);
    return outputs.outcome({ exitCode: exitCodes.parity, ...done });
  },
});

interface Done {
  /** for people */ readonly text: string;
  /** for machines */ readonly json: object;
}

const howWords: Record<SetUpResult['how'], string> = {
  ready: 'ready',
  linked: 'ready, linked from the cache',
  built: 'ready, built',
};

/** Makes the native backend loadable, or says in one line why it is not. */
async function setUp(required: boolean): Promise<Done> {
  const { probeBackend, setUpNative } = await import('../../src/index.js');
  const { showProgress } = await import('./show-progress.js');
  const { report, end } = showProgress();
  const probe = (addon: string): Promise<ProbeAnswer> => probeBackend('tensorflow', addon);
  return outcomeOf(() => setUpNative({ report, probe }).finally(end), required);
}

/** @throws {BackendNotRunError} when set-up is not possible and `required` or NATIVE_REQUIRED asks for it */
export async function outcomeOf(run: () => Promise<SetUpResult>, required: boolean): Promise<Done> {
  const { isNativeRequired, SetUpError } = await import('../../src/index.js');
  try {
    const result = await run();
    return {
      text: `native: ${howWords[result.how]} (${result.version})`,
      json: { available: true, ...result },
    };
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    const { reason, fix } = error;
    if (required || isNativeRequired())
      throw new BackendNotRunError(`the native backend is required but not available: ${reason}; ${fix}`, {
        cause: error,
      });
    return {
      text: `native: not available, wasm and cpu are used: ${reason}; ${fix}`,
      json: { available: false, reason, fix },
    };
  }
}

async function clean(): Promise<Done> {
  const { cleanNative, megabytes } = await import('../../src/index.js');
  const { directory, bytes } = cleanNative();
  return {
    text: `native: removed ${directory} (${megabytes(bytes)})`,
    json: { removed: directory, bytes },
  };
}
