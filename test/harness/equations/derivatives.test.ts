import { expect } from 'chai';
import { derivativeAlong, evaluateNetwork } from '../../../harness/equations/interpret';
import { tensorsOf, type Network, type NetworkProblem } from '../../../harness/equations/network';
import { gru, lstm, simpleRnn } from '../../../harness/equations/cells/index';
import { testedCells } from './cells';
import { generatedProblem, oneLayer } from './generated';

/**
 * Largest difference between derived gradients and dual numbers, over all entries of all tensors of the problem, in units of the
 * tensor's largest gradient. Dual numbers use the operations' tangents and no backward equation.
 */
function difference(network: Network, problem: NetworkProblem): { largest: number; entries: number } {
  const answer = evaluateNetwork(network, problem);
  let largest = 0;
  let entries = 0;
  for (const [path, tensor] of tensorsOf(problem)) {
    const name = gradientOf(path);
    const gradient = name === undefined ? undefined : answer.get(name)?.data;
    if (gradient === undefined) continue;
    expect(gradient.length, path).to.equal(tensor.data.length);
    const scale = gradient.reduce((most, d) => Math.max(most, Math.abs(d)), 1e-3);
    gradient.forEach((d, i) => {
      const direction = new Float64Array(gradient.length);
      direction[i] = 1;
      const dual = derivativeAlong(network, problem, new Map([[path.replace(/^weights\./, ''), direction]]));
      const off = Math.abs(d - dual) / scale;
      if (!(off <= largest)) largest = off;
      entries++;
    });
  }
  return { largest, entries };
}

/** `weights.rnn.kernel` to `gradients.rnn.kernel`, `initialStates.rnn.h` to `gradients.rnn.initial.h` */
function gradientOf(path: string): string | undefined {
  if (path === 'inputs') return 'gradients.inputs';
  if (path.startsWith('weights.')) return path.replace('weights', 'gradients');
  const found = /^initialStates\.(.+)\.(.+)$/.exec(path);
  return found === null ? undefined : `gradients.${found[1]}.initial.${found[2]}`;
}

describe('derived backward steps agree with dual numbers', () => {
  for (const [name, cell] of Object.entries(testedCells))
    it(name, () => {
      const network = oneLayer(cell, 2, 3);
      for (const [seed, masked] of [
        [1, false],
        [2, true],
      ] as const) {
        const { largest, entries } = difference(
          network,
          generatedProblem(network, seed, { masked, upstream: true }),
        );
        expect(largest).to.be.below(1e-13);
        expect(entries).to.be.above(40);
      }
    });

  const layers = {
    'two layers': [
      { name: 'low', cell: lstm(), units: 2, reads: 'inputs' },
      { name: 'top', cell: gru(), units: 3, reads: 'low' },
    ],
    ...Object.fromEntries(
      (['concat', 'sum', 'mul', 'ave'] as const).map((merge) => [
        `both directions, ${merge}`,
        [
          { name: 'ahead', cell: lstm(), units: 2, reads: 'inputs' },
          { name: 'back', cell: simpleRnn(), units: 2, reads: 'inputs', reversed: true },
          { name: 'both', merge, of: ['ahead', 'back'] as const },
          { name: 'top', cell: gru(), units: 2, reads: 'both' },
        ],
      ]),
    ),
  } as Record<string, Network['layers']>;
  for (const [name, list] of Object.entries(layers))
    for (const on of ['last', 'steps'] as const)
      it(`${name}, head on ${on}`, () => {
        const reads = list[list.length - (on === 'last' ? 1 : 2)].name;
        const network: Network = {
          features: 2,
          layers: list,
          head: { classes: 3, on, reads, loss: 'softmax' },
        };
        const problem = generatedProblem(network, 5, {
          masked: true,
          upstream: true,
          batch: 2,
          timeSteps: 3,
        });
        expect(difference(network, problem).largest).to.be.below(1e-13);
      });

  for (const loss of ['sigmoid', 'meanSquaredError'] as const)
    for (const on of ['last', 'steps'] as const)
      it(`${loss} on ${on}, of a merged layer`, () => {
        const network: Network = {
          features: 2,
          layers: layers['both directions, concat'].slice(0, 3),
          head: { classes: 2, on, reads: 'both', loss },
        };
        const problem = generatedProblem(network, 6, { masked: on === 'steps', upstream: true });
        expect(difference(network, problem).largest).to.be.below(1e-13);
      });
});
