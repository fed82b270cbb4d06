import {
  cleanNative,
  isNativeRequired,
  megabytes,
  probeBackend,
  SetUpError,
  setUpNative,
  type ProbeAnswer,
  type SetUpResult,
} from '../../../src/index';
import { BackendNotRunError, exitCodes, type Outcome } from '../../base/outcome';
import { showProgress } from './show-progress';

const howWords: Record<SetUpResult['how'], string> = {
  ready: 'ready',
  linked: 'ready, linked from the cache',
  built: 'ready, built',
};

/** `rnn-parity setup`: makes the native backend loadable, or says in one line why it is not. */
export async function setUp(required: boolean): Promise<Outcome> {
  const { report, end } = showProgress();
  const probe = (addon: string): Promise<ProbeAnswer> => probeBackend('tensorflow', addon);
  return outcomeOf(() => setUpNative({ report, probe }).finally(end), required);
}

/** @throws {BackendNotRunError} when set-up cannot be had and `required` or NATIVE_REQUIRED asks for it */
export async function outcomeOf(run: () => Promise<SetUpResult>, required: boolean): Promise<Outcome> {
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

/** `rnn-parity setup --clean` */
export function clean(): Outcome {
  const { directory, bytes } = cleanNative();
  return {
    exitCode: exitCodes.parity,
    text: `native: removed ${directory} (${megabytes(bytes)})`,
    json: { removed: directory, bytes },
  };
}
