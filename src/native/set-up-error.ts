/** The native engine cannot be set up here: why, and what to do about it. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError';

  constructor(
    readonly reason: string,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`${reason}; ${fix}`, options);
  }
}
