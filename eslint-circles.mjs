// An ESLint rule: no import circle, types included. The other rules for it do not count `import type`, and a circle of types is
// what keeps two rooms from being read one after the other.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

let circles;

export const noCircle = {
  meta: { type: 'problem', schema: [] },
  create: (context) => ({
    'Program:exit': (node) => {
      circles ??= findCircles(['scratch', 'src', 'harness'].flatMap(filesUnder));
      const circle = circles.get(path.relative(context.cwd, context.filename));
      if (circle) context.report({ node, message: `Import circle (types count): ${circle.join(' -> ')}` });
    },
  }),
};

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((file) => file.endsWith('.ts') && statSync(file).isFile());
}

/** A relative import's file; undefined for packages and data. */
function resolve(from, specifier) {
  const base = path.join(path.dirname(from), specifier.replace(/\.js$/, ''));
  return [`${base}.ts`, path.join(base, 'index.ts')].find((file) => existsSync(file));
}

/** File -> the circle it lies on, found by walking down from every file once (depth first). */
function findCircles(files) {
  const imports = new Map(
    files.map((file) => {
      const names = ts
        .preProcessFile(readFileSync(file, 'utf8'))
        .importedFiles.map(({ fileName }) => fileName);
      const inside = names.filter((name) => name.startsWith('.'));
      return [file, inside.map((name) => resolve(file, name)).filter((found) => found !== undefined)];
    }),
  );
  const found = new Map();
  const done = new Set();
  const walk = (file, above) => {
    const at = above.indexOf(file);
    if (at >= 0) for (const member of above.slice(at)) found.set(member, [...above.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) walk(next, [...above, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  return found;
}
