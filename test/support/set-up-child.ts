// A set-up in a process of its own, for the tests that kill it or run two at once. Argument: tfjs-node's directory.
import { SetUpError } from '../../src/native/set-up-error';
import { setUpNative } from '../../src/native/set-up';
import { tfjsNodeAt } from '../../src/native/tfjs-node-package';
import { fakeProbe } from './fake-toolchain';

void setUpNative({ tfjsNode: tfjsNodeAt(process.argv[2]), probe: fakeProbe }).then(
  ({ how }) => process.stdout.write(how),
  (error: unknown) => {
    process.stdout.write(error instanceof SetUpError ? error.message : String(error));
    process.exitCode = 1;
  },
);
