/**
 * The first Ctrl-C (or SIGTERM) aborts the signal and says what is being finished. The second has its default effect again, so that the
 * system ends the process at once, also where it is busy or waits for a file.
 *
 * @param finishing what is done before the end: `finishing the batch and saving a checkpoint`
 */
export function stopOnInterrupt(finishing: string): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const dispose = (): void => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  const onSignal = (): void => {
    dispose();
    process.stderr.write(`\n${finishing} (Ctrl-C again: stop at once)\n`);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { signal: controller.signal, dispose };
}
