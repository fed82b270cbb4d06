import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const source = `
import { loadBackend, BackendUnavailableError } from 'rnn-parity';
import { SimpleRNN } from 'rnn-parity/scratch';
import type { Candidate, Problem } from 'rnn-parity/harness';
import { parityChai } from 'rnn-parity/chai';
import { assertParity, ParityAssertionError } from 'rnn-parity/harness';
export const plugin: (chai: never, utils: never) => void = parityChai;
export const checked = (candidate: Candidate): Promise<number> =>
  assertParity(candidate, { sizes: { units: 4 } }).then(({ exitCode }) => exitCode);
export const verdict = (error: ParityAssertionError): string => error.report.verdict;
export const rnn = new SimpleRNN({ features: 2, units: 3, seed: 1 });
export const version: Promise<string> = loadBackend('wasm').then((backend) => backend.version);
export const fails = (error: unknown): string => (error instanceof BackendUnavailableError ? error.fix : '');
export const idOf = (problem: Problem): string => problem.id;
// @ts-expect-error there is no such backend
void loadBackend('webgpu');
`;

/** TensorFlow.js 4.22 does not compile under strict, and its typings of WebGPU are older than those of lib.dom.d.ts. */
const ofTensorFlow =
  /^(?:\s|[^(]*node_modules\/(?:@tensorflow\/|@webgpu\/|typescript\/lib\/lib\.dom\.d\.ts))/;

/** How Node.js finds a module, and how bundlers do. */
const resolutions = [
  ['--module', 'node20'],
  ['--module', 'esnext', '--moduleResolution', 'bundler'],
] as const;

/** What the compiler says, without skipLibCheck, of a strict project that uses the package: nothing but what is TensorFlow.js's own. */
export function typingErrors(project: string): string[] {
  return resolutions.flatMap((flags) => errorsWith(flags, project));
}

function errorsWith(resolution: readonly string[], project: string): string[] {
  const root = path.join(__dirname, '..', '..');
  fs.writeFileSync(path.join(project, 'index.ts'), source);
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--noEmit', '--strict', ...resolution, '--target', 'es2023', '--pretty', 'false'];
  const types = ['--typeRoots', path.join(root, 'node_modules', '@types'), '--types', 'node'];
  const { stdout } = spawnSync(process.execPath, [tsc, ...flags, ...types, 'index.ts'], {
    cwd: project,
    encoding: 'utf8',
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.some((line) => /error TS/.test(line))
    ? lines.filter((line) => !ofTensorFlow.test(line))
    : ['TensorFlow.js compiles under strict: docs/tfjs-twin.md need not ask for skipLibCheck any more'];
}
