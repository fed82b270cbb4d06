import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../../harness/base/outcome';
import { namedWeights, readSavedModel } from '../../../harness/models/index';
import {
  resolveSettings,
  train,
  type TrainChoices,
  type TrainOptions,
} from '../../../harness/training/index';
import { checkNetworkSize } from '../../../harness/training/network';
import { openSummaries } from '../../../harness/training/summaries';
import type { LayersNetwork, StackWeights } from '../../../scratch/index';
import { testedBackends } from '../../support/backends';

const folder = mkdtempSync(join(tmpdir(), 'train-'));
let runs = 0;
const fresh = (): string => join(folder, `run-${runs++}`);
after(() => rmSync(folder, { recursive: true }));

/** Small enough to train in milliseconds; sequences of different lengths. */
function tinyTable(): string {
  const lines = ['sequence,step,x,y,label'];
  for (let n = 0; n < 24; n++)
    for (let t = 0; t < 2 + (n % 3); t++)
      lines.push(`s${n},${t},${Math.sin(n * 7 + t)},${(n % 2) * 2 - t},${n % 2 ? 'odd' : 'even'}`);
  const file = join(folder, 'tiny.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const tiny = (choices: TrainChoices = {}): TrainChoices => ({
  model: 'scratch',
  units: 3,
  epochs: 4,
  batchSize: 5,
  ...choices,
  data: { source: tinyTable(), ...choices.data },
});

async function trained(choices: TrainChoices, options: TrainOptions = {}) {
  const result = await train(choices, options);
  const weights = result.sides.map((side) => side.getWeights());
  result.dispose();
  return { ...result, weights };
}

function expectSameBits(found: readonly StackWeights[], expected: readonly StackWeights[]): void {
  const bytes = (weights: StackWeights): [name: string, bytes: string][] =>
    namedWeights(weights).map(([name, { data }]) => [name, Buffer.from(data.slice().buffer).toString('hex')]);
  found.forEach((weights, i) => expect(bytes(weights)).to.eql(bytes(expected[i])));
}

async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

/** Stops a run after that many batches, as Ctrl-C does. */
function stopAfter(batches: number): Pick<TrainOptions, 'signal' | 'onBatch'> {
  const controller = new AbortController();
  let seen = 0;
  return {
    signal: controller.signal,
    onBatch: () => {
      if (++seen === batches) controller.abort();
    },
  };
}

