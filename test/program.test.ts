import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { temporaryDirectory } from './support/temporary-directory';

describe('npm run cli, in a checkout whose path has a space', () => {
  const folder = temporaryDirectory();
  const at = (...names: string[]): string => path.join(folder(), 'a checkout', ...names);
  const cli = () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [at('test/support/cli.cjs')], {
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  beforeEach(() => {
    for (const room of [
      'scratch',
      'src',
      'harness/cli',
      'docs/schemas',
      'test/support',
      'test/harness/bench',
    ])
      mkdirSync(at(room), { recursive: true });
    symlinkSync(path.resolve('node_modules'), at('node_modules'));
    for (const name of ['build-program.cjs', 'cli.cjs'])
      copyFileSync(path.join('test/support', name), at('test/support', name));
    writeFileSync(
      at('harness/cli/bin.ts'),
      "import { value } from '../../scratch/value';\nconsole.log(value);\n",
    );
    writeFileSync(at('scratch/value.ts'), 'export const value: number = 1;\n');
  });

  it('runs the sources as they are, also after a module became a folder', () => {
    // what an editor leaves next to an open file
    symlinkSync('nowhere', at('scratch/.#value.ts'));
    expect(cli()).to.deep.equal({ status: 0, stdout: '1\n', stderr: '' });
    mkdirSync(at('scratch/value'));
    renameSync(at('scratch/value.ts'), at('scratch/value/index.ts'));
    writeFileSync(at('scratch/value/index.ts'), 'export const value: number = 2;\n');
    expect(cli().stdout).to.equal('2\n');
    expect(existsSync(at('dist-test/scratch/value.js')), 'the old one').to.equal(false);
  });

  it('waits while another process makes the program, then makes it of the sources as they are; a dead one holds it up no more', async () => {
    mkdirSync(at('dist-test'));
    writeFileSync(at('dist-test/lock'), String(process.pid));
    const waiting = spawn(process.execPath, [at('test/support/cli.cjs')]);
    const said: string[] = [];
    waiting.stdout.on('data', (text) => said.push(String(text)));
    await setTimeout(400);
    expect([said, existsSync(at('dist-test/harness'))], 'while it is locked').to.deep.equal([[], false]);
    writeFileSync(at('scratch/value.ts'), 'export const value: number = 3;\n');
    rmSync(at('dist-test/lock'));
    await once(waiting, 'close');
    expect(said.join('')).to.equal('3\n');

    writeFileSync(at('scratch/value.ts'), 'export const value: number = 4;\n');
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(at('dist-test/lock'), String(pid));
    expect(cli().stdout).to.equal('4\n');
    expect(existsSync(at('dist-test/lock'))).to.equal(false);
  });

  it('ends with exit code 2 where there is no program to run, and says why', () => {
    writeFileSync(at('scratch/open.ts'), 'export const value = (;\n');
    const { status, stdout, stderr } = cli();
    expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    expect(stderr).to.include('The program cannot be made from the sources').and.include('scratch/open.ts');
    rmSync(at('scratch/open.ts'));

    rmSync(at('dist-test'), { recursive: true, force: true });
    writeFileSync(at('dist-test'), 'in its way');
    expect(cli())
      .to.include({ status: 2, stdout: '' })
      .and.have.property('stderr')
      .that.includes('dist-test');
  });
});
