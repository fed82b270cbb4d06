import { expect } from 'chai';
import { lstm, textOfCell } from '../../../harness/equations/index';
import {
  emulatedHost,
  formatLayersTrial,
  runLayersTrial,
  sideHost,
  type LayersHost,
} from '../../../harness/trial/layers/index';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { loadBackend } from '../../../src/index';
import { ownCell } from '../../support/own-cell';

const dense = { layer: 'dense', units: 2 } as const;

describe('the trial of a network of layers', () => {
  it('catches, locates and names what it plants in emulated single precision, scratch and TensorFlow.js, on the right side', async () => {
    const scratch = sideHost(scratchImplementation());
    const twin = sideHost(tfjsImplementation(await loadBackend('cpu')));
    if (scratch === undefined || twin === undefined) throw new Error('both run networks of layers');
    const report = runLayersTrial({
      layers: 'bidirectional(simpleRNN:2)',
      model: {
        features: 2,
        layers: [{ layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units: 2 } }, dense],
      },
      hosts: [emulatedHost(), scratch, twin],
      seed: 3,
      seeds: 1,
      isWanted: (name) =>
        /^layer1Forward, dz_t: the factor|^layer1Backward, z_t: the term h|mask is ignored/.test(name),
    });
    expect(report.misses).to.deep.equal([]);
    expect(report.score).to.deep.include({
      caught: 100,
      located: 100,
      named: 100,
      side: 100,
      wrongNames: 0,
      wrongSides: 0,
    });
    expect(report.rows.length).to.be.above(5);
    expect(report.exitCode).to.equal(0);
    expect(formatLayersTrial(report)).to.match(/caught 100 %.*\nTRIAL PASSED/);
  });

  it("catches and names what it plants in a user's own cell", () => {
    const report = runLayersTrial({
      layers: ownCell.name,
      model: { features: 2, layers: [{ layer: 'cell', cell: ownCell, units: 2 }, dense] },
      hosts: [emulatedHost()],
      seed: 3,
      seeds: 1,
      isWanted: (name) => /^layer1, (h_t|do_t): the factor/.test(name),
    });
    expect(report.misses).to.deep.equal([]);
    expect(report.rows.length).to.be.above(2);
    expect(report.score).to.deep.include({ caught: 100, wrongNames: 0, wrongSides: 0 });
    expect(report.exitCode).to.equal(0);
  });

  it('fails where a fault is not caught: a host that is right is not', () => {
    const honest: LayersHost = {
      ...emulatedHost(),
      plant: (given, _, way) =>
        emulatedHost().plant(
          given,
          {
            runs: (network, problem) => [
              { network, problem },
              { network, problem },
            ],
          },
          way,
        ),
    };
    const report = runLayersTrial({
      layers: 'my cell',
      model: { features: 2, layers: [{ layer: 'cell', cell: textOfCell(lstm()), units: 2 }, dense] },
      hosts: [honest],
      seed: 3,
      seeds: 1,
      isWanted: (name) => name === 'layer1, c_t: the factor σ(z_t[f]) is forgotten',
    });
    expect(report.score.caught).to.equal(0);
    expect(report.exitCode).to.equal(1);
    expect(report.misses[0]).to.match(/not caught/);
  });
});