describe('train', () => {
  it('leaves everything that a run is to leave, and nothing else', async () => {
    const out = fresh();
    const { outcome, metrics, history } = await trained(tiny(), { out });
    expect(outcome).to.equal('finished');
    expect(readdirSync(out).sort()).to.eql([
      'checkpoint.npz',
      'config.json',
      'history.jsonl',
      'model.json',
      'report.html',
      'weights.bin',
      'weights.npz',
    ]);
    const lines = readFileSync(join(out, 'history.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.eql(
      history.map((record) => JSON.parse(JSON.stringify(record)) as unknown),
    );
    expect(metrics?.examples).to.equal(5);
    const report = readFileSync(join(out, 'report.html'), 'utf8');
    for (const title of [
      'Learning curves',
      'How far the gradient reaches back',
      'Confusion',
      'worst mistakes',
      'Settings',
    ])
      expect(report).to.contain(title);
    expect(report).not.to.match(/<script|(?:src|href)="(?!data:)/);
  });

  it('ends with the same weights, bit for bit, however often it is stopped and resumed', async () => {
    const choices = tiny({ patience: 3, optimizer: 'adam' });
    const whole = await trained(choices);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        async (stops) => {
          const out = fresh();
          let result = await trained(choices, { out, ...stopAfter(stops[0]) });
          for (const stop of [...stops.slice(1), Infinity]) {
            if (result.outcome === 'finished') break;
            result = await trained({}, { out, resume: true, ...stopAfter(stop) });
          }
          expect(result.outcome).to.equal('finished');
          expectSameBits(result.weights, whole.weights);
          const timeless = ({ history }: typeof result) =>
            history.map((record) => ({ ...record, seconds: 0 }));
          expect(timeless(result)).to.eql(timeless(whole));
        },
      ),
      { numRuns: 12 },
    );
  });

  for (const choices of [
    { model: 'graph' },
    ...(['tensorflow', 'wasm', 'cpu'] as const).flatMap((backend) =>
      (['bptt', 'autodiff'] as const).map((gradients) => ({ model: 'tfjs', backend, gradients }) as const),
    ),
  ] as const)
    it(`resumes ${Object.values(choices).join(', ')} bit for bit too`, async () => {
      const settings = tiny({ ...choices, optimizer: 'adam' });
      const whole = await trained(settings);
      const out = fresh();
      for (const stop of [3, 8, Infinity]) {
        const more = stop === 3 ? settings : {};
        await trained(more, { out, resume: stop !== 3, ...stopAfter(stop) });
      }
      const { weights } = await readSavedModel(out);
      expectSameBits([weights], whole.weights);
    });

  it('picks the engine of the smallest step when it is asked to, and says why', async () => {
    const said: string[] = [];
    const result = await trained(tiny({ model: 'auto' }), { say: (line) => said.push(line) });
    expect(result.settings.model).to.equal('scratch');
    expect(said.find((line) => line.startsWith('engine'))).to.match(
      /scratch: a training step of B5 T4 F2 U3/,
    );
    expect(await refusal(train(tiny({ model: 'auto', backend: 'cpu' })))).to.match(/picks by itself/);
  });

  it('refuses to resume with other settings or data and names the difference', async () => {
    const out = fresh();
    await trained(tiny(), { out, ...stopAfter(3) });
    const again = (choices: TrainChoices): Promise<string> => refusal(train(choices, { out, resume: true }));
    expect(await again({ units: 4 })).to.match(/--units is 4 but was 3/);
    expect(await again({ data: { source: 'notebook' } })).to.match(
      /notebook is not the data the run was started with/,
    );
    expect(await again({ learningRate: 0.5, seed: 2 })).to.match(
      /--learning-rate is 0\.5.*--seed is 2 but was 1/,
    );
    const file = tinyTable();
    writeFileSync(file, readFileSync(file, 'utf8').replace('s3,0,', 's3,0,1'));
    expect(await again({})).to.match(/same sizes and classes, other numbers.*SHA-256 [0-9a-f]{12}, was/);
    writeFileSync(file, `${readFileSync(file, 'utf8')}s99,0,1,1,odd\n`);
    expect(await again({})).to.match(/25 sequences, was 24/);
    tinyTable();
    expect(await refusal(train(tiny(), { out: fresh(), resume: true }))).to.match(/nothing to resume/);
  });

  it('never replaces files unasked', async () => {
    const out = fresh();
    await trained(tiny({ epochs: 1 }), { out });
    const before = readFileSync(join(out, 'weights.npz'));
    writeFileSync(join(out, 'mine.txt'), 'mine');
    expect(await refusal(train(tiny({ epochs: 2 }), { out }))).to.match(/holds 8 files already.*--force/);
    expect(readFileSync(join(out, 'weights.npz')).equals(before)).to.equal(true);
    await trained(tiny({ epochs: 2 }), { out, force: true });
    expect(readFileSync(join(out, 'weights.npz')).equals(before)).to.equal(false);
    expect(existsSync(join(out, 'mine.txt'))).to.equal(true);
  });

  it('keeps the weights of the best epoch when patience runs out', async () => {
    const { best, history, metrics, outcome } = await trained(
      tiny({ patience: 2, epochs: 60, learningRate: 0.5, decay: 'none', clipNorm: 0 }),
    );
    expect(outcome).to.equal('finished');
    const losses = history.map(({ sides }) => sides[0].validationLoss ?? NaN);
    expect(best?.loss).to.equal(Math.min(...losses));
    expect(metrics?.loss).to.be.closeTo(Math.min(...losses), 1e-12);
    expect(history.length).to.equal((best?.epoch ?? 0) + 2);
  });

  it('does not wait for a validation loss that there is not, and says that nothing is kept back', async () => {
    const choices = tiny({ epochs: 1 });
    const data = { ...choices.data, validation: 0.001 };
    expect(await refusal(train({ ...choices, data, patience: 2 }))).to.match(
      /--patience watches the validation loss, and --validation 0\.001 keeps back none of \d+ sequences/,
    );
    const lines: string[] = [];
    (await train({ ...choices, data }, { say: (line) => lines.push(line) })).dispose();
    expect(lines.join('\n')).to.match(
      /warning .*--validation 0\.001 of \d+ sequences .* nothing is kept back/,
    );
  });

  it('stops when the loss explodes and says where, how large, and what to do', async () => {
    const choices = tiny({
      optimizer: 'sgd',
      learningRate: 1e8,
      clipNorm: 0,
      decay: 'none',
      data: { standardize: true },
    });
    const out = fresh();
    const { outcome, reason } = await trained(choices, { out });
    expect(outcome).to.equal('diverged');
    expect(reason).to.match(
      /^scratch: training diverged at step \d+ \(epoch 1, batch \d of 4\): loss \S+, gradient norm \S+, learning rate 100000000\.\nAdvice: /,
    );
    expect(existsSync(join(out, 'model.json'))).to.equal(false);
    const broken = await trained(tiny(), {
      replaceSide: (side) => spoil(side, (result) => ({ ...result, loss: NaN })),
    });
    expect(broken.outcome).to.equal('diverged');
    expect(broken.reason).to.match(/step 1 .*loss NaN/);
  });

  it('has diverged where weights or a validation loss overflow, and leaves the last sound checkpoint', async () => {
    const out = fresh();
    const sgd = { optimizer: 'sgd', clipNorm: 0, decay: 'none', epochs: 1 } as const;
    await trained(tiny({ ...sgd, learningRate: 0.1 }), { out });
    const files = (): Record<string, string> =>
      Object.fromEntries(
        ['checkpoint.npz', 'history.jsonl'].map((name) => [name, readFileSync(join(out, name), 'base64')]),
      );
    const before = files();
    for (const [learningRate, model, what] of [
      [
        1e308,
        'scratch',
        /scratch: .*: [\w.]+ -?\d[^ ]* at position \d+, where float32 ends at 3.4e38, learning rate 1e\+308/,
      ],
      [1e39, 'tfjs', /tfjs:cpu\S*: .*: (validation loss NaN|[\w.]+ -?Infinity at position \d+)/],
    ] as const) {
      const backend = model === 'tfjs' ? ({ backend: 'cpu' } as const) : {};
      const { outcome, reason, history } = await trained(
        tiny({ ...sgd, model, ...backend, learningRate, batchSize: 1000 }),
        { out, force: true, checkpointSeconds: 0 },
      );
      expect(outcome, reason).to.equal('diverged');
      expect(reason)
        .to.match(what)
        .and.match(/\nAdvice: /);
      expect(history).to.deep.equal([]);
    }
    expect(files()).to.deep.equal(before);
  });

  it('refuses sizes that no memory holds in one line, before anything is allocated', async () => {
    const refused = (choices: TrainChoices): Promise<string> => trained(choices).then(() => 'taken', String);
    expect(await refused(tiny({ units: 1e9 }))).to.match(/^UsageError: --units: .*8.0e\+18 bytes/);
    for (const data of [{ examples: 1e9 }, { timeSteps: 1e9 }])
      expect(await refused({ model: 'scratch', data: { source: 'memory', ...data } })).to.match(
        /^UsageError: --examples and --time-steps: .* bytes, more than/,
      );
    expect(await trained(tiny(), { checkpointSeconds: -1 }).then(() => 'taken', String)).to.match(
      /^UsageError: --checkpoint-seconds is -1/,
    );
    const data = { fingerprint: '', sequences: 100, timeSteps: 50, features: 2, classNames: ['a', 'b'] };
    const settings = resolveSettings({ units: 1000, batchSize: 1e9 });
    checkNetworkSize(settings, data, 120e6);
    expect(() => checkNetworkSize(settings, data, 110e6)).to.throw(
      UsageError,
      /--units 1000 with --batch-size 100 and 50 time steps needs about 0.104 GiB to train, this machine has 0.102 GiB/,
    );
  });

  it('learns to tell classes apart by what comes first in sequences of different lengths', async () => {
    const { metrics } = await trained({
      model: 'scratch',
      units: 16,
      epochs: 30,
      learningRate: 0.01,
      data: { source: 'memory', timeSteps: 5, examples: 400 },
    });
    expect(metrics?.accuracy).to.be.greaterThan(0.95);
  });

  it('saves weights that load back bit for bit with names and scaling', async () => {
    const out = fresh();
    const { weights, data } = await trained(tiny(), { out });
    const saved = await readSavedModel(out);
    expectSameBits([saved.weights], weights);
    expect(saved.metadata.classNames).to.eql(['even', 'odd']);
    expect(saved.metadata.standardisation).to.eql(data.standardisation);
    expect(saved.metadata.featureNames).to.eql(['x', 'y']);
    expect(saved.metadata.maskValue).to.equal(-1e9);
  });
});

