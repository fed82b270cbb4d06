// The program as JavaScript, made by esbuild from scratch/, src/ and harness/ in a second: what `npm run cli` runs, and what tests start as
// a process of its own. A program from the sources takes five times as long to start, or twenty times where nothing is cached.
// `npm run build` makes the package's dist/ with the compiler; test/package tests that one.
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const built = path.join(root, 'dist-test');
const stamp = path.join(built, 'made-from');

exports.built = built;
exports.build = build;
exports.mochaGlobalSetup = build;

function build() {
  const rooms = ['scratch', 'src', 'harness', 'docs/schemas', 'test/support', 'test/harness/bench'];
  const files = rooms
    .flatMap((room) => filesIn(path.join(root, room)))
    .map((file) => path.relative(root, file))
    .filter((file) => !file.endsWith('.test.ts'));
  const state = createHash('sha256');
  for (const file of [...files, 'node_modules/esbuild/package.json', 'test/support/build-program.cjs'])
    state.update(`${file}\n`).update(fs.readFileSync(path.join(root, file)));
  const madeFrom = state.digest('hex');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === madeFrom) return;
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
  const old = filesIn(built).filter((file) => !known.has(file) && !temporary.test(file));
  for (const file of old) fs.rmSync(file, { force: true });
  replace(stamp, Buffer.from(madeFrom));
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
