import { versions } from '../base/version';

/** Everything that may change a verdict besides the problem: `rnn-parity`, `node`, `platform`, and the engine of each side. */
export type Versions = Readonly<Record<string, string>>;

export function versionsOf(
  sides: readonly { readonly name: string; readonly version?: string | undefined }[],
): Versions {
  const known = sides.flatMap(({ name, version }) =>
    version === undefined ? [] : [[name, version] as const],
  );
  return { ...versions, ...Object.fromEntries(known) };
}
