import { expect } from 'chai';
import { lstm, textOfCell } from '../../../harness/equations/index';
import {
  emulatedHost,
  formatTrial,
  runLayersTrial,
  trialPage,
  type LayersTrialOptions,
  type TrialReport,
} from '../../../harness/trial/index';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { loadBackend } from '../../../src/index';
import { ownCell } from '../../support/own-cell';

const dense = { layer: 'dense', units: 2 } as const;

function trial(
  layers: string,
  first: LayersTrialOptions['model']['layers'][number],
  wanted: RegExp,
  options: Partial<LayersTrialOptions> = {},
): Promise<TrialReport> {
  return runLayersTrial({
    layers,
    model: { features: 2, layers: [first, dense] },
    hosts: [emulatedHost()],
    seed: 3,
    seeds: 1,
    isWanted: (name) => wanted.test(name),
    ...options,
  });
}

describe('the trial of a network of layers', () => {
  it('catches, locates and names what it plants in emulated single precision, scratch and TensorFlow.js, on the right side', async () => {
    const float64 = { ...scratchImplementation(), name: 'float64 side' };
    const report = await trial(
      'bidirectional(simpleRNN:2)',
      { layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units: 2 } },
      /^layer1Forward, dz_t: the factor|^layer1Backward, z_t: the term h|mask is ignored$/,
      { hosts: [emulatedHost(), float64, tfjsImplementation(await loadBackend('cpu'))], float64 },
    );
    expect(report.misses).to.deep.equal([]);
    expect(report.score).to.deep.include({
      ...{ caught: 100, localised: 100, kind: 100, side: 100 },
      ...{ kindWrong: 0, sideWrong: 0, blamed: 0 },
    });
    expect(report.rows.length).to.be.above(5);
    expect(report.perHost.map(({ name }) => name)).to.deep.equal(report.hosts);
    expect(report.exitCode).to.equal(0);
    expect(formatTrial(report)).to.match(/faults caught 100 %.*\nTRIAL PASSED/);
    expect(await trialPage(report)).to.include('bidirectional(simpleRNN:2): ');
  });

  it('plants a mistake that is written in several ways in one that changes a number', async () => {
    const first = { layer: 'simpleRNN', units: 3 } as const;
    const report = await trial('simpleRNN:3', first, /^layer1, drecurrentKernel: h_\(t-2\)/, { seeds: 5 });
    expect(report.misses).to.deep.equal([]);
    expect(report.score.blamed).to.equal(0);
    expect(report.rows.some(({ name }) => name.endsWith('at one time step'))).to.equal(true);
  });

  it("catches and names what it plants in a user's own cell", async () => {
    const first = { layer: 'cell', cell: ownCell, units: 2 } as const;
    const report = await trial(ownCell.name, first, /^layer1, (h_t|do_t): the factor/);
    expect(report.misses).to.deep.equal([]);
    expect(report.rows.length).to.be.above(2);
    expect(report.score).to.deep.include({ caught: 100, kindWrong: 0, sideWrong: 0 });
    expect(report.exitCode).to.equal(0);
  });

  it('fails where a fault is not caught: a host whose answer is always the right one', async () => {
    const { plant, layered, ...host } = emulatedHost();
    const first = { layer: 'cell', cell: textOfCell(lstm()), units: 2 } as const;
    const blind = await trial('my cell', first, /^layer1, c_t: the factor σ\(z_t\[f\]\) is forgotten$/, {
      hosts: [
        {
          ...host,
          layered: {
            ...layered!,
            omits: ['sequences', 'finalStates', 'logits', 'outputs', 'loss', 'gradients'],
            evaluate: () => ({}),
          },
        },
      ],
    });
    expect(blind.score.caught).to.equal(0);
    expect(blind.exitCode).to.equal(1);
    expect(blind.misses[0]).to.match(/not caught/);
  });
});
