import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { chainsFor } from '../../../src/graph/layers/chains';
import { operationsSideBySide, threadsFor } from '../../../src/graph/threads';
import { withEnvironment } from '../../support/environment';

const unset = { TF_NUM_INTRAOP_THREADS: undefined, TF_NUM_INTEROP_THREADS: undefined };

describe('graph/threads', () => {
  it("takes one thread per operation, and the caller's own where there is one chain", () =>
    withEnvironment(unset, () => {
      expect(threadsFor(1)).to.deep.equal({ intraOp: 1, interOp: -1 });
      expect(threadsFor(2)).to.deep.equal({ intraOp: 1, interOp: 2 });
      expect(operationsSideBySide()).to.equal(availableParallelism());
    }));

  it('follows the environment', async () => {
    await withEnvironment({ ...unset, TF_NUM_INTRAOP_THREADS: '3' }, () =>
      expect(threadsFor(1)).to.deep.equal({ intraOp: 3, interOp: -1 }),
    );
    for (const [asked, sideBySide] of [
      ['-1', 1],
      ['1', 1],
      ['2', 2],
    ] as const) {
      await withEnvironment({ ...unset, TF_NUM_INTEROP_THREADS: asked }, () => {
        expect(threadsFor(2)).to.deep.equal({ intraOp: 1, interOp: Number(asked) });
        expect(operationsSideBySide()).to.equal(sideBySide);
      });
    }
    for (const asked of ['0', 'many']) {
      await withEnvironment({ ...unset, TF_NUM_INTEROP_THREADS: asked }, () => {
        expect(threadsFor(2)).to.deep.equal({ intraOp: 1, interOp: 2 });
        expect(operationsSideBySide()).to.equal(availableParallelism());
      });
    }
  });

  it('makes two chains of large batches only, and one where operations run one after the other', () => {
    const widest = (units: number, gates = 1) => units * gates * units;
    expect([1, 2, 8].map((sideBySide) => chainsFor(128, widest(512), sideBySide))).to.deep.equal([1, 2, 2]);
    expect(chainsFor(10, widest(4), 2)).to.equal(1);
    expect(chainsFor(32, widest(128), 2)).to.equal(1);
    expect(chainsFor(32, widest(128, 4), 2)).to.equal(2);
    expect(chainsFor(8, widest(1024), 2)).to.equal(1);
  });
});
