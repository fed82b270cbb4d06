import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { GraphEvaluator, GraphNetwork, GraphSimpleRNNClassifier } from '../../../src/graph/index';
import { loadBackend, type LoadedBackend } from '../../../src/index';
import { GraphBuilder, type Signature } from '../../../src/graph/builder/index';
import { GraphSession, GraphUnavailableError, openSessions } from '../../../src/graph/session';

/** Directories of this module's making that are still there. */
function leftFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`rnn-parity-graph-${process.pid}-`));
}

describe('graph/session', () => {
  let backend: LoadedBackend;
  let session: GraphSession;
  let signature: Signature<'a' | 'b', 'y'>;

  before(async () => {
    backend = await loadBackend('tensorflow');
    const g = new GraphBuilder();
    const a = g.placeholder('a', 'float32', ['N', 3]);
    const b = g.placeholder('b', 'int32', ['N']);
    signature = g.signature('product', { a, b }, { y: g.add(a, g.cast(g.expandDims(b, 1), 'float32')) });
    session = new GraphSession(backend, g);
  });
  after(() => session.dispose());

  const wrong: [string, number[], 'float32' | 'int32', number[], RegExp][] = [
    ['a rank', [6], 'int32', [2], /product: a has shape \[6\] but \[N, 3\] was expected; reshape/],
    ['a fixed size', [2, 4], 'int32', [2], /a has shape \[2, 4\] but \[N, 3\]/],
    ['sizes that differ', [2, 3], 'int32', [3], /b has shape \[3\] but \[N\] was expected with N = 2/],
    ['an empty batch', [0, 3], 'int32', [0], /a has shape \[0, 3\]/],
    ['an element type', [2, 3], 'float32', [2], /b is float32 but int32 was expected; cast it/],
  ];
  for (const [what, shapeA, dtypeB, shapeB, message] of wrong) {
    it(`refuses ${what} before the call`, () => {
      backend.tf.tidy(() => {
        const a = backend.tf.zeros(shapeA);
        const b = backend.tf.zeros(shapeB, dtypeB);
        expect(() => session.run(signature, { a, b })).to.throw(RangeError, message);
      });
    });
  }

  it('refuses a missing feed', () => {
    backend.tf.tidy(() => {
      const feeds = { a: backend.tf.zeros([2, 3]) } as never;
      expect(() => session.run(signature, feeds)).to.throw(/product: b is missing/);
    });
  });

  it('leaves no directory behind, whether the graph loads or not', () => {
    expect(leftFolders()).to.deep.equal([]);
    const broken = new GraphBuilder();
    broken.nodes.push({ name: 'x', op: 'NoSuchOp', input: [], attr: {} });
    const before = openSessions(backend);
    expect(() => new GraphSession(backend, broken)).to.throw(/NoSuchOp/);
    expect(leftFolders()).to.deep.equal([]);
    expect(openSessions(backend)).to.equal(before);
  });

  it('says what to do where there is no place for temporary files', () => {
    const { TMPDIR } = process.env;
    process.env.TMPDIR = '/nonexistent';
    try {
      expect(() => new GraphSession(backend, new GraphBuilder())).to.throw(
        GraphUnavailableError,
        /no folder can be made in \/nonexistent \(ENOENT\); set TMPDIR/,
      );
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
    }
  });

  it('frees the native session once, and says so afterwards', () => {
    const before = openSessions(backend);
    const g = new GraphBuilder();
    const x = g.placeholder('x', 'float32', []);
    const identity = g.signature('identity', { x }, { y: g.identity(x) });
    const other = new GraphSession(backend, g);
    expect(openSessions(backend)).to.equal(before + 1);
    other.dispose();
    other.dispose();
    expect(openSessions(backend)).to.equal(before);
    const feed = backend.tf.scalar(1);
    expect(() => other.run(identity, { x: feed })).to.throw(/identity: the session was disposed/);
    feed.dispose();
  });

  it('says which backend can run graphs, before anything is made', async () => {
    const layers = [{ layer: 'dense', units: 2 }] as const;
    for (const name of ['cpu', 'wasm'] as const) {
      const other = await loadBackend(name);
      const tensors = other.tf.memory().numTensors;
      for (const [what, make] of [
        ['', () => new GraphSession(other, new GraphBuilder())],
        ['GraphNetwork: ', () => new GraphNetwork({ backend: other, features: 2, layers })],
        [
          'GraphSimpleRNNClassifier: ',
          () => new GraphSimpleRNNClassifier({ backend: other, features: 2, units: 3, classes: 2 }),
        ],
        ['GraphEvaluator: ', () => new GraphEvaluator(other)],
      ] as const)
        expect(make).to.throw(GraphUnavailableError, `${what}the backend "${name}" cannot run graphs`);
      expect(other.tf.memory().numTensors).to.equal(tensors);
    }
    backend.use();
  });
});
