import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { chainsFor } from '../../../src/graph/rnn/chains';
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
    const large = { batch: 128, units: 512 };
    expect([1, 2, 8].map((sideBySide) => chainsFor(large, sideBySide))).to.deep.equal([1, 2, 2]);
    expect(chainsFor({ batch: 10, units: 4 }, 2)).to.equal(1);
    expect(chainsFor({ batch: 32, units: 128 }, 2)).to.equal(1);
    expect(chainsFor({ batch: 8, units: 1024 }, 2)).to.equal(1);
  });
});
