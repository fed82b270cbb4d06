// The program as JavaScript, made by esbuild from scratch/, src/ and harness/ in a second: what `npm run cli` runs, and what tests start as
// a process of its own. A program from the sources takes five times as long to start, or twenty times where nothing is cached.
// `npm run build` makes the package's dist/ with the compiler; test/package/install.ts tests that one.
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const built = path.join(root, 'dist-test');
const stamp = path.join(built, 'made-from');
const locked = path.join(built, 'lock');

exports.built = built;
exports.build = build;
exports.mochaGlobalSetup = build;

/** Makes the program of the sources as they are; a second process waits, because files of two builds that mix are no program. */
function build() {
  while (madeFrom() !== stateOf(sources())) {
    const release = lock();
    try {
      make();
    } finally {
      release();
    }
  }
}

const madeFrom = () => (fs.existsSync(stamp) ? fs.readFileSync(stamp, 'utf8') : '');

function sources() {
  const rooms = ['scratch', 'src', 'harness', 'docs/schemas', 'test/support', 'test/harness/bench'];
  return rooms
    .flatMap((room) => filesIn(path.join(root, room)))
    .map((file) => path.relative(root, file))
    .filter((file) => !file.endsWith('.test.ts'));
}

function stateOf(files) {
  const state = createHash('sha256');
  for (const file of [...files, 'node_modules/esbuild/package.json', 'test/support/build-program.cjs'])
    state.update(`${file}\n`).update(fs.readFileSync(path.join(root, file)));
  return state.digest('hex');
}

function make() {
  const files = sources();
  // of before the sources are read: where one is changed meanwhile, the next look at the stamp sees it
  const state = stateOf(files);
  if (madeFrom() === state) return;
  const { outputFiles } = require('esbuild').buildSync({
    absWorkingDir: root,
    entryPoints: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
    outdir: built,
    outbase: root,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    write: false,
  });
  const others = files.filter((file) => !file.endsWith('.ts'));
  const wanted = [
    ...outputFiles.map(({ path: file, contents }) => [file, Buffer.from(contents)]),
    ...others.map((file) => [path.join(built, file), fs.readFileSync(path.join(root, file))]),
  ];
  // a build that is killed halfway leaves no stamp: the next one makes everything again
  fs.rmSync(stamp, { force: true });
  for (const [file, contents] of wanted) replace(file, contents);
  // a module that moved from name.ts to name/index.ts would still be found under its old name
  const known = new Set(wanted.map(([file]) => file));
  const old = filesIn(built).filter((file) => !known.has(file) && !temporary.test(file) && file !== locked);
  for (const file of old) fs.rmSync(file, { force: true });
  if (stateOf(sources()) === state) replace(stamp, Buffer.from(state));
}

/** A build takes seconds, and on a busy machine less than this, in milliseconds. */
const longest = 120_000;

/** Waits until no other process builds; a lock whose process has ended, or that is older than any build, holds up no other. */
function lock() {
  fs.mkdirSync(built, { recursive: true });
  for (;;) {
    try {
      fs.writeFileSync(locked, String(process.pid), { flag: 'wx' });
      return () => fs.rmSync(locked, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isAbandoned()) fs.rmSync(locked, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function isAbandoned() {
  try {
    const { mtimeMs } = fs.statSync(locked);
    process.kill(Number(fs.readFileSync(locked, 'utf8')), 0);
    return Date.now() - mtimeMs > longest;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

const filesIn = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));

/** What `replace` of another process is about to rename. */
const temporary = /\.\d+$/;

/** Leaves an equal file alone and renames a new one into its place: another run of the program may be reading it. */
function replace(file, contents) {
  if (fs.existsSync(file) && fs.readFileSync(file).equals(contents)) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const written = `${file}.${process.pid}`;
  fs.writeFileSync(written, contents);
  fs.renameSync(written, file);
}
