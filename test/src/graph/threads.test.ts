import { expect } from 'chai';
import { availableParallelism } from 'node:os';
import { chooseThreads, threadsFor } from '../../../src/graph/index';
import { chainsFor } from '../../../src/graph/rnn/chains';
import { operationsSideBySide } from '../../../src/graph/threads';

const names = ['TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS'] as const;

describe('graph/threads', () => {
  const before = names.map((name) => process.env[name]);
  afterEach(() =>
    names.forEach((name, i) => {
      if (before[i] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[i];
    }),
  );

  it("takes one thread per operation, and the caller's own where there is one chain", () => {
    expect(threadsFor({ batch: 10, units: 4 })).to.deep.equal({ intraOp: 1, interOp: -1 });
    expect(threadsFor({ batch: 32, units: 128 }).intraOp).to.equal(1);
  });

  it('sets what the library reads, and keeps what is set', () => {
    for (const name of names) Reflect.deleteProperty(process.env, name);
    process.env.TF_NUM_INTRAOP_THREADS = '3';
    expect(chooseThreads({ batch: 10, units: 4 })).to.deep.equal({ intraOp: 3, interOp: -1 });
    expect(names.map((name) => process.env[name])).to.deep.equal(['3', '-1']);
  });

  it("makes one chain where operations run one after the other, as in the caller's own thread", () => {
    const large = { batch: 32, units: 128 };
    expect([1, 2, 8].map((sideBySide) => chainsFor(large, sideBySide))).to.deep.equal([1, 2, 2]);
    expect(chainsFor({ batch: 10, units: 4 }, 2)).to.equal(1);
    const counted = ['-1', '1', '2'].map((asked) => {
      process.env.TF_NUM_INTEROP_THREADS = asked;
      return operationsSideBySide();
    });
    expect(counted).to.deep.equal([1, 1, 2]);
    for (const asked of ['0', 'many', undefined]) {
      if (asked === undefined) Reflect.deleteProperty(process.env, 'TF_NUM_INTEROP_THREADS');
      else process.env.TF_NUM_INTEROP_THREADS = asked;
      expect(operationsSideBySide()).to.equal(availableParallelism());
    }
  });
});
