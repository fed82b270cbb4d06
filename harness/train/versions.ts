import packageJson from '../../package.json';

/** Everything that may change a result besides the settings. */
export function versionsOf(engines: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'rnn-parity': packageJson.version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    ...engines,
  };
}
