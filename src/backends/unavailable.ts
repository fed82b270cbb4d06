/** A backend cannot be used on this machine: which one, why, and what to do about it. */
export class BackendUnavailableError extends Error {
  override readonly name = 'BackendUnavailableError';

  constructor(
    readonly backend: string,
    readonly reason: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`backend '${backend}' is not available: ${reason}; ${fix}`, options);
  }
}
