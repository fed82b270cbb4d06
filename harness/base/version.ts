import { createRequire } from 'node:module';

/**
 * The version of this package. Its package.json is asked for by the package's own name, which means the same file from
 * the sources and from dist/, where an import would have made the compiler put a copy.
 */
export const { version } = createRequire(__filename)('rnn-parity/package.json') as {
  readonly version: string;
};

/** Everything that may change a number, besides what it is computed from and by. */
export const versions: Readonly<Record<string, string>> = {
  'rnn-parity': version,
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
};
