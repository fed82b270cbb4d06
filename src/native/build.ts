import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { addonDefines, addonSource } from './addon-source';
import type { ReportProgress } from './progress';
import type { Recipe } from './recipe';
import { endOf, runTool } from './run-tool';
import { SetUpError } from './set-up-error';
import type { TfjsNodePackage } from './tfjs-node-package';
import { downloadWheel, extractMembers } from './wheel';

/**
 * Builds the addon and the libraries it needs into an empty directory: wheel, libraries and headers out of it, the two
 * C++ files of tfjs-node and one of our own compiled. The addon looks for the libraries in its own directory, so the directory can be renamed.
 *
 * @returns the addon's file
 * @throws {SetUpError} with the step that failed
 */
export async function buildAddon(
  recipe: Recipe,
  tfjsNode: TfjsNodePackage,
  directory: string,
  report: ReportProgress,
): Promise<string> {
  const compiler = await findCompiler();
  const work = path.join(directory, 'work');
  fs.mkdirSync(work);
  const wheel = await downloadWheel(recipe, work, report);
  const include = path.join(work, 'include');
  await extract(wheel, headerTargets(recipe, include));
  const addon = path.join(directory, 'tfjs_binding.node');
  await Promise.all([
    compile({ recipe, tfjsNode, compiler, include, work, addon }),
    extract(wheel, libraryTargets(recipe, directory), (done) => report({ step: 'extract', done })),
  ]);
  fs.rmSync(work, { recursive: true });
  await strip(recipe, directory, report);
  return addon;
}

function headerTargets(recipe: Recipe, include: string): Map<string, string> {
  return new Map(recipe.headers.map((name) => [`tensorflow/include/${name}`, path.join(include, name)]));
}

function libraryTargets(recipe: Recipe, directory: string): Map<string, string> {
  return new Map(recipe.libraries.map((name) => [`tensorflow/${name}`, path.join(directory, name)]));
}

async function extract(...args: Parameters<typeof extractMembers>): Promise<void> {
  try {
    await extractMembers(...args);
  } catch (error) {
    throw new SetUpError(
      `the TensorFlow wheel could not be unpacked (${(error as Error).message})`,
      'check that the disk is not full, then run set-up again',
      { cause: error },
    );
  }
}

async function findCompiler(): Promise<string> {
  const candidates = [process.env['CXX'], 'g++', 'c++', 'clang++'];
  for (const compiler of candidates) {
    if (compiler === undefined || compiler === '') continue;
    if ((await runTool(compiler, ['--version'])).code === 0) return compiler;
  }
  throw new SetUpError('there is no C++ compiler', 'install one (Debian, Ubuntu: `apt-get install g++`)');
}

interface Compilation {
  readonly recipe: Recipe;
  readonly tfjsNode: TfjsNodePackage;
  readonly compiler: string;
  readonly include: string;
  readonly work: string;
  readonly addon: string;
}

/**
 * tfjs-node's binding is pure N-API, so neither Node's headers nor node-gyp are needed. It is linked against two empty
 * libraries of the right names: the linker has nothing to read (0.2 s, not 20 s), the symbols are bound at load.
 */
async function compile({ recipe, tfjsNode, compiler, include, work, addon }: Compilation): Promise<void> {
  const empty = path.join(work, 'empty.cc');
  fs.writeFileSync(empty, '');
  const stubs = path.join(work, 'stubs');
  fs.mkdirSync(stubs);
  for (const name of recipe.libraries)
    await runCompiler(compiler, [
      '-shared',
      '-fPIC',
      `-Wl,-soname,${name}`,
      empty,
      '-o',
      path.join(stubs, name),
    ]);
  const nodeApi = path.join(
    path.dirname(createRequire(__filename).resolve('node-api-headers/package.json')),
    'include',
  );
  const own = path.join(work, 'rnn_parity.cc');
  fs.writeFileSync(own, addonSource);
  const theirs = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) =>
    path.join(tfjsNode.directory, 'binding', name),
  );
  await runCompiler(compiler, [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-I', nodeApi, '-I', include],
    ...[...addonDefines, ...theirs, own, '-o', addon, '-Wl,--no-as-needed', `-L${stubs}`],
    ...recipe.libraries.map((name) => `-l:${name}`),
    '-Wl,-rpath,$ORIGIN',
  ]);
}

async function runCompiler(compiler: string, args: readonly string[]): Promise<void> {
  const result = await runTool(compiler, args);
  if (result.code !== 0)
    throw new SetUpError(
      `${compiler} could not compile tfjs-node's binding (${endOf(result)})`,
      'use a compiler that knows C++17 (g++ 8 or newer), in $CXX if it is not the first on the PATH',
    );
}

/** Drops the symbol tables that only debuggers read: 850 MB become 630 MB. Works without, so failing is no failure. */
async function strip(recipe: Recipe, directory: string, report: ReportProgress): Promise<void> {
  report({ step: 'strip' });
  for (const name of recipe.libraries) {
    const file = path.join(directory, name);
    const stripped = `${file}.stripped`;
    const result = await runTool('strip', ['--strip-unneeded', '-o', stripped, file]);
    if (result.code === 0) fs.renameSync(stripped, file);
    else fs.rmSync(stripped, { force: true });
  }
}
