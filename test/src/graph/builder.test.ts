import { expect } from 'chai';
import { createRequire } from 'node:module';
import { loadBackend, type LoadedBackend } from '../../../src/index';
import { GraphBuilder } from '../../../src/graph/builder/index';
import { GraphSession } from '../../../src/graph/session';

describe('graph/builder', () => {
  let backend: LoadedBackend;
  before(async () => (backend = await loadBackend('tensorflow')));

  /** Runs a graph once on vectors. */
  function run(
    build: (g: GraphBuilder) => Parameters<GraphSession['run']>[0],
    feeds: Record<string, number[]>,
  ): Record<string, number[]> {
    const g = new GraphBuilder();
    const signature = build(g);
    const session = new GraphSession(backend, g);
    try {
      const tensors = Object.fromEntries(Object.entries(feeds).map(([k, v]) => [k, backend.tf.tensor1d(v)]));
      const results = session.run(signature, tensors);
      const values = Object.fromEntries(
        Object.entries(results).map(([k, t]) => [k, Array.from(t.dataSync())]),
      );
      backend.tf.dispose([tensors, results]);
      return values;
    } finally {
      session.dispose();
    }
  }

  it('runs what was built', () => {
    const results = run(
      (g) => {
        const x = g.placeholder('x', 'float32', ['N']);
        const [first, rest] = g.splitSizes(g.mul(x, g.float(3)), g.int([1, 2]), 2, 0);
        return g.signature('s', { x }, { first, rest, sum: g.sum(x, [0]), half: g.l2Loss(x) });
      },
      { x: [1, 2, 5] },
    );
    expect(results).to.deep.equal({ first: [3], rest: [6, 15], sum: [8], half: [15] });
  });

  it('loops, with lists, invariants and optional variables', () => {
    const results = run(
      (g) => {
        const x = g.placeholder('x', 'float32', ['N']);
        const { sum, list } = g.whileLoop({
          name: 'running',
          variables: {
            i: g.int(0),
            sum: g.float(0),
            list: g.listReserve(g.int(3)),
            items: g.listFromTensor(x),
            absent: undefined,
          },
          condition: (f, { i }) => f.less(i, f.int(3)),
          body: (f, { i, sum: before, list: out, items, absent }) => {
            expect(absent).to.equal(undefined);
            const next = f.add(before, f.listGet(items, i, 'float32'));
            return { i: f.add(i, f.int(1)), sum: next, list: f.listSet(out, i, next) };
          },
        });
        return g.signature('s', { x }, { sum, all: g.listStack(list) });
      },
      { x: [1, 2, 5] },
    );
    expect(results).to.deep.equal({ sum: [8], all: [1, 3, 8] });
  });

  it('writes a SavedModel that the schema of tfjs-node reads', () => {
    const g = new GraphBuilder();
    const x = g.placeholder('x', 'float32', ['N', 2]);
    g.signature('double', { x }, { y: g.scope('inner', () => g.add(x, x)) });
    const { SavedModel } = createRequire(__filename)('@tensorflow/tfjs-node/dist/proto/api_pb') as {
      SavedModel: { deserializeBinary(bytes: Uint8Array): { toObject(): ReadModel } };
    };
    const { metaGraphsList } = SavedModel.deserializeBinary(g.toSavedModel()).toObject();
    const [{ metaInfoDef, graphDef, signatureDefMap }] = metaGraphsList;
    expect(metaInfoDef.tagsList).to.deep.equal(['serve']);
    expect(graphDef.nodeList.map(({ name, op, inputList }) => [name, op, inputList])).to.deep.equal([
      ['x', 'Placeholder', []],
      ['inner/AddV2', 'AddV2', ['x:0', 'x:0']],
    ]);
    const [[name, signature]] = signatureDefMap;
    expect(name).to.equal('double');
    expect(signature.inputsMap[0][1].tensorShape.dimList.map(({ size }) => size)).to.deep.equal([-1, 2]);
    expect(signature.outputsMap[0][1].name).to.equal('inner/AddV2:0');
  });

  it('computes products either way round, by either kernel', () => {
    for (const oneDnn of [false, true]) {
      const g = new GraphBuilder(oneDnn);
      const a = g.placeholder('a', 'float32', [2, 3]);
      const b = g.placeholder('b', 'float32', [3, 2]);
      const product = g.matMul(a, b);
      const other = g.matMul(b, a, { transposeA: true, transposeB: true });
      const signature = g.signature('s', { a, b }, { product, other });
      const session = new GraphSession(backend, g);
      backend.tf.tidy(() => {
        const feeds = {
          a: backend.tf.tensor2d([
            [1, 2, 3],
            [4, 5, 6],
          ]),
          b: backend.tf.tensor2d([
            [1, 0],
            [0, 1],
            [2, 2],
          ]),
        };
        const results = session.run(signature, feeds);
        expect(results.product.arraySync()).to.deep.equal([
          [7, 8],
          [16, 17],
        ]);
        expect(results.other.arraySync()).to.deep.equal([
          [7, 16],
          [8, 17],
        ]);
      });
      session.dispose();
    }
  });

  it('makes one node of equal constants and gives equal names numbers', () => {
    const g = new GraphBuilder();
    g.int([1, 2]);
    g.int([1, 2]);
    g.int([1, 2], [2, 1]);
    g.float([1, 2]);
    const x = g.placeholder('x', 'float32', []);
    g.add(g.add(x, x), g.add(x, x));
    expect(g.nodes.map(({ name }) => name)).to.deep.equal([
      ...['Const', 'Const_1', 'Const_2'],
      ...['x', 'AddV2', 'AddV2_1', 'AddV2_2'],
    ]);
  });
});

interface ReadModel {
  metaGraphsList: {
    metaInfoDef: { tagsList: string[] };
    graphDef: { nodeList: { name: string; op: string; inputList: string[] }[] };
    signatureDefMap: [
      string,
      {
        inputsMap: [string, { tensorShape: { dimList: { size: number }[] } }][];
        outputsMap: [string, { name: string }][];
      },
    ][];
  }[];
}
