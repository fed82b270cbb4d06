import { execFileSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

/** Builds dist/ and packs the package as `npm publish` would; returns the tarball and the names of its files. */
export function pack(directory: string): { tarball: string; files: string[] } {
  const run = (name: string, ...args: string[]): void => {
    execFileSync(path.join(root, 'node_modules', '.bin', name), args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  };
  // `npm run build` without the type check, which has its own script and takes three quarters of the time.
  run('rimraf', 'dist');
  run('tsc', '-p', 'tsconfig.build.json', '--noCheck');
  execFileSync('npm', ['run', '-s', 'build:rest'], { cwd: root, stdio: 'ignore' });
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  // npm 12 prints an object by package name, earlier ones a list.
  const [packed] = Object.values(
    JSON.parse(output) as Record<string, { filename: string; files: { path: string }[] }>,
  );
  return { tarball: path.join(directory, packed.filename), files: packed.files.map((file) => file.path) };
}
