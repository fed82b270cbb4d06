import { createRequire } from 'node:module';

/**
 * The version of this package. Its package.json is asked for by the package's own name, which means the same file from
 * the sources and from dist/, where an import would have made the compiler put a copy.
 */
export const { version } = createRequire(__filename)('rnn-parity/package.json') as {
  readonly version: string;
};
