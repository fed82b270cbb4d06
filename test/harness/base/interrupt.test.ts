import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import { program } from '../../support/program';

const module_ = path.join(program, '../../base/interrupt.js');

describe('Ctrl-C', () => {
  it('once finishes what is under way; twice ends at once, also where the process is busy', async () => {
    const script = `
      const { signal } = require(${JSON.stringify(module_)}).stopOnInterrupt('finishing');
      signal.onabort = () => setTimeout(() => { process.stderr.write('busy'); for (;;); }, 10);
      setInterval(() => {}, 1000);
      process.stderr.write('ready');`;
    const child = spawn(process.execPath, ['-e', script]);
    let heard = '';
    child.stderr.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (/ready$|busy$/.test(heard)) child.kill('SIGINT');
    });
    const end = await new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
    expect(heard).to.include('finishing (Ctrl-C again: stop at once)');
    expect(end).to.equal('SIGINT');
  });
});
