/** Progress of one piece of work, on stderr. */
export interface Progress {
  /** One more step is done; `label` says what is next. */
  step(label?: string): void;
  /** The work is over; the bar goes away. */
  stop(): void;
}

/** Makes the progress of one piece of work. */
export type StartProgress = (title: string, total: number) => Progress;

/** Says nothing. */
export const silentProgress: StartProgress = () => ({ step: () => undefined, stop: () => undefined });
