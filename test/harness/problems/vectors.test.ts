/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- files are damaged at will here */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { writeNpz } from '../../../harness/base/files/index';
import { UsageError } from '../../../harness/base/outcome';
import { runParity } from '../../../harness/parity/index';
import { loadVectors, parseVectors } from '../../../harness/problems/vectors/index';
import { temporaryDirectory } from '../../support/temporary-directory';

const fixtures = path.join(__dirname, '..', '..', 'fixtures', 'vectors');
const fixture = (name: string): string => path.join(fixtures, name);

type Json = Record<string, unknown>;

/** The smallest sound file; `change` may damage it. */
function file(change: (root: any) => void = () => undefined): string {
  const root = {
    format: 'rnn-parity-vectors/1',
    cases: [
      {
        id: 'one',
        problem: {
          inputs: [[[0.5], [0.25]]],
          labels: [1],
          weights: {
            kernel: [[1, 0]],
            recurrentKernel: [
              [0, 1],
              [1, 0],
            ],
            bias: [0, 0],
            outputKernel: [
              [1, 0, 0],
              [0, 1, 0],
            ],
            outputBias: [0, 0, 0],
          },
        },
        expected: { finalState: [[Math.tanh(0.25), Math.tanh(Math.tanh(0.5))]] } as Json,
        tolerance: { finalState: 1e-12 } as Json,
      },
    ],
  };
  change(root);
  return JSON.stringify(root);
}

describe('vectors, sound files', () => {
  it('reads nested arrays, base64 and npz', async () => {
    const cases = await loadVectors(['torch.json', 'torch.npz', 'keras.json'].map(fixture));
    expect(cases.map(({ id }) => id)).to.deep.equal([
      'torch/labels',
      'torch/labels-and-upstream',
      'torch/upstream',
      'keras/masked',
    ]);
    expect(cases[2].tolerance.get('states')).to.equal(1e-12);
    expect(cases[3].problem.mask?.shape).to.deep.equal([5, 7]);
    expect(cases[1].expected.gradients?.inputs?.shape).to.deep.equal([2, 4, 3]);
  });

  it('takes a mask of booleans, as Keras writes it, for one of 0 and 1', () => {
    const [{ problem }] = parseVectors(
      file((r) => (r.cases[0].problem.mask = [[true, false]])),
      'file',
    );
    expect(Array.from(problem.mask?.data ?? [])).to.deep.equal([1, 0]);
  });

  it("the scratch network agrees with PyTorch's and Keras's numbers to rounding", async () => {
    const vectors = ['torch.json', 'torch.npz', 'keras.json'].map(fixture);
    const report = await runParity({ vectors, sides: [] });
    expect(report.verdict).to.equal('parity');
    expect(report.sides.map(({ name }) => name)).to.deep.equal(['scratch']);
    // each by its results and step by step
    expect(report.cases.length).to.equal(8);
  });

  it('every expected tensor is compared: any wrong number in any of them fails', async () => {
    const cases = await loadVectors(fixture('torch.json'));
    const names = ['states', 'finalState', 'logits', 'probabilities', 'loss', 'gradients'] as const;
    for (const name of names) {
      const [first] = await loadVectors(fixture('torch.json'));
      const target = name === 'gradients' ? first.expected.gradients?.bias : first.expected[name];
      (target as { data: Float64Array }).data[0] += 1e-9;
      const report = await runParity({ vectors: [first], sides: [] });
      expect(report.exitCode, name).to.equal(1);
      const red = report.cases[0].tensors.filter(({ status }) => status === 'differs');
      expect(red.map(({ tensor }) => tensor)).to.deep.equal([name === 'gradients' ? 'gradients.bias' : name]);
    }
    expect(cases.length).to.equal(2);
  });

  it("the file's tolerance is added to the implementation's own", async () => {
    const shifted = (tolerance: number): string =>
      file((root) => {
        root.cases[0].expected.finalState[0][0] = Math.tanh(0.25) + 1e-6;
        root.cases[0].tolerance = { finalState: tolerance };
      });
    const run = async (text: string): Promise<number> =>
      (await runParity({ vectors: parseVectors(text, 'test'), sides: [] })).exitCode;
    expect(await run(shifted(0.9e-6))).to.equal(1);
    expect(await run(shifted(1.1e-6))).to.equal(0);
  });

  it('tolerances may be dotted, bare, nested, or for all gradients', () => {
    const given = (tolerance: Json): [string, number][] => [
      ...parseVectors(
        file((root) => (root.cases[0].tolerance = tolerance)),
        'test',
      )[0].tolerance,
    ];
    expect(given({ kernel: 1 })).to.deep.equal([['gradients.kernel', 1]]);
    expect(given({ 'gradients.kernel': 1 })).to.deep.equal([['gradients.kernel', 1]]);
    expect(given({ gradients: { kernel: 1 } })).to.deep.equal([['gradients.kernel', 1]]);
    expect(given({ gradients: 2 }).length).to.equal(7);
  });
});

