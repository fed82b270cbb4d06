/** A layer whose third step is wrong by a thousandth where it is told to be. */
const layer = `
const candidate = (wrong) => ({
  name: 'mine',
  precision: 'float64',
  omits: ['logits', 'loss', 'gradients'],
  evaluate({ inputs, initialState, weights: { kernel, recurrentKernel, bias } }) {
    const dot = (v, matrix, u) => v.reduce((sum, x, i) => sum + x * matrix[i][u], 0);
    const states = inputs.map((sequence, b) => {
      let h = initialState?.[b] ?? bias.map(() => 0);
      return sequence.map((x, t) => {
        const factor = wrong && t === 2 ? 0.999 : 1;
        return (h = bias.map((c, u) => Math.tanh(c + dot(x, kernel, u) + factor * dot(h, recurrentKernel, u))));
      });
    });
    return { states, finalState: states.map((rows) => rows[rows.length - 1]) };
  },
});
test('right', () => assertParity(candidate(false)));
test('wrong', () => assertParity(candidate(true)));
`;

/** Files for `node --test` in a project that has rnn-parity: of two tests each, one passes and one fails. */
export const runnerTests: Readonly<Record<string, string>> = {
  'runner.test.mjs': `
import test from 'node:test';
import { assertParity } from 'rnn-parity/harness';
${layer}`,
  'runner.test.cjs': `
const test = require('node:test');
const { assertParity } = require('rnn-parity/harness');
${layer}`,
};
