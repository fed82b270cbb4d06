import { expect } from 'chai';
import { graphSide } from '../../../harness/sides/index';
import { loadBackend, openSessions } from '../../../src/index';
import { runCli } from '../../support/run-cli';

describe('the graph as a side of the parity harness', () => {
  it('passes what the op-by-op twin passes, and leaves no session open', async () => {
    const backend = await loadBackend('tensorflow');
    const before = openSessions(backend);
    for (const problems of [
      ['--only', 'edge/*'],
      ['--layers', 'gru:3,dense:2', '--only', 'layers/001'],
    ]) {
      const { exitCode, stdout: text } = await runCli(['parity', '--backends', 'graph', ...problems]);
      expect(exitCode, text).to.equal(0);
      expect(text).to.match(/^ {2}graph +[1-9]\d* +0 /m);
      expect(openSessions(backend)).to.equal(before);
    }
  });

  it('is called graph, trains, and is required when asked', async () => {
    const source = graphSide(true);
    expect([source.name, source.required]).to.deep.equal(['graph', true]);
    const side = await source.open();
    expect(side.implementation.name).to.equal('graph');
    expect(side.createClassifier).to.be.a('function');
    side.implementation.dispose?.();
  });
});
