// Installs the packed tarball with npm into an empty project, as a user would, then tfjs-node, then sets it up. Needs
// the network, so it is part of `npm run check:package` and not of the tests.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pack } from './pack';
import { runnerTests } from './runner-tests';
import { typingErrors } from './typings';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rnn-parity-install-'));
const run = (program: string, ...args: string[]): string => {
  process.stdout.write(`$ ${program} ${args.join(' ').replace(directory, '...')}\n`);
  // Without what would change the user's first steps: the settings of the npm that runs this script, a required backend.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('npm_config_ignore') && name !== 'NATIVE_REQUIRED',
    ),
  );
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const output = execFileSync(program, args, {
    cwd: path.join(directory, 'project'),
    encoding: 'utf8',
    env,
    stdio,
  });
  process.stdout.write(output.replace(/^/gm, '  ').trimEnd() + '\n');
  return output;
};
const expectIn = (output: string, text: RegExp): void => {
  if (!text.test(output)) throw new Error(`expected ${String(text)}`);
};
const expectNone = (what: string, found: readonly string[]): void => {
  if (found.length > 0) throw new Error(`${what}:\n${found.join('\n')}`);
};

/** No sources, source maps or tests; no copy of package.json, which an import of it would make ("exports" and all: harness/base/version.ts). */
const expectedFile =
  /^(?:docs\/.*|(?:CHANGELOG|README)\.md|LICENSE|package\.json|dist\/(?!package\.json$|(?:.*\/)?(?:test|node_modules)\/)(?:.*\.d\.m?ts|.*(?<!\.ts|\.map)))$/;
const needed = [
  ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'docs/parity.md'],
  ...['dist/src/index.js', 'dist/scratch/index.d.ts', 'dist/harness/cli/bin.js', 'dist/browser.mjs'],
];

/** Whether `import` finds every name that `require` finds, of every entry: Node.js looks for them in the text of a CommonJS module. */
const namesInModules = `
  import { createRequire } from 'node:module';
  const require = createRequire(process.cwd() + '/');
  for (const name of ['rnn-parity', 'rnn-parity/scratch', 'rnn-parity/harness', 'rnn-parity/chai']) {
    const found = Object.keys(await import(name));
    const lost = Object.keys(require(name)).filter((one) => !found.includes(one));
    if (lost.length > 0) throw new Error(name + ' lacks ' + lost.join(', ') + ' where it is imported');
  }
  console.log('every name');`;

try {
  fs.mkdirSync(path.join(directory, 'project'));
  fs.writeFileSync(path.join(directory, 'project', 'package.json'), '{ "name": "project", "private": true }');
  const { tarball, files } = pack(directory);
  expectNone(
    'files besides dist, docs and the papers',
    files.filter((file) => !expectedFile.test(file)),
  );
  expectNone(
    'files that are missing',
    needed.filter((file) => !files.includes(file)),
  );
  run('npm', 'install', '--no-audit', '--no-fund', tarball);
  expectNone('errors in typings', typingErrors(path.join(directory, 'project')));
  expectIn(run('node', '--input-type=module', '--eval', namesInModules), /^every name$/m);
  expectIn(run('npx', 'rnn-parity', 'setup'), /not available.*tfjs-node is not installed/);
  for (const [name, text] of Object.entries(runnerTests))
    fs.writeFileSync(path.join(directory, 'project', name), text);
  const right = ['--test', '--test-reporter=tap', '--test-name-pattern=right'];
  expectIn(run('node', ...right, ...Object.keys(runnerTests)), /^# pass 2$[^]*^# fail 0$/m);
  run(
    'npm',
    'install',
    '--save-dev',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '@tensorflow/tfjs-node@4.22.0',
  );
  expectIn(run('npx', 'rnn-parity', 'setup', '--require'), /^native: ready/);
  expectIn(run('npx', 'rnn-parity', 'doctor'), /^tensorflow works: TensorFlow/m);
} finally {
  fs.rmSync(directory, { recursive: true, force: true });
}
