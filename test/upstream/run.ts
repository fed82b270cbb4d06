// Runs a part of tfjs-core's published tests on the native backend: npm run test:upstream. Not part of npm test, because
// those tests need the flag IS_TEST, under which tfjs-node asserts about itself what it does not keep.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { loadBackend } from '../../src/index';
import { known, selection } from './selection';

const require = createRequire(__filename);
const core = path.join(path.dirname(require.resolve('@tensorflow/tfjs-core/package.json')), 'dist');

/** The chosen tests in one CommonJS file, with a copy of tfjs-core's modules; both copies share one global engine. */
async function bundle(files: readonly string[], outfile: string): Promise<void> {
  const environment = {
    name: 'tensorflow',
    backendName: 'tensorflow',
    flags: {},
    isDataSync: true,
  };
  await build({
    stdin: {
      // A suite for each file, so that a failure names it.
      contents: [
        `require('./environment');`,
        ...files.map((file) => `describe('${file}', () => { require('./${file}'); });`),
      ].join('\n'),
      resolveDir: core,
    },
    plugins: [
      {
        name: 'environment',
        setup: (bundling) => {
          bundling.onResolve({ filter: /^\.\/environment$/ }, ({ importer }) =>
            importer === '<stdin>' ? { path: 'environment', namespace: 'ours' } : undefined,
          );
          // A path that newer jasmine-cores do not export; tfjs-core only sets a time limit with it.
          bundling.onResolve({ filter: /^jasmine-core\/lib/ }, () => ({
            path: 'jasmine',
            namespace: 'ours',
          }));
          bundling.onLoad({ filter: /.*/, namespace: 'ours' }, ({ path: name }) => ({
            contents:
              name === 'jasmine'
                ? 'exports.core = () => globalThis.jasmine;'
                : `import { setTestEnvs } from './jasmine_util'; setTestEnvs([${JSON.stringify(environment)}]);`,
            resolveDir: core,
          }));
        },
      },
    ],
    bundle: true,
    // tfjs-core declares its modules free of side effects; a test is nothing but side effects.
    ignoreAnnotations: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    outfile,
  });
}

/** jasmine has no typings of its own. */
interface Jasmine {
  exitOnCompletion: boolean;
  readonly env: {
    configure(options: object): void;
    clearReporters(): void;
    addReporter(reporter: object): void;
  };
  execute(files: readonly string[]): Promise<unknown>;
}

interface SpecResult {
  readonly fullName: string;
  readonly status: string;
  readonly failedExpectations: readonly { readonly message: string }[];
}

async function run(): Promise<boolean> {
  const missing = selection.filter((file) => !fs.existsSync(path.join(core, `${file}.js`)));
  if (missing.length > 0)
    throw new Error(`tfjs-core has no tests ${missing.join(', ')}; fix test/upstream/selection.ts`);
  const backend = await loadBackend('tensorflow');
  backend.use();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'rnn-parity-upstream-'));
  try {
    const file = path.join(directory, 'tests.cjs');
    await bundle(selection, file);
    const Runner = require('jasmine') as new (options: { projectBaseDir: string }) => Jasmine;
    const jasmine = new Runner({ projectBaseDir: directory });
    const results: SpecResult[] = [];
    // Some of those files use a name twice, which jasmine now refuses unless told so (and then calls it deprecated).
    jasmine.env.configure({ forbidDuplicateNames: false });
    jasmine.env.clearReporters();
    /** suites that failed outside of any test, and the run as a whole */
    const broken: string[] = [];
    const ended = ({ fullName = 'the run', failedExpectations }: Partial<SpecResult>): void => {
      for (const { message } of failedExpectations ?? []) broken.push(`${fullName}: ${message}`);
    };
    jasmine.env.addReporter({
      specDone: (result: SpecResult) => results.push(result),
      suiteDone: ended,
      jasmineDone: ended,
    });
    jasmine.exitOnCompletion = false;
    await jasmine.execute([file]);
    return report(results, broken, backend.version, backend.tf.version_core);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

function report(
  results: readonly SpecResult[],
  broken: readonly string[],
  engine: string,
  version: string,
): boolean {
  const failed = results.filter(({ status }) => status === 'failed');
  const isKnown = ({ fullName }: SpecResult): boolean => known.some(({ name }) => name === fullName);
  const passed = results.filter(({ status }) => status === 'passed').length;
  for (const result of failed)
    process.stdout.write(
      `${isKnown(result) ? 'known' : 'FAILED'}: ${result.fullName}\n  ${result.failedExpectations[0]?.message ?? ''}\n`,
    );
  for (const text of broken) process.stdout.write(`BROKEN: ${text}\n`);
  const cured = known.filter(({ name }) => !failed.some(({ fullName }) => fullName === name));
  for (const { name } of cured)
    process.stdout.write(`no longer fails, take it off the list of known: ${name}\n`);
  const pending = results.length - passed - failed.length;
  process.stdout.write(
    `tfjs-core ${version}, ${selection.length} of its test files on ${engine}: ` +
      `${passed} passed, ${failed.length} failed (${failed.filter(isKnown).length} known), ${pending} pending\n`,
  );
  return passed > 0 && broken.length === 0 && cured.length === 0 && failed.every(isKnown);
}

void run().then(
  (good) => {
    process.exitCode = good ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 2;
  },
);
