import type * as Tf from '@tensorflow/tfjs';
import { BackendUnavailableError, type PreparedBackend, type TensorflowNode } from '../backends/index';
import { loadAddon, type Addon } from './load-addon';
import { tfjsNodePackage } from './tfjs-node-package';

const setUpFix = 'run `npx rnn-parity setup` (in a checkout: `npm run setup:native`)';

/**
 * The native backend. tfjs-node's own entry file finds its addon through node-pre-gyp and so loads a tree of old
 * packages; here the addon is loaded first and then only the files of tfjs-node that make the backend. What its
 * entry file does besides (file:// model storage) is done here too, except for its progress bar, which would
 * write on stdout.
 */
export function prepareTensorflow(tf: typeof Tf, addonFile?: string): Promise<PreparedBackend> {
  const name = 'tensorflow';
  const tfjsNode = tfjsNodePackage();
  if (tfjsNode === undefined)
    throw new BackendUnavailableError(
      name,
      '@tensorflow/tfjs-node is not installed',
      'run `npm install --save-dev --ignore-scripts @tensorflow/tfjs-node@4.22.0`, then `npx rnn-parity setup`',
    );
  if (tfjsNode.require('@tensorflow/tfjs') !== tf)
    throw new BackendUnavailableError(
      name,
      `${tfjsNode.directory} uses another copy of @tensorflow/tfjs than rnn-parity`,
      'make them one: `npm dedupe @tensorflow/tfjs`, or install version ' + tf.version.tfjs,
    );
  let addon: Addon;
  try {
    addon = loadAddon(addonFile ?? tfjsNode.addon);
  } catch (error) {
    throw new BackendUnavailableError(name, (error as Error).message, setUpFix, { cause: error });
  }
  if (!(name in tf.engine().registryFactory)) register(tf, tfjsNode.require, addon);
  const { node } = tfjsNode.require('./dist/node') as { node: TensorflowNode };
  return Promise.resolve({ version: `TensorFlow ${addon.TF_Version}`, node });
}

interface FileSystemIo {
  nodeFileSystemRouter: Parameters<typeof Tf.io.registerLoadRouter>[0];
}

function register(tf: typeof Tf, require: NodeJS.Require, addon: Addon): void {
  require('./dist/register_all_kernels');
  const { NodeJSKernelBackend } = require('./dist/nodejs_kernel_backend') as {
    NodeJSKernelBackend: new (binding: Addon, packageName: string) => Tf.KernelBackend;
  };
  // The name is not ours to choose: tfjs-node's kernels look for 'tensorflow'.
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(addon, '@tensorflow/tfjs-node'), 3);
  const { nodeFileSystemRouter } = require('./dist/io/file_system') as FileSystemIo;
  tf.io.registerLoadRouter(nodeFileSystemRouter);
  tf.io.registerSaveRouter(nodeFileSystemRouter);
}
