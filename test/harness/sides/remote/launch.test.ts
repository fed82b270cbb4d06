import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { endsSoon, until } from '../../../support/process-life';
import { program } from '../../../support/program';
import { temporaryDirectory } from '../../../support/temporary-directory';

describe('a browser that was launched', () => {
  const base = temporaryDirectory();

  it('ends with the program that launched it, also where that is killed, and its profile goes', async () => {
    const [browser, pidFile] = [path.join(base(), 'browser'), path.join(base(), 'pid')];
    writeFileSync(browser, `#!/bin/sh\necho $$ > '${pidFile}'\nexec sleep 600\n`, { mode: 0o755 });
    const script = `
      const { launchBrowser } = require(${JSON.stringify(path.join(program, '..', '..', 'sides', 'remote', 'index.js'))});
      launchBrowser({ path: ${JSON.stringify(browser)} }, 'http://127.0.0.1:9/');
      setInterval(() => undefined, 1000);`;
    const launching = spawn(process.execPath, ['-e', script], {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: base() },
    });
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const profiles = () => readdirSync(base()).filter((name) => name.startsWith('rnn-parity-browser-'));
    expect(profiles()).to.have.length(1);
    launching.kill('SIGKILL');
    expect(await endsSoon(Number(readFileSync(pidFile, 'utf8')))).to.equal(true);
    await until(() => profiles().length === 0);
    expect(profiles()).to.deep.equal([]);
  });
});
