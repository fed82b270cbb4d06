import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { recipe } from '../../src/native/recipe';
import { tfjsNodeAt, type TfjsNodePackage } from '../../src/native/tfjs-node-package';

/**
 * A directory of programs that stand for Python, the compiler and strip, so that set-up can be tested without
 * downloading 270 MB: the wheel is a small zip with the right members, the "addon" a text file that says `addon`.
 */
export interface FakeToolchain {
  readonly tfjsNode: TfjsNodePackage;
  /** the environment of a set-up that finds only these programs */ readonly env: Record<string, string>;
  /** the cache that this environment makes set-up use */ readonly cache: string;
  /** replaces a program by a shell script; undefined removes it */
  program(name: 'python3' | 'g++' | 'strip', script: string | undefined): void;
  /** which programs were run so far, `--version` questions left out */ calls(): string[];
}

const python = `
case "$*" in *--version*) exit 0;; esac
echo python3 >> "$FAKE/calls"
while [ $# -gt 0 ]; do [ "$1" = -d ] && target="$2"; shift; done
/bin/mkdir -p "$target"
/bin/cp "$FAKE/fake.whl" "$target/"
`;

const compiler = `
case "$*" in *--version*) exit 0;; esac
echo g++ >> "$FAKE/calls"
while [ $# -gt 0 ]; do [ "$1" = -o ] && target="$2"; shift; done
printf addon > "$target"
`;

const strip = `
echo strip >> "$FAKE/calls"
/bin/cp "$4" "$3"
`;

export async function makeFakeToolchain(directory: string): Promise<FakeToolchain> {
  const bin = path.join(directory, 'bin');
  fs.mkdirSync(bin);
  await writeWheel(path.join(directory, 'fake.whl'));
  const package_ = path.join(directory, 'node_modules', '@tensorflow', 'tfjs-node');
  fs.mkdirSync(package_, { recursive: true });
  fs.writeFileSync(path.join(package_, 'package.json'), JSON.stringify({ version: recipe.tfjsNode }));
  const toolchain: FakeToolchain = {
    tfjsNode: tfjsNodeAt(package_),
    env: { PATH: bin, FAKE: directory, XDG_CACHE_HOME: path.join(directory, 'cache'), CXX: '' },
    cache: path.join(directory, 'cache', 'rnn-parity'),
    program: (name, script) => {
      const file = path.join(bin, name);
      fs.rmSync(file, { force: true });
      if (script !== undefined) fs.writeFileSync(file, `#!/bin/sh${script}`, { mode: 0o755 });
    },
    calls: () => {
      const file = path.join(directory, 'calls');
      return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
    },
  };
  toolchain.program('python3', python);
  toolchain.program('g++', compiler);
  toolchain.program('strip', strip);
  return toolchain;
}

function writeWheel(file: string): Promise<void> {
  const zip = new yazl.ZipFile();
  for (const name of recipe.libraries) zip.addBuffer(Buffer.from(name), `tensorflow/${name}`);
  for (const name of recipe.headers) zip.addBuffer(Buffer.from('// header'), `tensorflow/include/${name}`);
  zip.addBuffer(Buffer.from('print()'), 'tensorflow/__init__.py');
  zip.end();
  return pipeline(zip.outputStream, fs.createWriteStream(file));
}

/** Stands for loading the addon: it works if it says so and has its libraries next to it. */
export function fakeProbe(
  addon: string,
): Promise<{ works: true; version: string } | { works: false; reason: string }> {
  const file = fs.realpathSync(addon);
  const complete =
    fs.readFileSync(file, 'utf8') === 'addon' &&
    recipe.libraries.every((name) => fs.existsSync(path.join(path.dirname(file), name)));
  return Promise.resolve(
    complete
      ? { works: true, version: 'TensorFlow fake' }
      : { works: false, reason: 'it does not say addon' },
  );
}
