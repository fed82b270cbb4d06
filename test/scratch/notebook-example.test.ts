import { expect } from 'chai';
import { SimpleRNN, toNested } from '../../scratch/index';

/** The notebook's small example, every number as it is written there. */
const weights = {
  kernel: [
    [0.01, 0.03, 0.05, 0.07],
    [0.03, 0.05, 0.07, 0.08],
  ],
  recurrentKernel: [
    [0.01, 0.03, 0.05, 0.07],
    [0.02, 0.04, 0.06, 0.08],
    [0.03, 0.05, 0.07, 0.08],
    [0.04, 0.06, 0.08, 0.1],
  ],
  bias: [1, 1, 1, 1],
};
const inputs = [
  [
    [0.01, 0.02],
    [0.02, 0.03],
    [0.03, 0.04],
  ],
];

describe("the notebook's example", () => {
  const { finalState, states } = new SimpleRNN({ features: 2, units: 4, weights }).forward(inputs);

  it('gives the final state that the notebook states, to its 8 decimals', () => {
    const rounded = Array.from(finalState.data, (h) => h.toFixed(8));
    expect(rounded).to.deep.equal(['0.79494228', '0.81839002', '0.83939649', '0.85584174']);
  });

  it('gives the 16 digits that the notebook printed, to 1e-15', () => {
    const printed = [0.7949422790422093, 0.8183900239382846, 0.8393964886275626, 0.8558417381114936];
    finalState.data.forEach((h, u) => expect(h).to.be.closeTo(printed[u], 1e-15));
  });

  it('returns every state, the last of them being the final one', () => {
    expect(states.shape).to.deep.equal([1, 3, 4]);
    expect((toNested(states) as number[][][])[0][2]).to.deep.equal(Array.from(finalState.data));
  });
});