describe('vectors, broken files', () => {
  const table: [title: string, text: string, ...says: string[]][] = [
    ['no JSON', '{', 'v.json is not JSON'],
    ['NaN in JSON', file().replace('0.25', 'NaN'), 'v.json is not JSON', 'NaN'],
    ['an array', '[]', 'v.json is an array'],
    ['null', 'null', 'v.json is null'],
    ['no format', file((r) => delete r.format), 'format is missing'],
    [
      'another version',
      file((r) => (r.format = 'rnn-parity-vectors/3')),
      'rnn-parity-vectors/1" or "rnn-parity-vectors/2',
    ],
    ['no cases', file((r) => (r.cases = [])), 'nothing is compared'],
    ['an unknown key at the top', file((r) => (r.case = [])), '"case"'],
    ['an unknown key in a case', file((r) => (r.cases[0].expectd = {})), '"expectd"'],
    [
      'an unknown key in a problem',
      file((r) => (r.cases[0].problem.input = [])),
      'case "one": problem',
      '"input"',
    ],
    ['an unknown weight', file((r) => (r.cases[0].problem.weights.Wx = [])), 'problem.weights', '"Wx"'],
    ['an unknown expectation', file((r) => (r.cases[0].expected.state = [])), 'expected', '"state"'],
    [
      'an unknown gradient',
      file((r) => (r.cases[0].expected.gradients = { W: [] })),
      'expected.gradients',
      '"W"',
    ],
    ['an unknown tolerance', file((r) => (r.cases[0].tolerance = { stats: 1 })), 'tolerance', '"stats"'],
    ['a prototype', file().replace('"labels"', '"__proto__":{},"labels"'), '"__proto__"'],
    ['no id', file((r) => delete r.cases[0].id), 'cases[0].id is missing'],
    ['an empty id', file((r) => (r.cases[0].id = ' ')), 'cases[0].id'],
    ['the same id twice', file((r) => r.cases.push(r.cases[0])), 'cases[1].id', 'again'],
    ['no problem', file((r) => delete r.cases[0].problem), 'case "one": problem is missing'],
    ['no inputs', file((r) => delete r.cases[0].problem.inputs), 'problem.inputs is missing'],
    ['ragged inputs', file((r) => r.cases[0].problem.inputs[0].push([1, 2])), 'problem.inputs is ragged'],
    ['inputs of rank 2', file((r) => (r.cases[0].problem.inputs = [[1]])), 'problem.inputs has shape [1, 1]'],
    [
      'null in the inputs',
      file((r) => (r.cases[0].problem.inputs[0][0][0] = null)),
      'problem.inputs',
      'null',
    ],
    [
      'text in the inputs',
      file((r) => (r.cases[0].problem.inputs[0][0][0] = '1')),
      'problem.inputs',
      'string',
    ],
    ['no time steps', file((r) => (r.cases[0].problem.inputs = [[]])), 'problem.inputs'],
    [
      'a kernel for other features',
      file((r) => r.cases[0].problem.weights.kernel.push([1, 1])),
      'kernel has shape [2, 2]',
    ],
    [
      'a recurrent kernel not square',
      file((r) => r.cases[0].problem.weights.recurrentKernel.pop()),
      'square',
    ],
    ['a bias too long', file((r) => r.cases[0].problem.weights.bias.push(0)), 'weights.bias has shape [3]'],
    ['half an output layer', file((r) => delete r.cases[0].problem.weights.outputBias), 'only outputKernel'],
    [
      'an output bias too long',
      file((r) => r.cases[0].problem.weights.outputBias.push(0)),
      'outputBias has shape [4]',
    ],
    [
      'labels without an output layer',
      file((r) => {
        delete r.cases[0].problem.weights.outputBias;
        delete r.cases[0].problem.weights.outputKernel;
      }),
      'labels',
      'outputKernel',
    ],
    ['a fractional label', file((r) => (r.cases[0].problem.labels = [0.5])), 'problem.labels holds 0.5'],
    ['a label out of range', file((r) => (r.cases[0].problem.labels = [3])), 'from 0 to 2'],
    ['a negative label', file((r) => (r.cases[0].problem.labels = [-1])), 'problem.labels holds -1'],
    ['too many labels', file((r) => (r.cases[0].problem.labels = [1, 1])), 'problem.labels has shape [2]'],
    ['a mask of halves', file((r) => (r.cases[0].problem.mask = [[1, 0.5]])), 'problem.mask holds 0.5'],
    ['a mask for other steps', file((r) => (r.cases[0].problem.mask = [[1]])), 'problem.mask has shape'],
    ['an empty upstream', file((r) => (r.cases[0].problem.upstream = {})), 'upstream is empty'],
    [
      'an initial state too wide',
      file((r) => (r.cases[0].problem.initialState = [[0, 0, 0]])),
      'initialState has shape',
    ],
    ['nothing expected', file((r) => (r.cases[0].expected = {})), 'expected holds no tensor'],
    ['no expectations', file((r) => delete r.cases[0].expected), 'expected is missing'],
    [
      'an expectation of another shape',
      file((r) => (r.cases[0].expected.logits = [[1, 2]])),
      'expected.logits has shape [1, 2]',
    ],
    ['a loss that is an array', file((r) => (r.cases[0].expected.loss = [1])), 'expected.loss is an array'],
    [
      'a loss without labels',
      file((r) => {
        delete r.cases[0].problem.labels;
        r.cases[0].expected.loss = 1;
      }),
      'expected.loss',
      'no labels',
    ],
    [
      'gradients without labels or upstream',
      file((r) => {
        delete r.cases[0].problem.labels;
        r.cases[0].expected.gradients = { bias: [0, 0] };
      }),
      'neither labels nor upstream',
    ],
    ['a negative tolerance', file((r) => (r.cases[0].tolerance = { loss: -1 })), 'tolerance.loss is -1'],
    ['a tolerance that is text', file((r) => (r.cases[0].tolerance = { loss: '1' })), 'tolerance.loss'],
    [
      'a tolerance given twice',
      file((r) => (r.cases[0].tolerance = { kernel: 1, 'gradients.kernel': 1 })),
      'twice',
    ],
    [
      'base64 that is none',
      file((r) => (r.cases[0].problem.weights.bias = { shape: [2], f64: '***' })),
      'bias.f64 is not valid base64',
    ],
    [
      'base64 too short',
      file((r) => (r.cases[0].problem.weights.bias = { shape: [2], f64: 'AAAAAAAAAAA=' })),
      'needs 16',
    ],
    ['base64 without a shape', file((r) => (r.cases[0].problem.weights.bias = { f64: '' })), 'bias.shape'],
    [
      'base64 with another key',
      file((r) => (r.cases[0].problem.weights.bias = { shape: [0], f64: '', f32: '' })),
      '"f32"',
    ],
    [
      'NaN in base64',
      file((r) => (r.cases[0].problem.weights.bias = { shape: [2], f64: base64([0, NaN]) })),
      'weights.bias holds NaN',
    ],
  ];
  for (const [title, text, ...says] of table) {
    it(title, () => {
      expect(() => parseVectors(text, 'v.json'))
        .to.throw(UsageError)
        .with.property('message')
        .that.satisfies(
          (message: string) => says.every((part) => message.includes(part)) && message.startsWith('v.json'),
          `should start with the file and say ${says.join(' and ')}`,
        );
    });
  }

  const base = temporaryDirectory();
  const npz = async (change: (entries: Record<string, any>) => void): Promise<string> => {
    const entries = {
      'problem.inputs': { shape: [1, 1, 1], data: [0.5] },
      'weights.kernel': { shape: [1, 1], data: [1] },
      'problem.weights.recurrentKernel': { shape: [1, 1], data: [1] },
      'problem.weights.bias': { shape: [1], data: [0] },
      states: { shape: [1, 1, 1], data: [Math.tanh(0.5)] },
    };
    change(entries);
    const target = path.join(base(), 'v.npz');
    await writeNpz(target, entries);
    return target;
  };
  const refusal = async (file: string | string[]): Promise<string> => {
    try {
      await loadVectors(file);
    } catch (error) {
      expect(error).to.be.instanceOf(UsageError);
      return (error as Error).message;
    }
    return 'nothing was refused';
  };

  it('bytes that are not UTF-8 are refused with their place: two ids that differ would be one', async () => {
    const target = path.join(base(), 'v.json');
    const text = JSON.stringify({ format: 'rnn-parity-vectors/1', cases: [{ id: 'Müller' }] }, undefined, 1);
    writeFileSync(target, Buffer.from(text, 'latin1'));
    expect(await refusal(target)).to.match(
      /v\.json: line 5 is not UTF-8 \(byte fc at 64, counted from 0\); save it/,
    );
    writeFileSync(target, Buffer.from(`\uFEFF${text}`));
    expect(await refusal(target)).to.include('case "Müller": problem is missing');
  });

  it('npz: shorter names are taken, and the file names the case', async () => {
    const [only] = await loadVectors(await npz(() => undefined));
    expect(only.id).to.equal('v');
    expect((await runParity({ vectors: [only], sides: [] })).exitCode).to.equal(0);
  });
  it('npz: broken ones are refused with the path', async () => {
    const bad = { shape: [1], data: [0] };
    expect(await refusal(await npz((e) => (e['kernel'] = bad)))).to.include('"kernel"');
    expect(await refusal(await npz((e) => (e['problem.x'] = bad)))).to.include('"x"');
    expect(await refusal(await npz((e) => (e['inputs'] = bad)))).to.include('twice');
    expect(await refusal(await npz((e) => (e['expected.states.more'] = bad)))).to.include('twice');
    expect(await refusal(await npz((e) => (e['format'] = { shape: [], data: ['other'] })))).to.include(
      'format',
    );
    expect(await refusal(await npz((e) => (e['labels'] = { shape: [1], data: ['a'] })))).to.include('text');
    expect(await refusal(await npz((e) => delete e['weights.kernel']))).to.include('weights.kernel');
    expect(await refusal(await npz((e) => (e['problem.weights.bias'].data = [NaN])))).to.include('NaN');
  });
  it('files: absent ones, and ids that stand in two of them', async () => {
    expect(await refusal(path.join(base(), 'absent.json'))).to.include('does not exist (ENOENT)');
    expect(await refusal(path.join(base(), 'absent.npz'))).to.include('absent.npz');
    const copy = path.join(base(), 'copy.json');
    writeFileSync(copy, readFileSync(fixture('torch.json')));
    expect(await refusal([fixture('torch.json'), copy])).to.include('ids must differ');
  });
  it('numbers beyond float32 are refused for float32 sides', async () => {
    const vectors = parseVectors(
      file((r) => (r.cases[0].problem.inputs[0][0][0] = 1e200)),
      'v.json',
    );
    const side = { implementation: { name: 'x', precision: 'float32', evaluate: () => ({}) } } as const;
    const run = runParity({
      vectors,
      sides: [{ name: 'x', required: true, open: () => Promise.resolve(side) }],
    });
    const message = await run.catch((error: unknown) => (error as Error).message);
    expect(message).to.include('inputs').and.include('float32');
  });
});

function base64(numbers: number[]): string {
  return Buffer.from(Float64Array.from(numbers).buffer).toString('base64');
}
