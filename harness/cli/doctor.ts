import fs from 'node:fs';
import type { BackendName, ProbeAnswer } from '../../src/index';
import { exitCodes } from '../base/outcome';
import { defineCommand } from './command';
import { jsonFlag } from './options';
import { openOutputs } from './outputs';

export const defineDoctor = defineCommand({
  name: 'doctor',
  description:
    'show the Node.js version, CPU, cache and backends of this machine, and why a backend does not load',
  flags: { json: jsonFlag('the result') },
  async run(flags) {
    const outputs = await openOutputs(flags, { json: '"recipe"' });
    const json = await examine();
    return outputs.outcome({ exitCode: exitCodes.parity, text: await describe(json), json });
  },
});

/** What `rnn-parity doctor` finds. */
export type Examination = Awaited<ReturnType<typeof examine>>;

/** Every part is tried anew, nothing is remembered. */
export async function examine() {
  const twin = await import('../../src/index.js');
  const { backendNames, cacheDirectory, cacheEntries, probeBackend, recipe, runTool, thisPlatform } = twin;
  const firstLine = async (program: string, args: readonly string[]): Promise<string | undefined> => {
    const { code, stdout } = await runTool(program, args);
    return code === 0 ? stdout.split('\n')[0] : undefined;
  };
  const backends: ({ readonly name: BackendName } & ProbeAnswer)[] = [];
  // One after the other: each keeps both cores busy for a moment.
  for (const name of backendNames) backends.push({ name, ...(await probeBackend(name)) });
  const tfjsNode = twin.tfjsNodePackage();
  const pip = await firstLine('python3', ['-m', 'pip', '--version']);
  const compiler = await firstLine(process.env['CXX'] ?? 'g++', ['--version']);
  const directory = cacheDirectory();
  const entries = cacheEntries(directory);
  return {
    node: process.version,
    platform: thisPlatform(),
    backends,
    ...(tfjsNode && {
      tfjsNode: {
        version: tfjsNode.version,
        directory: tfjsNode.directory,
        ...(fs.existsSync(tfjsNode.addon) && { addon: fs.realpathSync(tfjsNode.addon) }),
      },
    }),
    // the versions that set-up builds, and what it would build with
    recipe: { tfjsNode: recipe.tfjsNode, tensorflow: recipe.tensorflow },
    tools: { ...(pip !== undefined && { pip }), ...(compiler !== undefined && { compiler }) },
    cache: { directory, entries, bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0) },
  };
}

/** The examination for people, one word and its value per line. */
export async function describe(examination: Examination): Promise<string> {
  const { megabytes } = await import('../../src/index.js');
  const { node, platform, backends, tfjsNode, tools, cache } = examination;
  const glibc = platform.glibc === undefined ? '' : `, glibc ${platform.glibc}`;
  const features = platform.cpuFeatures === undefined ? 'features unknown' : platform.cpuFeatures.join(' ');
  const rows: (readonly [string, string])[] = [
    ['node', `${node}, ${platform.os} ${platform.architecture}${glibc}`],
    ['cpu', `${platform.cpu} (${features})`],
    ...backends.map((backend) => [backend.name, answerText(backend)] as const),
    ['tfjs-node', tfjsNode ? `${tfjsNode.version} in ${tfjsNode.directory}` : 'not installed'],
    ['addon', tfjsNode?.addon ?? 'not set up'],
    [
      'set-up',
      `builds tfjs-node ${examination.recipe.tfjsNode} with TensorFlow ${examination.recipe.tensorflow}`,
    ],
    ['pip', tools.pip ?? 'missing (Debian, Ubuntu: `apt-get install python3-pip`)'],
    ['compiler', tools.compiler ?? 'missing (Debian, Ubuntu: `apt-get install g++`)'],
    ['cache', `${cache.directory}, ${megabytes(cache.bytes)}; \`rnn-parity setup --clean\` removes it`],
    ...cache.entries.map(({ name, bytes }) => ['', `${name}  ${megabytes(bytes)}`] as const),
  ];
  return rows.map(([word, value]) => `${word.padEnd(11)}${value}`).join('\n');
}

function answerText(answer: ProbeAnswer): string {
  if (answer.works) return `works: ${answer.version}`;
  return `does not load: ${answer.reason}${answer.fix === undefined ? '' : `; ${answer.fix}`}`;
}
