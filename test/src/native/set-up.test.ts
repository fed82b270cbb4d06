import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { childScript, SetUpError, setUpNative, type SetUpResult } from '../../../src/index';
import { isAlive } from '../../../src/native/cache';
import { withEnvironment } from '../../support/environment';
import { fakeProbe, makeFakeToolchain, type FakeToolchain } from '../../support/fake-toolchain';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('setUpNative', () => {
  const directory = temporaryDirectory();
  let tools: FakeToolchain;
  beforeEach(async () => {
    tools = await makeFakeToolchain(directory());
  });

  const setUp = (env: Record<string, string> = {}): Promise<SetUpResult> =>
    withEnvironment({ ...tools.env, ...env }, () =>
      setUpNative({ tfjsNode: tools.tfjsNode, probe: fakeProbe }),
    );
  const failure = async (env: Record<string, string> = {}): Promise<SetUpError> => {
    const error: unknown = await setUp(env).then(
      () => new Error('set-up succeeded'),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof SetUpError)) throw error;
    expect(cacheNames().filter((name) => name.startsWith('.tmp-'))).to.deep.equal([]);
    return error;
  };
  const cacheNames = (): string[] => (fs.existsSync(tools.cache) ? fs.readdirSync(tools.cache) : []);
  const linked = (): string => fs.readlinkSync(tools.tfjsNode.addon);

  it('builds, then finds it ready, then links it from the cache without building', async () => {
    const built = await setUp();
    expect(built.how).to.equal('built');
    expect(built.version).to.equal('TensorFlow fake');
    expect(linked()).to.equal(built.addon);
    expect(fs.readdirSync(path.dirname(built.addon)).sort()).to.deep.equal([
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so.2',
      'tfjs_binding.node',
    ]);
    const calls = tools.calls();
    expect(calls.filter((name) => name === 'python3')).to.have.length(1);
    expect((await setUp()).how).to.equal('ready');
    fs.rmSync(tools.tfjsNode.addon);
    expect((await setUp()).how).to.equal('linked');
    expect(linked()).to.equal(built.addon);
    expect(tools.calls()).to.deep.equal(calls);
  });

  it('remembers that an addon works, until a file of it changes', async () => {
    const { addon } = await setUp();
    let probes = 0;
    const count = (): Promise<SetUpResult> =>
      withEnvironment(tools.env, () =>
        setUpNative({ tfjsNode: tools.tfjsNode, probe: (file) => (probes++, fakeProbe(file)) }),
      );
    await count();
    expect(probes).to.equal(0);
    fs.appendFileSync(path.join(path.dirname(addon), 'libtensorflow_cc.so.2'), '!');
    expect((await count()).how).to.equal('ready');
    expect(probes).to.equal(1);
  });

  for (const [what, damage] of [
    ['a cut addon', (addon: string) => fs.truncateSync(addon, 2)],
    [
      'a missing library',
      (addon: string) => fs.rmSync(path.join(path.dirname(addon), 'libtensorflow_cc.so.2')),
    ],
    ['no addon at all', (addon: string) => fs.rmSync(addon)],
  ] as const)
    it(`builds anew over a damaged cache entry: ${what}`, async () => {
      const { addon } = await setUp();
      damage(addon);
      const again = await setUp();
      expect(again).to.include({ how: 'built', addon });
      expect(fs.readFileSync(tools.tfjsNode.addon, 'utf8')).to.equal('addon');
      expect(cacheNames().filter((name) => name !== 'checked')).to.have.length(1);
    });

  it('builds anew when the link leads to the entry of an older recipe, which stays for other projects', async () => {
    const { addon } = await setUp();
    const entry = path.dirname(addon);
    const older = `${entry.slice(0, entry.lastIndexOf('-'))}-1`;
    fs.renameSync(entry, older);
    fs.rmSync(tools.tfjsNode.addon);
    fs.symlinkSync(path.join(older, path.basename(addon)), tools.tfjsNode.addon);
    expect(await setUp()).to.include({ how: 'built', addon });
    expect(linked()).to.equal(addon);
    expect(fs.existsSync(older)).to.equal(true);
  });

  it('keeps an addon that is not ours when it works, and replaces one that does not', async () => {
    const place = path.dirname(tools.tfjsNode.addon);
    fs.mkdirSync(place, { recursive: true });
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
      fs.writeFileSync(path.join(place, name), '');
    fs.writeFileSync(tools.tfjsNode.addon, 'addon');
    expect(await setUp()).to.include({ how: 'ready', addon: tools.tfjsNode.addon });
    expect(tools.calls()).to.deep.equal([]);
    fs.writeFileSync(tools.tfjsNode.addon, 'half of an add');
    expect((await setUp()).how).to.equal('built');
    expect(linked()).to.contain(tools.cache);
  });

  const failures: readonly [
    what: string,
    prepare: () => void,
    reason: RegExp,
    fix: RegExp,
    env?: () => Record<string, string>,
  ][] = [
    [
      'no compiler',
      () => tools.program('g++', undefined),
      /^there is no C\+\+ compiler$/,
      /apt-get install g\+\+/,
    ],
    [
      'no Python',
      () => tools.program('python3', undefined),
      /^there is no python3$/,
      /apt-get install python3-pip/,
    ],
    [
      'no pip',
      () => tools.program('python3', '\nexit 1'),
      /^Python has no pip$/,
      /apt-get install python3-pip/,
    ],
    [
      'a download that fails',
      () =>
        tools.program(
          'python3',
          '\ncase "$*" in *--version*) exit 0;; esac\necho "ERROR: no route to host" >&2\nexit 1',
        ),
      /^pip could not download tensorflow-cpu 2\.21\.0 \(exit code 1: ERROR: no route to host\)$/,
      /check the network/,
    ],
    [
      'a wheel without the libraries',
      () => fs.copyFileSync(emptyZip(), path.join(directory(), 'fake.whl')),
      /does not hold tensorflow\/include\/tensorflow\/c\/c_api\.h/,
      /run set-up again/,
    ],
    [
      'a compiler that refuses the sources',
      () =>
        tools.program(
          'g++',
          '\ncase "$*" in *--version*) exit 0;; esac\necho "x.cc:1: error: no such thing" >&2\nexit 1',
        ),
      /^g\+\+ could not compile tfjs-node's binding \(exit code 1: x\.cc:1: error: no such thing\)$/,
      /C\+\+17/,
    ],
    [
      'an addon that does not compute',
      () =>
        tools.program(
          'g++',
          '\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && target="$2"; shift; done\n[ -z "$target" ] || echo bad > "$target"',
        ),
      /^the addon was built but does not compute \(it does not say addon\)$/,
      /doctor/,
    ],
    [
      'a cache that cannot be written',
      () => undefined,
      /^the cache directory cannot be written \(ENOTDIR/,
      /XDG_CACHE_HOME/,
      () => ({ XDG_CACHE_HOME: path.join(directory(), 'fake.whl') }),
    ],
  ];
  function emptyZip(): string {
    const file = path.join(directory(), 'empty.zip');
    fs.writeFileSync(file, Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]));
    return file;
  }
  for (const [what, prepare, reason, fix, env] of failures)
    it(`says what is wrong and how to fix it: ${what}`, async () => {
      prepare();
      const error = await failure(env?.());
      expect(error.reason).to.match(reason);
      expect(error.fix).to.match(fix);
      expect(fs.existsSync(tools.tfjsNode.addon)).to.equal(false);
    });

  it('refuses another version of tfjs-node than the recipe is for', async () => {
    const tfjsNode = { ...tools.tfjsNode, version: '4.21.0' };
    const error: unknown = await withEnvironment(tools.env, () =>
      setUpNative({ tfjsNode, probe: fakeProbe }).catch((thrown: unknown) => thrown),
    );
    expect((error as Error).message).to.match(
      /has version 4\.21\.0, this set-up builds 4\.22\.0; run `npm install/,
    );
  });

  it('builds without strip', async () => {
    tools.program('strip', undefined);
    expect((await setUp()).how).to.equal('built');
  });

  describe('in processes of their own', () => {
    const start = (): ReturnType<typeof spawn> & { output: () => string } => {
      const child = spawn(
        process.execPath,
        [
          ...childScript(path.join(__dirname, '..', '..', 'support', 'set-up-child')),
          tools.tfjsNode.directory,
        ],
        { env: { ...process.env, ...tools.env }, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
      );
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      return Object.assign(child, { output: () => output });
    };
    /** a pip that says it is there and then takes long */
    const slowPython =
      '\ncase "$*" in *--version*) exit 0;; esac\necho $$ > "$FAKE/pip-runs"\nexec /bin/sleep 60';
    const pipRuns = async (): Promise<number> => {
      const file = path.join(directory(), 'pip-runs');
      for (let tries = 0; tries < 600; tries++) {
        const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
        if (text.endsWith('\n')) return Number(text);
        await sleep(50);
      }
      throw new Error('pip was not run');
    };

    it('two at once both succeed and leave one entry', async () => {
      tools.program('python3', pythonThatWaitsForTwo());
      const children = [start(), start()];
      const codes = await Promise.all(
        children.map(async (child) => (await once(child, 'close'))[0] as number),
      );
      expect(children.map((child) => child.output())).to.deep.equal(['built', 'built']);
      expect(codes).to.deep.equal([0, 0]);
      expect(cacheNames().filter((name) => name !== 'checked')).to.have.length(1);
      expect(fs.readFileSync(tools.tfjsNode.addon, 'utf8')).to.equal('addon');
      expect((await setUp()).how).to.equal('ready');
    });

    /** Neither download ends before both have begun, so that the two builds really meet. */
    function pythonThatWaitsForTwo(): string {
      const script = fs
        .readFileSync(path.join(directory(), 'bin', 'python3'), 'utf8')
        .replace('#!/bin/sh', '');
      return script.replace(
        '/bin/mkdir',
        'while [ "$(/bin/grep -c python3 "$FAKE/calls")" -lt 2 ]; do /bin/sleep 0.05; done\n/bin/mkdir',
      );
    }

    it('one that is killed leaves nothing that the next one stumbles over', async () => {
      const usual = fs
        .readFileSync(path.join(directory(), 'bin', 'python3'), 'utf8')
        .replace('#!/bin/sh', '');
      tools.program('python3', slowPython);
      const child = start();
      await pipRuns();
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'close');
      expect(cacheNames().filter((name) => name.startsWith('.tmp-'))).to.have.length(1);
      tools.program('python3', usual);
      expect((await setUp()).how).to.equal('built');
      expect(cacheNames().filter((name) => name.startsWith('.tmp-'))).to.have.length(0);
    });

    it('one that is asked to end removes what it has begun and ends the programs that it started', async () => {
      tools.program('python3', slowPython);
      const child = start();
      const pip = await pipRuns();
      process.kill(child.pid ?? 0, 'SIGTERM');
      const [, signal] = (await once(child, 'close')) as [number | null, string | null];
      expect(signal).to.equal('SIGTERM');
      expect(cacheNames()).to.deep.equal([]);
      for (let tries = 0; isAlive(pip) && tries < 100; tries++) await sleep(50);
      expect(isAlive(pip)).to.equal(false);
    });
  });
});
