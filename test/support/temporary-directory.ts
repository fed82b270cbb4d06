import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Gives each test of the surrounding `describe` an empty directory and removes it afterwards. */
export function temporaryDirectory(): () => string {
  let directory = '';
  beforeEach(() => {
    directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rnn-parity-test-')));
  });
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));
  return () => directory;
}
