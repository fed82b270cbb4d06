import type { ProbeAnswer, SetUpResult } from '../../src/index';
import { BackendNotRunError, exitCodes, type Outcome } from '../base/outcome';
import type { DefineCommand } from './command';
import { jsonOption } from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

interface Flags {
  readonly require?: true;
  readonly clean?: true;
  readonly json?: JsonFlag;
}

/** `rnn-parity setup` */
export const defineSetup: DefineCommand = (program, finish) => {
  program
    .command('setup')
    .description('set up the native backend: find, link or build the addon of tfjs-node')
    .option('--require', 'exit with code 3 if it cannot be set up (also: NATIVE_REQUIRED=1)')
    .option('--clean', 'remove everything that setup has written to your cache')
    .addOption(jsonOption('the result'))
    .action(async (flags: Flags) => {
      await checkOutputs(outputOf('--json', flags.json));
      const { exitCode, text, json } = flags.clean ? await clean() : await setUp(flags.require === true);
      finish(await withJson({ exitCode, text, json }, flags.json));
    });
};

const howWords: Record<SetUpResult['how'], string> = {
  ready: 'ready',
  linked: 'ready, linked from the cache',
  built: 'ready, built',
};

/** Makes the native backend loadable, or says in one line why it is not. */
async function setUp(required: boolean): Promise<Outcome> {
  const { probeBackend, setUpNative } = await import('../../src/index.js');
  const { showProgress } = await import('./show-progress.js');
  const { report, end } = showProgress();
  const probe = (addon: string): Promise<ProbeAnswer> => probeBackend('tensorflow', addon);
  return outcomeOf(() => setUpNative({ report, probe }).finally(end), required);
}

/** @throws {BackendNotRunError} when set-up is not possible and `required` or NATIVE_REQUIRED asks for it */
export async function outcomeOf(run: () => Promise<SetUpResult>, required: boolean): Promise<Outcome> {
  const { isNativeRequired, SetUpError } = await import('../../src/index.js');
  try {
    const result = await run();
    return {
      exitCode: exitCodes.parity,
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
      exitCode: exitCodes.parity,
      text: `native: not available, wasm and cpu are used: ${reason}; ${fix}`,
      json: { available: false, reason, fix },
    };
  }
}

async function clean(): Promise<Outcome> {
  const { cleanNative, megabytes } = await import('../../src/index.js');
  const { directory, bytes } = cleanNative();
  return {
    exitCode: exitCodes.parity,
    text: `native: removed ${directory} (${megabytes(bytes)})`,
    json: { removed: directory, bytes },
  };
}
