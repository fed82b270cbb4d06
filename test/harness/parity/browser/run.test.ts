import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBrowser, type BrowserRun } from '../../../../harness/parity/browser/index';
import { plainReport } from '../../../../harness/parity/report-text';
import { remoteSide } from '../../../../harness/sides/remote/index';
import { reportOfPage } from '../../../support/page-report';

// Programs that stand in for a browser: they get the page's address as their last argument, as a browser does.
describe('a run in a browser that goes wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'not-a-browser-'));
  after(() => rmSync(folder, { recursive: true }));

  const config = { sides: ['browser:cpu'], only: 'shape/3-1', extent: 'quick' } as const;
  function runWith(program: string, timeoutSeconds = 60): Promise<BrowserRun> {
    const path = join(folder, 'browser.cjs');
    const start = `#!${process.execPath}\nconst address = process.argv.at(-1);
const post = (name, body, headers) => fetch(address + name, { method: 'POST', body, headers });
const stay = () => setInterval(() => undefined, 1000);\n`;
    writeFileSync(path, `${start}(async () => { ${program} })();`, { mode: 0o755 });
    return runBrowser({ config, browser: { path }, timeoutSeconds, reloadMs: 200 });
  }
  const errorWith = (...given: Parameters<typeof runWith>): Promise<unknown> =>
    runWith(...given).catch((error: unknown) => error);

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

  it('whose last page is closed or left did not run, and one that is loaded anew goes on', async () => {
    const error = await errorWith(
      `await post('opened', 'a'); await post('opened', 'b'); await post('closed', 'a'); await post('closed', 'b'); stay();`,
    );
    expect(error).to.have.property('name', 'BackendNotRunError');
    expect(error).to.have.property('message').that.includes('the page was closed');
    const anew = `await post('opened', 'a'); await post('closed', 'a'); await post('opened', 'b'); stay();`;
    expect(await errorWith(anew, 1))
      .to.have.property('message')
      .that.includes('no report after 1 s');
  });

  it('and answers problems has lost them where it is loaded anew: its side did not run, and nothing waits for ever', async () => {
    const path = join(folder, 'answering.cjs');
    const next = `const next = (page) => fetch(process.argv.at(-1) + 'next', { method: 'POST', body: page });`;
    const program = `${next} next('a').then(() => next('b')).then(() => process.exit());`;
    writeFileSync(path, `#!${process.execPath}\n${program}`, { mode: 0o755 });
    const { CHROMIUM_PATH: before } = process.env;
    process.env['CHROMIUM_PATH'] = path;
    try {
      const opened = remoteSide('browser:cpu', true).open();
      const error = await opened.catch((thrown: unknown) => thrown);
      expect(error).to.have.property('message', 'not answered: the page was loaded anew');
    } finally {
      if (before === undefined) delete process.env['CHROMIUM_PATH'];
      else process.env['CHROMIUM_PATH'] = before;
    }
  });

  // A program that knows the secret address, and a right report of just what was asked.
  it('is no pass where its report is doubled, replayed, cut, altered, or sent elsewhere', async () => {
    const report = await reportOfPage({ ...config, run: '' });
    writeFileSync(join(folder, 'report.json'), JSON.stringify(plainReport(report)));
    const start = `const { createHash } = require('node:crypto');
const served = JSON.parse(/id="config">(.*?)<\\/script>/.exec(await (await fetch(address)).text())[1]);
const good = JSON.parse(require('node:fs').readFileSync(${JSON.stringify(join(folder, 'report.json'))}, 'utf8'));
good.browser.run = served.run;
const signed = (report) => JSON.stringify({ ...report, digest: 'sha256:' + createHash('sha256').update(JSON.stringify(report)).digest('hex') });
const changed = (change) => { const copy = structuredClone(good); change(copy); return copy; };
const other = changed((copy) => { copy.cases[0].tensors[0].worst.given = 0.5; });
`;
    const { report: taken, faults } = await runWith(`${start} await post('report', signed(good)); stay();`);
    expect({ faults, exitCode: taken.exitCode }).to.deep.equal({ faults: [], exitCode: 0 });
    for (const [program, words] of [
      [`await post('report', signed(other)); await post('report', signed(good));`, 'is an error of'],
      [
        `await post('report', signed(changed((copy) => { copy.browser.run = 'x'; })));`,
        'the run of rnn-parity',
      ],
      [`await post('report', signed(good).replace('"seed":1', '"seed":2'));`, 'the digest is not that'],
      [`await post('report', signed(changed((copy) => { copy.cases.pop(); })));`, 'there is no verdict'],
      [
        `await post('report', signed(changed((copy) => { copy.exitCode = 0; copy.cases = []; copy.plan = []; })));`,
        'is not planned',
      ],
      [`await post('charts', '[{"name":1}]'); await post('report', signed(good));`, 'the charts of the page'],
      // the report of a second page that had begun is heard to its end
      [
        `const second = require('node:http').request(address + 'report', { method: 'POST', headers: { expect: '100-continue' } });
        second.on('error', () => undefined);
        await new Promise((begun) => { second.on('continue', begun); second.flushHeaders(); });
        await post('report', signed(good));
        second.end(signed(good).replace('"seed":1', '"seed":2'));`,
        'another page of this run',
      ],
    ]) {
      const found = await runWith(`${start} ${program} stay();`);
      expect(found.faults.join(), program).to.include(words);
    }
    for (const program of [
      `await post('report', signed(good).slice(0, -9)); await post('report', signed(good));`,
      `await post('report', '[]'); await post('report', signed(good));`,
      `const { host } = new URL(address); await fetch('http://' + host + '/report', { method: 'POST', body: signed(good) });`,
      `await post('report', signed(good), { origin: 'http://evil.example' });`,
      `await fetch(address + 'report', { method: 'PUT', body: signed(good) });`,
      `await post('progress', signed(good));`,
      `await post('report', '['.repeat(1e6));`,
      `await post('report', '{"format":"rnn-parity-report/1","__proto__":' + signed(good) + '}');`,
      // the connection is cut within the report
      `const { port, pathname } = new URL(address); const text = signed(good);
      await new Promise((end) => { const socket = require('node:net').connect(port, '127.0.0.1', () => { socket.write('POST ' + pathname + 'report HTTP/1.1\\r\\nHost: 127.0.0.1:' + port + '\\r\\nContent-Length: ' + text.length + '\\r\\n\\r\\n' + text.slice(0, -1), () => { socket.destroy(); end(); }); }); });`,
    ])
      expect(await errorWith(`${start} ${program}`), program).to.be.an('error');
  });

  it('that sends half a report, or says that it failed, is an error', async () => {
    for (const [program, message] of [
      [`await post('report', '{"format": "rnn-parity-report/'); setInterval(() => undefined, 1000);`, 'JSON'],
      [`await post('report', ''); setInterval(() => undefined, 1000);`, 'JSON'],
      [`await post('failed', '{"message":"no worker"}'); setInterval(() => undefined, 1000);`, 'no worker'],
      // a command to the terminal is shown, and not sent to it
      [
        `await post('failed', String.fromCharCode(27) + '[2J'); setInterval(() => undefined, 1000);`,
        '\\u001b[2J',
      ],
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
