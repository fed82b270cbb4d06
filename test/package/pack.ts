import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..');

/** Packs what `npm run build` made as `npm publish` would; returns the tarball and the names of its files. */
export function pack(directory: string): { tarball: string; files: string[] } {
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

/**
 * Lays the package out where npm would install it, with JavaScript that esbuild made before the tests instead of the compiler's, which takes
 * 20 s, and without typings and the page. install.ts has the package as it is published.
 */
export function layOut(installed: string): void {
  fs.mkdirSync(installed, { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(installed, 'package.json'));
  for (const room of ['scratch', 'src', 'harness', 'docs'])
    fs.cpSync(path.join(root, 'dist-test', room), path.join(installed, 'dist', room), {
      recursive: true,
      filter: (file) => !file.endsWith('.map'),
    });
}
