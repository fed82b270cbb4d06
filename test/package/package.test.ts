import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { cacheDirectory, runTool, tfjsNodePackage, type ToolResult } from '../../src/index';
import { layOut } from './pack';
import { runnerTests } from './runner-tests';

/**
 * A user's project made without the network: the files of this package, and its dependencies as links to ours. `npm run check:package`
 * (install.ts) installs the tarball with npm instead, and compiles against its typings.
 */
describe('the package in the project of a user', function () {
  const root = path.join(__dirname, '..', '..');
  let directory = '';
  let project = '';
  let manifest: Record<string, Record<string, unknown>>;

  before(() => {
    directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rnn-parity-package-')));
    project = path.join(directory, 'project');
    const installed = path.join(project, 'node_modules', 'rnn-parity');
    layOut(installed);
    manifest = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')) as typeof manifest;
    for (const name of Object.keys(manifest['dependencies'])) link(name);
    fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }');
  });
  after(() => fs.rmSync(directory, { recursive: true, force: true }));

  function link(name: string): void {
    const place = path.join(project, 'node_modules', name);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.symlinkSync(path.join(root, 'node_modules', name), place);
  }
  const node = (args: readonly string[], env: Record<string, string> = {}): Promise<ToolResult> =>
    runTool(process.execPath, args, { cwd: project, env: { NATIVE_REQUIRED: '', ...env } });
  const cli = (args: readonly string[], env?: Record<string, string>): Promise<ToolResult> =>
    node([path.join('node_modules', 'rnn-parity', 'dist', 'harness', 'cli', 'bin.js'), ...args], env);

  it('runs nothing when it is installed and does not ask for tfjs-node', () => {
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest['scripts']).not.to.have.property(script);
    expect(manifest['dependencies']).not.to.have.property('@tensorflow/tfjs-node');
    expect(manifest['peerDependenciesMeta']).to.deep.equal({ '@tensorflow/tfjs-node': { optional: true } });
  });

  it('has the overrides of its own development in docs/backends.md, to be copied', () => {
    const [, block = ''] =
      /```json\n("overrides": [^]*?)```/.exec(fs.readFileSync('docs/backends.md', 'utf8')) ?? [];
    expect(JSON.parse(`{${block}}`)).to.deep.equal({ overrides: manifest['overrides'] });
  });

  it('can be required and imported by each of its names', async () => {
    const doors = ['scratch', 'harness', 'chai', 'package.json'].map((name) => `rnn-parity/${name}`);
    const names = ['rnn-parity', ...doors];
    const text = `
      const names = ${JSON.stringify(names)};
      for (const name of names) require(name);
      console.log(typeof require('rnn-parity').loadBackend, typeof require('rnn-parity/scratch').SimpleRNN);
      import('rnn-parity').then(({ loadBackend }) => loadBackend('wasm')).then(({ tf }) => {
        tf.tanh(0).print();
      });`;
    const result = await node(['-e', text]);
    expect(result.stderr).to.equal('');
    expect(result.stdout).to.equal('function function\nTensor\n    0\n');
  });

  it('loads no TensorFlow when it is imported or asked for help', async () => {
    const result = await node([
      '-e',
      `require('rnn-parity'); require('rnn-parity/harness');
       console.log(Object.keys(require.cache).filter((file) => file.includes('@tensorflow')).length);`,
    ]);
    expect(result.stdout).to.equal('0\n');
  });

  it('assertParity is a test for node:test, as an ES module and as CommonJS: the verdict is the failure', async () => {
    const files = Object.entries(runnerTests).map(([name, text]) => {
      fs.writeFileSync(path.join(project, name), text);
      return name;
    });
    const result = await node(['--test', '--test-reporter=tap', ...files]);
    expect(result.code).to.equal(1);
    expect(result.stdout.match(/^ *ok \d+ - right$/gm), result.stdout).to.have.length(2);
    expect(result.stdout.match(/^ *not ok \d+ - wrong$/gm)).to.have.length(2);
    const verdict = /MISMATCH: mine is wrong in quick\/[\w-]+, forward, states at time step 2;/g;
    expect(result.stdout.match(verdict)).to.have.length(2);
    expect(result.stdout).to.match(/operator: 'parity'/);
  });

  it('answers --version and --help', async () => {
    expect((await cli(['--version'])).stdout.trim()).to.equal(manifest['version']);
    expect((await cli(['--help'])).stdout).to.match(/setup .*doctor/s);
  });

  describe('without tfjs-node', () => {
    const missing =
      '@tensorflow/tfjs-node is not installed; ' +
      'run `npm install --save-dev --ignore-scripts @tensorflow/tfjs-node@4.22.0`';

    it('set-up says so in one line and is content', async () => {
      const result = await cli(['setup']);
      expect(result.stdout).to.equal(`native: not available, wasm and cpu are used: ${missing}\n`);
      expect(result.stderr).to.equal('');
      expect(result.code).to.equal(0);
      const asJson = await cli(['setup', '--json']);
      expect(JSON.parse(asJson.stdout)).to.include({ available: false });
    });

    for (const [how, args, env] of [
      ['--require', ['--require'], {}],
      ['NATIVE_REQUIRED=1', [], { NATIVE_REQUIRED: '1' }],
    ] as const)
      it(`set-up with ${how} fails with exit code 3`, async () => {
        const result = await cli(['setup', ...args], env);
        expect(result.stderr).to.equal(
          `error: the native backend is required but not available: ${missing}\n`,
        );
        expect(result.stdout).to.equal('');
        expect(result.code).to.equal(3);
      });

    it('doctor finds wasm and cpu, and the way to tensorflow', async () => {
      const result = await cli(['doctor']);
      expect(result.stdout).to.contain(
        'tensorflow does not load: @tensorflow/tfjs-node is not installed; run `npm install',
      );
      expect(result.stdout).to.match(/^wasm +works: tfjs-backend-wasm 4\.22\.0/m);
      expect(result.stdout).to.match(/^cpu +works: tfjs-backend-cpu 4\.22\.0/m);
    });
  });

  describe('with tfjs-node', () => {
    it('set-up makes the native backend of a project work once tfjs-node is there', async () => {
      const ours = tfjsNodePackage();
      const theirs = path.join(project, 'node_modules', '@tensorflow', 'tfjs-node');
      fs.cpSync(ours?.directory ?? '', theirs, {
        recursive: true,
        filter: (file) => !file.startsWith(path.join(ours?.directory ?? '', 'lib')),
      });
      // What npm would have installed with it.
      const { dependencies } = ours?.require('./package.json') as { dependencies: Record<string, string> };
      for (const name of [...Object.keys(dependencies), '@tensorflow/tfjs-core'])
        if (!fs.existsSync(path.join(project, 'node_modules', name))) link(name);
      const before = await cli(['doctor']);
      expect(before.stdout).to.contain(
        'tensorflow does not load: the addon of tfjs-node has not been set up',
      );
      const result = await cli(['setup', '--require']);
      expect(result.stdout).to.match(
        /^native: ready, (linked from the cache|built) \(TensorFlow 2\.21\.0\)\n$/,
      );
      expect(fs.readlinkSync(path.join(theirs, 'lib', 'napi-v8', 'tfjs_binding.node'))).to.contain(
        cacheDirectory(),
      );
      const after_ = await cli(['doctor']);
      expect(after_.stdout).to.match(/^tensorflow works: TensorFlow 2\.21\.0$/m);
    });
  });
});
