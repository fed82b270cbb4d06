import type { ParityReport } from './report';

const parts = ['sides', 'notes', 'plan', 'cases', 'diagnoses', 'warnings', 'errors'] as const;

/** What the sides' runs add to; `conclude` draws the conclusion. */
export type Collected = { readonly [K in (typeof parts)[number]]: ParityReport[K][number][] };

export const noFindings = (): Collected => together([]);

/** What several sides found, one after the other. */
export function together(found: readonly Collected[]): Collected {
  const all = parts.map((part) => [part, found.flatMap((one): readonly unknown[] => one[part])]);
  return Object.fromEntries(all) as Collected;
}
