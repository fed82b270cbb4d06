import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeNpz } from '../../../harness/base/files/index';
import { partsOfLayers } from '../../../harness/base/model';
import { UsageError } from '../../../harness/base/outcome';
import { evaluationOf, fieldsOf, isLayered } from '../../../harness/base/problem';
import { loadVectors, parseVectors, type VectorCase } from '../../../harness/index';
import { namedTensors } from '../../../harness/judge/index';
import { runParity } from '../../../harness/parity/index';
import type { ParityReport } from '../../../harness/parity/report';
import { tfjsSide } from '../../../harness/sides/index';
import type { Tensor } from '../../../scratch/index';
import { cases, titleOf, type Case, type Flat } from '../../support/cell-vectors';

type Json = Record<string, unknown>;

/** Numbers as the format has them. */
function encode({ data, shape }: Flat): Json {
  const bytes = Buffer.alloc(8 * data.length);
  data.forEach((x, i) => bytes.writeDoubleLE(x, 8 * i));
  return { shape, f64: bytes.toString('base64') };
}

/** A case of PyTorch or Keras in the form of the format, as text that is read again. */
function written(one: Case): Json {
  const { layers, given, upstream, targets, loss, expected } = one;
  const model = {
    ...(layers[0].layer !== 'embedding' && { features: given.inputs.shape[2] }),
    layers,
    loss: loss ?? 'meanSquaredError',
  };
  const parts = partsOfLayers(model);
  const last = parts[parts.length - 1];
  const states = (lists: readonly (readonly Flat[])[]) =>
    parts.map(({ states: own }, i) =>
      Object.fromEntries(Object.keys(own).map((name, k): [string, unknown] => [name, encode(lists[i][k])])),
    );
  const weights = (all: readonly Readonly<Record<string, Flat>>[]) =>
    all.map((layer) => Object.fromEntries(Object.entries(layer).map(([name, own]) => [name, encode(own)])));
  // without a time axis the output is the final state h: what arrives at it is written once
  const isTwice = !last.output.hasTime && last.outputs.length === 1;
  const both = ({ outputs, finalStates }: NonNullable<Case['upstream']>): Flat => {
    const h = finalStates[parts.length - 1][0].data;
    return { shape: outputs.shape, data: outputs.data.map((x, i) => x + h[i]) };
  };
  const arriving = upstream && states(upstream.finalStates);
  if (arriving && isTwice) delete arriving[parts.length - 1]['h'];
  const isMaskedOutput = given.mask !== undefined && last.output.hasTime;
  return {
    id: titleOf(one),
    problem: {
      model,
      inputs: encode(given.inputs),
      initialStates: states(given.initialStates),
      ...(given.mask && { mask: encode(given.mask) }),
      ...(targets && { [loss === 'softmaxCrossEntropy' ? 'labels' : 'targets']: targets }),
      ...(upstream && {
        upstream: { logits: encode(isTwice ? both(upstream) : upstream.outputs), finalStates: arriving },
      }),
      weights: weights(given.weights),
    },
    expected: {
      // what a framework gives at a masked step is its own affair
      ...(!isMaskedOutput && { logits: encode(expected.outputs) }),
      finalStates: states(expected.finalStates),
      ...(expected.loss !== undefined && { loss: expected.loss }),
      gradients: {
        weights: weights(expected.gradients.weights),
        initialStates: states(expected.gradients.initialStates),
        ...(expected.gradients.inputs && { inputs: encode(expected.gradients.inputs) }),
      },
    },
  };
}

// the judge has no name for outputs in reversed order
const isReversed = ({ layers }: Case): boolean =>
  layers.some((layer) => 'goBackwards' in layer && layer.goBackwards && layer.returnSequences === true);
const known = cases.filter((one) => !isReversed(one));
const fileOf = (list: readonly Json[]): string =>
  JSON.stringify({ format: 'rnn-parity-vectors/2', cases: list });
const vectors = parseVectors(fileOf(known.map(written)), 'vectors.json');

const run = (some: readonly VectorCase[], backend?: 'cpu'): Promise<ParityReport> =>
  runParity({ vectors: some, sides: backend ? [tfjsSide(backend, true)] : [], power: false, diagnoses: 1 });

