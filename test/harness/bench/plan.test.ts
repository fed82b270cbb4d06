import { expect } from 'chai';
import { engineEntries, parseEngines } from '../../../harness/bench/catalogue';
import { enginesOf, mergePlans, planAll } from '../../../harness/bench/plan';
import { parseSize } from '../../../harness/bench/size';
import { UsageError } from '../../../harness/base/outcome';

const names = (text: string): string[] => parseEngines(text).map(({ name }) => name);

describe('harness/bench plan', () => {
  it('reads engines: a name means just that one, a family all of its own, in the order of the tables', () => {
    expect(names('torch')).to.deep.equal(['torch']);
    expect(names('torch:1, scratch')).to.deep.equal(['scratch', 'torch:1']);
    expect(names('layers')).to.deep.equal(['layers:tensorflow', 'layers:wasm', 'layers:cpu']);
    expect(names('tfjs:wasm')).to.deep.equal(['tfjs:wasm']);
    expect(names('all')).to.deep.equal(engineEntries.map(({ name }) => name));
    for (const wrong of ['', 'layer', 'torch:', 'torch:2', 'scratch,']) {
      expect(() => parseEngines(wrong), wrong).to.throw(UsageError, 'is not an engine');
    }
  });

  it('merges plans size by size and task by task', () => {
    const [S, M] = ['S', 'M'].map(parseSize);
    const merged = mergePlans(
      planAll([S, M], ['step'], parseEngines('scratch,keras')),
      planAll([S], ['step', 'epoch'], parseEngines('graph,keras')),
    );
    const told = merged.map(({ size, tasks }) => [
      size.name,
      ...tasks.map(({ task, engines }) => [task, ...engines.map(({ name }) => name)]),
    ]);
    expect(told).to.deep.equal([
      ['S', ['step', 'scratch', 'keras', 'graph'], ['epoch', 'graph', 'keras']],
      ['M', ['step', 'scratch', 'keras']],
    ]);
    expect(enginesOf(merged[0])).to.have.length(3);
  });
});
