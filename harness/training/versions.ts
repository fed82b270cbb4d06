import { version } from '../base/version';

/** Everything that may change a result besides the settings. */
export function versionsOf(engines: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'rnn-parity': version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...engines,
  };
}
