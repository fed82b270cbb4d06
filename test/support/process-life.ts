/** Waits until something is so, at most ten seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Whether a process ends within ten seconds; one that does not is killed. */
export async function endsSoon(pid: number): Promise<boolean> {
  await until(() => isGone(pid));
  if (isGone(pid)) return true;
  process.kill(pid, 'SIGKILL');
  return false;
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}
