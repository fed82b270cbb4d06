import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBrowser } from '../../../../harness/parity/browser/index';

// Programs that stand in for a browser: they get the page's address as their last argument, as a browser does.
describe('a run in a browser that goes wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'not-a-browser-'));
  after(() => rmSync(folder, { recursive: true }));

  async function errorWith(program: string, timeoutSeconds = 60): Promise<unknown> {
    const path = join(folder, 'browser.cjs');
    const start = `#!${process.execPath}\nconst address = process.argv.at(-1);
const post = (name, body) => fetch(address + name, { method: 'POST', body });\n`;
    writeFileSync(path, `${start}(async () => { ${program} })();`, { mode: 0o755 });
    return runBrowser({
      config: { sides: ['browser:cpu'], only: 'shape/3-1' },
      browser: { path },
      timeoutSeconds,
    }).catch((error: unknown) => error);
  }

  it('that is closed before or midway did not run', async () => {
    for (const program of ['', `await post('progress', 'Looking: 0 of 1 sides are done');`]) {
      const error = await errorWith(program);
      expect(error).to.have.property('name', 'BackendNotRunError');
      expect(error).to.have.property('message').that.includes('before its page had a report');
    }
    expect(await errorWith('setInterval(() => undefined, 1000);', 1)).to.have.property(
      'name',
      'BackendNotRunError',
    );
  });

  it('that sends half a report, or says that it failed, is an error', async () => {
    for (const [program, message] of [
      [`await post('report', '{"format": "rnn-parity-report/'); setInterval(() => undefined, 1000);`, 'JSON'],
      [`await post('report', ''); setInterval(() => undefined, 1000);`, 'JSON'],
      [`await post('failed', '{"message":"no worker"}'); setInterval(() => undefined, 1000);`, 'no worker'],
    ]) {
      const error = await errorWith(program);
      expect(error).to.have.property('name', 'UsageError');
      expect(error).to.have.property('message').that.includes(message);
    }
  });

  it('whose program is not there did not run', async () => {
    const error = await runBrowser({ browser: { path: join(folder, 'none') } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('name', 'BackendNotRunError');
    expect(error).to.have.property('message').that.includes('did not start');
  });
});
