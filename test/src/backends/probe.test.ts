import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type * as Tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  backendNames,
  childScript,
  loadBackend,
  probeBackend,
  runTool,
  tfjsNodePackage,
} from '../../../src/index';
import { checkComputation } from '../../../src/backends/index';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('probeBackend', () => {
  const directory = temporaryDirectory();

  it('finds that an addon computes, and says with which TensorFlow', async () => {
    expect(await probeBackend('tensorflow')).to.deep.equal({ works: true, version: 'TensorFlow 2.21.0' });
  });

  it('says why an addon cannot be loaded: not there, no library, libraries missing', async () => {
    const absent = path.join(directory(), 'absent.node');
    const text = path.join(directory(), 'text.node');
    fs.writeFileSync(text, 'not a library');
    const alone = path.join(directory(), 'alone.node');
    fs.copyFileSync(fs.realpathSync(tfjsNodePackage()?.addon ?? ''), alone);
    const [forAbsent, forText, forAlone] = await Promise.all(
      [absent, text, alone].map((addon) => probeBackend('tensorflow', addon)),
    );
    const fix = 'run `npx rnn-parity setup` (in a checkout: `npm run setup:native`)';
    expect(forAbsent).to.deep.equal({
      works: false,
      reason: `the addon of tfjs-node has not been set up (${absent} does not exist)`,
      fix,
    });
    expect(forText).to.include({ works: false, fix });
    expect((forText as { reason: string }).reason).to.contain(text);
    expect((forAlone as { reason: string }).reason).to.match(
      /libtensorflow_cc\.so\.2: cannot open shared object file/,
    );
  });
});

describe('checkComputation', () => {
  it('accepts every backend', async () => {
    for (const name of backendNames) {
      const { tf, use } = await loadBackend(name);
      use();
      const before = tf.memory().numTensors;
      checkComputation(tf);
      expect(tf.memory().numTensors).to.equal(before);
    }
  });

  it('rejects a wrong product, a wrong tanh, a wrong gradient, NaN and missing numbers', async () => {
    const { tf, use } = await loadBackend('cpu');
    use();
    const wrong: readonly [Partial<typeof Tf>, RegExp][] = [
      [{ tanh: (x) => tf.mul(tf.tanh(x), 1.0001) }, /^tanh\(x·W\): number 0 is/],
      [{ tanh: (x) => tf.mul(x, NaN) }, /is NaN, expected/],
      [{ matMul: (a, b) => tf.matMul(tf.neg(a), b) }, /^tanh\(x·W\): number 0 is/],
      [{ sum: (x) => tf.mean(x) }, /^the gradient of sum/],
      [
        { matMul: ((a: Tf.Tensor2D, b: Tf.Tensor2D) => tf.matMul(a, b).slice(0, 1)) as typeof tf.matMul },
        /has 2 numbers, expected 4/,
      ],
    ];
    for (const [change, message] of wrong) {
      const broken = { ...tf, ...change };
      expect(() => checkComputation(broken)).to.throw(message);
    }
  });
});

describe('loading in other places', () => {
  const script = childScript(path.join(__dirname, '..', '..', '..', 'src', 'native', 'probe-child'));

  for (const name of backendNames)
    it(`${name} writes nothing of its own on stderr while it loads and computes`, async () => {
      const result = await runTool(process.execPath, [...script, name], { env: { NODE_OPTIONS: '' } });
      expect(result.stderr).to.equal('');
      expect(JSON.parse(result.stdout)).to.include({ works: true });
    });

  it('a worker thread can load the native backend along with the main thread', async () => {
    await loadBackend('tensorflow');
    const [file = '', ...args] = script;
    const worker = new Worker(file, { argv: [...args, 'tensorflow'], stdout: true });
    let output = '';
    worker.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    expect(code).to.equal(0);
    expect(JSON.parse(output)).to.deep.equal({ works: true, version: 'TensorFlow 2.21.0' });
  });
});
