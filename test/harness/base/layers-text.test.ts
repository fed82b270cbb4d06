import { expect } from 'chai';
import { parseLayers } from '../../../harness/base/layers-text';

describe('base/layers-text', () => {
  it('reads layers, wrapped layers and options', () => {
    expect(parseLayers('lstm:16', '--layers')).to.deep.equal([{ layer: 'lstm', units: 16 }]);
    expect(
      parseLayers('embedding:9:4, bidirectional(gru:8:resetAfter=false):mergeMode=sum,dense:3', '--layers'),
    ).to.deep.equal([
      { layer: 'embedding', inputDim: 9, outputDim: 4 },
      { layer: 'bidirectional', wrapped: { layer: 'gru', units: 8, resetAfter: false }, mergeMode: 'sum' },
      { layer: 'dense', units: 3 },
    ]);
  });

  it('returns sequences where the next layer reads them', () => {
    const layers = parseLayers(
      'bidirectional(lstm:2),gru:3,simpleRNN:4,timeDistributed(dense:2)',
      '--layers',
    );
    expect(layers).to.deep.equal([
      { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 2, returnSequences: true } },
      { layer: 'gru', units: 3, returnSequences: true },
      { layer: 'simpleRNN', units: 4, returnSequences: true },
      { layer: 'timeDistributed', wrapped: { layer: 'dense', units: 2 } },
    ]);
  });

  for (const [text, message] of [
    ['lstm', '"lstm" does not give units'],
    ['lstn:4', '"lstn:4" is not a layer'],
    ['embedding:4', 'inputDim and outputDim'],
    ['lstm:0', 'whole numbers above 0'],
    ['lstm:0x10', 'whole numbers above 0'],
    ['lstm:1e1', 'whole numbers above 0'],
    ['lstm(gru:4)', '"lstm" wraps no layer'],
    ['lstm:4:relu=', '"relu=" in "lstm:4:relu=" is not an option'],
    ['lstm:4,', '"" is not a layer'],
    ['lstm:4:units=3', '"lstm:4:units=3" gives units twice'],
    ['lstm:4:activation=relu:activation=tanh', 'gives activation twice'],
    ['bidirectional(gru:2):wrapped=3', 'gives wrapped twice'],
  ]) {
    it(`refuses ${text}`, () => {
      expect(() => parseLayers(text, '--layers'))
        .to.throw(`--layers: `)
        .with.property('message')
        .that.includes(message);
    });
  }
});
