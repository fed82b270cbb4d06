import { expect } from 'chai';
import fc from 'fast-check';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskOf } from '../../../harness/training/data/index';
import { layoutNames, readLayout, writeLayout } from '../../../harness/models/index';
import { formatNpz, numbersOf, readNpz } from '../../../harness/base/files/index';
import { runCli } from '../../support/run-cli';
import { UsageError } from '../../../harness/base/outcome';
import { readSavedModel } from '../../../harness/models/index';
import { initialClassifierWeights, ScratchSimpleRNNClassifier, weightNames } from '../../../scratch/index';

const fixtures = join(__dirname, '../../fixtures/exchange');

async function imported(name: string) {
  const file = join(fixtures, name);
  const { layout, weights, notes } = readLayout(await readNpz(file), file);
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  return { layout, notes, model: new ScratchSimpleRNNClassifier({ features, units, classes, weights }) };
}

function expectClose(found: Float64Array, expected: Float64Array): void {
  expect(found.length).to.equal(expected.length);
  found.forEach((x, i) => expect(Math.abs(x - expected[i])).to.be.lessThan(1e-14));
}

describe('weights of other programs', () => {
  it("imports PyTorch's nn.RNN: transposed weights, two biases; same probabilities", async () => {
    const { layout, notes, model } = await imported('pytorch.npz');
    expect(layout).to.equal('pytorch');
    expect(notes.join()).to.match(/transposed.*added to one bias/);
    const answers = await readNpz(join(fixtures, 'pytorch_answers.npz'));
    const { data } = model.predictProbabilities(numbersOf(answers, 'inputs', 3, 'answers'));
    expectClose(data, numbersOf(answers, 'probabilities', 2, 'answers').data);
  });

  it("imports Keras's SimpleRNN; same probabilities on padded, masked sequences", async () => {
    const { layout, model } = await imported('keras.npz');
    expect(layout).to.equal('keras');
    const answers = await readNpz(join(fixtures, 'keras_answers.npz'));
    const inputs = numbersOf(answers, 'inputs', 3, 'answers');
    const lengths = Int32Array.from(numbersOf(answers, 'lengths', 1, 'answers').data);
    const mask = maskOf(lengths, inputs.shape[1]);
    const { data } = model.predictProbabilities(inputs, mask ? { mask } : {});
    expectClose(data, numbersOf(answers, 'probabilities', 2, 'answers').data);
  });

  it('returns the same weights through every layout', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...layoutNames),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 2, max: 4 }),
        fc.nat(),
        async (name, features, units, classes, seed) => {
          const start = initialClassifierWeights({ features, units, classes, seed });
          start.bias.data.forEach((_, i) => (start.bias.data[i] = i + 0.5));
          const { layout, weights } = readLayout(
            await readNpz(await formatNpz(writeLayout(name, start))),
            'x',
          );
          expect(layout).to.equal(name);
          for (const key of weightNames) {
            expect(weights[key].shape).to.eql(start[key].shape);
            expect(Array.from(weights[key].data)).to.eql(Array.from(start[key].data));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses what does not fit, with names and shapes', () => {
    const array = (...shape: number[]) => ({
      dtype: '<f8',
      shape,
      data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
    });
    const read = (entries: Record<string, ReturnType<typeof array>>) => () =>
      readLayout(new Map(Object.entries(entries)), 'w.npz');
    const torch = {
      'rnn.weight_ih_l0': array(5, 3),
      'rnn.weight_hh_l0': array(5, 5),
      'rnn.bias_ih_l0': array(5),
      'rnn.bias_hh_l0': array(5),
      'fc.weight': array(2, 5),
      'fc.bias': array(2),
    };
    expect(read({ other: array(1) })).to.throw(UsageError, /w\.npz has other: no layout/);
    expect(read({ ...torch, 'rnn.weight_ih_l1': array(5, 5) })).to.throw(
      UsageError,
      /weight_ih_l1; one layer/,
    );
    expect(read({ ...torch, 'rnn.bias_hh_l0': array(4) })).to.throw(UsageError, /5 and 4 elements/);
    expect(read({ ...torch, 'fc.weight': array(2, 4) })).to.throw(UsageError, /\[4, 2\]/);
    expect(read({ ...torch, 'head.weight': array(2, 5) })).to.throw(UsageError, /several output layers/);
    // a name is no pattern of a replacement
    const named = Object.entries(torch).map(([name, one]) => [`a$&b.${name}`, one]);
    expect(read(Object.fromEntries(named) as typeof torch)().layout).to.equal('pytorch');
  });

  it('goes round through the commands: import, export, import', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
    const out = (name: string): string => join(folder, name);
    try {
      const run = (...args: string[]) => runCli(args).then(({ exitCode }) => exitCode);
      expect(
        await run(
          'import',
          '--from',
          join(fixtures, 'pytorch.npz'),
          '--out',
          out('a'),
          '--class-names',
          'w,x,y,z',
        ),
      ).to.equal(0);
      for (const names of ['w,x,y,', 'w,x,y,w'])
        expect(
          await run(
            ...['import', '--from', join(fixtures, 'pytorch.npz')],
            ...['--out', out('c'), '--class-names', names],
          ),
        ).to.equal(2);
      expect(existsSync(out('c'))).to.equal(false);
      expect(
        await run('export', '--model', out('a'), '--layout', 'notebook', '--out', out('n.npz')),
      ).to.equal(0);
      expect(
        await run('export', '--model', out('a'), '--layout', 'notebook', '--out', out('n.npz')),
      ).to.equal(2);
      expect(await run('import', '--from', out('n.npz'), '--out', out('b'))).to.equal(0);
      expect(await run('import', '--from', out('n.npz'), '--out', out('b'))).to.equal(2);
      const [a, b] = [await readSavedModel(out('a')), await readSavedModel(out('b'))];
      expect(a.metadata.classNames).to.eql(['w', 'x', 'y', 'z']);
      // Bit for bit: weights.npz keeps float64.
      expect(b.weights).to.eql(a.weights);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