function spoil(
  side: LayersNetwork,
  change: (result: ReturnType<LayersNetwork['trainOnBatch']>) => ReturnType<LayersNetwork['trainOnBatch']>,
): LayersNetwork {
  const original = side.trainOnBatch.bind(side);
  side.trainOnBatch = (...args) => change(original(...args));
  return side;
}

describe('train both sides', () => {
  const both = (choices: TrainChoices = {}): TrainChoices =>
    tiny({ model: 'both', backend: 'cpu', ...choices });

  it('finds that they learn the same within rounding, with adam, sgd, clipping and masks', async () => {
    for (const optimizer of ['adam', 'sgd'] as const) {
      const { history, outcome, sideMetrics } = await trained(both({ optimizer }));
      expect(outcome).to.equal('finished');
      for (const { agreement, sides } of history) {
        expect(sides.map(({ name }) => name)).to.eql(['scratch', 'tfjs:cpu']);
        expect(agreement?.verdict).to.equal('rounding');
        // Something was compared: float32 differs from float64, and not by nothing.
        expect(agreement?.drift).to.be.greaterThan(0);
        expect(agreement?.noise).to.be.greaterThan(0);
      }
      expect(history[0].agreement?.worstStep?.share).to.be.within(1e-6, 1);
      expect(sideMetrics).to.have.length(2);
    }
  });

  const sabotage: Record<string, (side: LayersNetwork) => LayersNetwork> = {
    'a learning rate that is 1 % larger': (side) => {
      const compile = side.compile.bind(side);
      side.compile = (options) => compile({ ...options, learningRate: 0.002 * 1.01 });
      return side;
    },
    'a bias that is never updated': (side) => {
      const step = side.trainOnBatch.bind(side);
      side.trainOnBatch = (...args) => {
        const [{ bias }] = side.getWeights();
        const result = step(...args);
        const [first, ...others] = side.getWeights();
        side.setWeights([{ ...first, bias }, ...others]);
        return result;
      };
      return side;
    },
    'labels of which one is wrong': (side) => {
      const step = side.trainOnBatch.bind(side);
      side.trainOnBatch = (inputs, labels, options) =>
        step(
          inputs,
          Int32Array.from(labels as ArrayLike<number>, (label, i) => (i === 0 ? 1 - label : label)),
          options,
        );
      return side;
    },
    'weights that lose their last bits': (side) => {
      const step = side.trainOnBatch.bind(side);
      side.trainOnBatch = (...args) => {
        const result = step(...args);
        const weights = side.getWeights();
        for (const [, { data }] of namedWeights(weights))
          data.forEach((x, i) => (data[i] = Number(x.toPrecision(4))));
        side.setWeights(weights);
        return result;
      };
      return side;
    },
  };
  for (const [name, spoilSide] of Object.entries(sabotage)) {
    it(`stops when one side has ${name}`, async () => {
      const { outcome, reason } = await trained(both(), {
        replaceSide: (side) => (side.name === 'scratch' ? side : spoilSide(side)),
      });
      expect(outcome).to.equal('parted');
      expect(reason).to.match(/tfjs:cpu and scratch parted for another reason than rounding: .*\d/);
    });
  }

  it('resumes both sides and their noise bit for bit', async () => {
    const whole = await trained(both());
    const out = fresh();
    await trained(both(), { out, ...stopAfter(6) });
    const resumed = await trained({}, { out, resume: true });
    expectSameBits(resumed.weights, whole.weights);
    expect(resumed.history.map(({ agreement }) => agreement)).to.eql(
      whole.history.map(({ agreement }) => agreement),
    );
    expect(existsSync(join(out, 'tfjs', 'model.json'))).to.equal(true);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).to.contain('Do both sides learn the same?');
  });
});

describe('event files for TensorBoard', () => {
  for (const name of testedBackends.filter((one) => one === 'tensorflow'))
    it(`are refused in one line where their directory cannot be made, on ${name}`, async () => {
      expect(await refusal(openSummaries('/proc/rnn-parity'))).to.match(
        /^--tensorboard \/proc\/rnn-parity cannot be written to \(TensorFlow: .*\); choose/,
      );
    });
});
