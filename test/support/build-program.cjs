// The program that tests start as a process of its own: scratch/, src/ and harness/ as JavaScript, made once before the tests by
// esbuild (a second), because a program from the sources takes twice as long to start, a hundred times over. `npm run build` makes the
// package's dist/ with the compiler; test/package tests that one.
const fs = require('node:fs');
const path = require('node:path');
const { buildSync } = require('esbuild');

const root = path.join(__dirname, '..', '..');
const built = path.join(root, 'dist-test');

exports.mochaGlobalSetup = () => {
  const files = ['scratch', 'src', 'harness', 'docs/schemas'].flatMap((room) =>
    fs
      .readdirSync(path.join(root, room), { recursive: true })
      .map((name) => path.join(room, name))
      .filter((file) => fs.statSync(path.join(root, file)).isFile()),
  );
  const { outputFiles } = buildSync({
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
  for (const [file, contents] of wanted) replace(file, contents);
};

/** Leaves an equal file alone and renames a new one into its place: another run of the tests may be reading it. */
function replace(file, contents) {
  if (fs.existsSync(file) && fs.readFileSync(file).equals(contents)) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  fs.writeFileSync(temporary, contents);
  fs.renameSync(temporary, file);
}
