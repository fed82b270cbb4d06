import { createRequire } from 'node:module';
import path from 'node:path';

/** The tfjs-node package that this process would use. */
export interface TfjsNodePackage {
  readonly directory: string;
  readonly version: string;
  /** resolves as a file of tfjs-node would, and `./dist/...` inside it */ readonly require: NodeJS.Require;
  /** where tfjs-node looks for its addon; a symlink after our set-up */ readonly addon: string;
}

/**
 * Finds @tensorflow/tfjs-node: next to this package (where npm puts a peer), else from `from`, by default the current
 * directory (linked installs). Undefined when it is not installed.
 */
export function tfjsNodePackage(from: string = process.cwd()): TfjsNodePackage | undefined {
  for (const start of [__filename, path.join(from, 'package.json')]) {
    try {
      return tfjsNodeAt(path.dirname(createRequire(start).resolve('@tensorflow/tfjs-node/package.json')));
    } catch {
      continue;
    }
  }
  return undefined;
}

/** The tfjs-node in this directory. */
export function tfjsNodeAt(directory: string): TfjsNodePackage {
  const require = createRequire(path.join(directory, 'package.json'));
  const { version } = require('./package.json') as { version: string };
  return {
    directory,
    version,
    require,
    addon: path.join(directory, 'lib', 'napi-v8', 'tfjs_binding.node'),
  };
}