describe('rnn-parity-vectors/2: networks of layers', () => {
  it('the numbers of PyTorch and Keras in float64 hold the network by hand, and TensorFlow.js', async () => {
    expect(vectors.length).to.equal(23);
    const byHand = await run(vectors);
    expect(byHand.errors).to.deep.equal([]);
    expect(byHand.verdict).to.equal('parity');
    const twin = await run(
      vectors.filter((_, i) => i % 4 === 0),
      'cpu',
    );
    expect(twin.verdict).to.equal('parity');
    expect(twin.sides.map(({ name }) => name)).to.deep.equal(['scratch', 'tfjs:cpu']);
  });

  it('the example of docs/parity.md holds the network by hand', async () => {
    const blocks = readFileSync('docs/parity.md', 'utf8').match(/```json\n[\s\S]*?```/g) ?? [];
    const block = blocks.find((text) => text.includes('rnn-parity-vectors/2')) ?? '';
    const report = await run(parseVectors(block.slice('```json'.length, -'```'.length), 'docs/parity.md'));
    expect(report.verdict).to.equal('parity');
  });

  it('one number that is off by a part in a million is a mismatch in its tensor, in every case', async () => {
    for (const [i, vector] of vectors.entries()) {
      const named = namedTensors(vector.expected);
      const names = [...named.keys()];
      const damaged = names[(5 * i) % names.length];
      const { data, shape } = named.get(damaged)!;
      const at = i % data.length;
      named.set(damaged, { data: data.with(at, data[at] * (1 + 1e-6) + 1e-9), shape });
      const report = await run([{ ...vector, expected: evaluationOf(named) }]);
      const wrong = report.cases.flatMap(({ tensors }) =>
        tensors.filter(({ status }) => status === 'differs'),
      );
      expect(
        wrong.map(({ tensor }) => tensor),
        `${vector.id}: ${damaged}[${at}]`,
      ).to.deep.equal([damaged]);
      expect(report.exitCode).to.equal(1);
      expect(report.diagnoses.map(({ side }) => side)).to.deep.equal(['expected numbers']);
    }
  });

  it('the same case in an archive of arrays is the same case', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rnn-parity-vectors-'));
    try {
      const file = join(directory, 'one.npz');
      const [vector] = vectors.filter(
        ({ problem }) => isLayered(problem) && problem.model.layers.length === 2,
      );
      const arrays: Record<string, Parameters<typeof writeNpz>[1][string]> = {
        format: { data: ['rnn-parity-vectors/2'], shape: [] },
        id: { data: [vector.id], shape: [] },
        'problem.model': { data: [JSON.stringify(vector.problem.model)], shape: [] },
      };
      const add = (name: string, { data, shape }: Tensor): unknown => (arrays[name] = { data, shape });
      const { problem, expected } = vector;
      fieldsOf(problem, (tensor, name) => add(`problem.${name}`, tensor));
      if (problem.labels)
        add('problem.labels', { data: Float64Array.from(problem.labels), shape: [problem.labels.length] });
      for (const [name, tensor] of namedTensors(expected)) add(`expected.${name}`, tensor);
      await writeNpz(file, arrays);
      const [again] = await loadVectors(file);
      expect(namedTensors(again.expected)).to.deep.equal(namedTensors(expected));
      expect(again.problem).to.deep.equal(problem);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('a number by layer may be nested, labels may be by step, a tolerance may be of all gradients', () => {
    const one = known.find(({ layers, targets }) => layers[0].layer === 'embedding' && targets)!;
    const text = written(one);
    const { labels } = parseVectors(fileOf([text]), 'v.json')[0].problem;
    const [B, T] = one.given.inputs.shape;
    expect(labels?.length).to.equal(B * T);
    const [read] = parseVectors(fileOf([{ ...text, tolerance: { 'gradients.weights': 1e-3 } }]), 'v.json');
    expect([...read.tolerance.keys()]).to.include('gradients.weights.layer1.embeddings');
    expect([...read.tolerance.keys()].every((name) => name.startsWith('gradients.weights.'))).to.equal(true);
  });

  it('a network that the judge has no equations for is refused before any side is asked', async () => {
    const message = await run(parseVectors(fileOf(cases.filter(isReversed).map(written)), 'v.json')).catch(
      String,
    );
    expect(message).to.match(
      /UsageError: v\.json: case .*: problem: a layer that goes backwards and returns sequences/,
    );
  });

  it('refuses what it cannot mean, with the place and what was expected', () => {
    const text = written(known.find(({ layers }) => layers.length === 2 && layers[0].layer === 'lstm')!);
    const problem = text['problem'] as Json;
    const model = problem['model'] as { layers: Json[] };
    const changed = (change: Json): Json => ({ ...text, problem: { ...problem, ...change } });
    const cell = {
      name: 'own',
      carries: ['h'],
      weights: { kernel: 'F, U' },
      equations: 'h_t = x_t · kernel',
    };
    const ownCell = (change: Json, layer: Json = {}): Json =>
      changed({ model: { ...model, layers: [{ layer: 'cell', cell, units: 2, ...layer }], ...change } });
    const wrongShape = encode({ shape: [1, 1], data: [0] });
    const refusals: readonly (readonly [Json, RegExp])[] = [
      [changed({ model: { ...model, layers: [{ layer: 'lstn', units: 3 }] } }), /problem\.model.*lstn/],
      [changed({ model: { ...model, layers: [] } }), /model\.layers is an array of 0; an array of layers/],
      [changed({ model: { ...model, loss: 'hinge' } }), /model.*hinge/],
      [
        changed({ model: { ...model, layers: [{ layer: 'cell', cell: { name: 'mine' } }] } }),
        /needs a cell with name, carries/,
      ],
      [
        changed({ weights: [(problem['weights'] as Json[])[0]] }),
        /weights has 1 elements, but the model has 2 layers/,
      ],
      [changed({ weights: [{ kernal: [[1]] }, {}] }), /weights\.layer1 holds "kernal", which/],
      [
        changed({ weights: [(problem['weights'] as Json[])[0], {}] }),
        /problem lacks weights\.layer2\.kernel/,
      ],
      [changed({ initialStates: [{ h: wrongShape, c: wrongShape }, {}] }), /initialStates\.layer1\.h/],
      [changed({ labels: [0] }), /labels/],
      [changed({ targets: [[1]] }), /targets/],
      [{ ...text, expected: { finalStates: [{ z: 1 }, {}] } }, /expected\.finalStates\.layer1 holds "z"/],
      [{ ...text, expected: {} }, /expected holds no tensor; give at least one of sequences\.layer1/],
      [
        { ...text, tolerance: { kernel: 1 } },
        /tolerance holds "kernel", which this format does not know; it knows/,
      ],
      [{ ...text, tolerance: 5 }, /tolerance is 5; an object with sequences/],
      [{ ...text, tolerance: null }, /tolerance is null; an object with/],
      [ownCell({ loss: 'hinge' }), /loss is hinge; the nearest is/],
      [ownCell({ features: '3' }), /features is "3"; a size must be an integer/],
      [ownCell({}, { units: 0 }), /units.* 0/],
      [ownCell({}, { activation: 'relu' }), /model\.layers\[0\] holds "activation", which/],
      [ownCell({}, { cell: undefined }), /needs a cell with name.*its cell is missing/],
      [ownCell({}, { cell: { ...cell, weights: { kernel: 3 } } }), /weights as { "kernel": "F, U" }/],
    ];
    for (const [one, message] of refusals)
      expect(() => parseVectors(fileOf([one]), 'v.json'), String(message)).to.throw(UsageError, message);
    expect(() => parseVectors(fileOf([text]).replace('vectors/2', 'vectors/1'), 'v.json')).to.throw(
      UsageError,
      /has problem\.model, which "rnn-parity-vectors\/1" does not know; write "rnn-parity-vectors\/2"/,
    );
  });

  it('refuses a key that an object has twice, of which JSON.parse keeps the last', () => {
    const file = fileOf([written(known[0])]);
    const twice = file.replace('"cases":', '"cases": [],\n"cases":');
    expect(() => parseVectors(twice, 'v.json')).to.throw(
      UsageError,
      /v\.json: "cases" is given twice in one object, the second time on line \d+/,
    );
    const escaped = file.replace('"id":', '"\\u0069d": "other", "id":');
    expect(() => parseVectors(escaped, 'v.json')).to.throw(UsageError, /"id" is given twice/);
  });
});
