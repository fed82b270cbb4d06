import { version } from '../base/version';

/** Everything that may change a verdict besides the problem: `rnn-parity`, `node`, `platform`, and the engine of each side. */
export type Versions = Readonly<Record<string, string>>;

export function versionsOf(
  sides: readonly { readonly name: string; readonly version?: string | undefined }[],
): Versions {
  return {
    'rnn-parity': version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...Object.fromEntries(
      sides.flatMap((side) => (side.version === undefined ? [] : [[side.name, side.version]])),
    ),
  };
}
