import { exitCodes } from './outcome';

/**
 * The first Ctrl-C (or SIGTERM) aborts the signal and says what is being finished; the second ends the process at once.
 *
 * @param finishing what is done before the end: `finishing the batch and saving a checkpoint`
 */
export function stopOnInterrupt(finishing: string): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    process.stderr.write(`\n${finishing} (Ctrl-C again: stop at once)\n`);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
