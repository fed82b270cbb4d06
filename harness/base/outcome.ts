/** Exit codes of every command. */
export const exitCodes = { parity: 0, mismatch: 1, usage: 2, backendNotRun: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a command returns; only the thin CLI prints it and sets the exit code. */
export interface Outcome {
  readonly exitCode: ExitCode;
  /** the result, printed on stdout: for people, or JSON where --json took stdout */ readonly text: string;
  /** for people, printed on stderr */ readonly summary?: string;
}

/** A mistake of the caller (bad flag, bad file): printed without a stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Does something; what it throws is a mistake of the caller. */
export function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A backend that was required did not run: exit code 3. */
export class BackendNotRunError extends Error {
  override readonly name = 'BackendNotRunError';
}
