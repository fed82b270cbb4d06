import { expect } from 'chai';
import { evaluateNetwork, answerOf, equationsOf } from '../../../harness/equations/index';
import { makeLayeredProblem, type LayeredRecipe } from '../../../harness/problems/index';
import { scratchImplementation } from '../../../harness/sides/index';
import {
  expectedNames,
  expectedShape,
  tensorOf,
  type Evaluation,
  type Model,
} from '../../../harness/base/problem';

const dense = { layer: 'dense', units: 3 } as const;
const numbers = 'meanSquaredError';

/** Every layer and option that the bridge knows; the last number of a name tells how many layers there are. */
const models: Readonly<Record<string, Model>> = {
  'simple RNN': { features: 3, layers: [{ layer: 'simpleRNN', units: 4 }, dense] },
  'LSTM alone': { features: 3, loss: numbers, layers: [{ layer: 'lstm', units: 4 }] },
  'LSTM, every step': {
    features: 3,
    layers: [
      { layer: 'lstm', units: 4, returnSequences: true },
      { layer: 'timeDistributed', wrapped: dense },
    ],
  },
  'LSTM of other activations': {
    features: 2,
    loss: 'sigmoidCrossEntropy',
    layers: [
      { layer: 'lstm', units: 3, activation: 'linear', recurrentActivation: 'hardSigmoid', useBias: false },
      dense,
    ],
  },
  'GRU before': { features: 3, layers: [{ layer: 'gru', units: 4, resetAfter: false }, dense] },
  'GRU after, one bias': { features: 3, layers: [{ layer: 'gru', units: 4, biases: 1 }, dense] },
  'GRU after, both biases': {
    features: 3,
    layers: [{ layer: 'gru', units: 4, recurrentActivation: 'hardSigmoidKeras3' }, dense],
  },
  'two layers': {
    features: 3,
    layers: [
      { layer: 'lstm', units: 4, returnSequences: true },
      { layer: 'gru', units: 2, returnSequences: true },
      dense,
    ],
    loss: numbers,
  },
  'backwards below forwards': {
    features: 3,
    layers: [
      { layer: 'lstm', units: 4, returnSequences: true, goBackwards: true },
      { layer: 'gru', units: 2 },
      dense,
    ],
  },
  ...Object.fromEntries(
    (['concat', 'sum', 'mul', 'ave'] as const).map((mergeMode): [string, Model] => [
      `both directions, ${mergeMode}`,
      {
        features: 3,
        layers: [
          { layer: 'bidirectional', mergeMode, wrapped: { layer: 'gru', units: 2, returnSequences: true } },
          { layer: 'bidirectional', mergeMode, wrapped: { layer: 'lstm', units: 2 } },
          dense,
        ],
      },
    ]),
  ),
  'both directions, every step': {
    features: 3,
    loss: numbers,
    layers: [{ layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units: 2, returnSequences: true } }],
  },
  'dense below, between and above': {
    features: 3,
    layers: [
      { layer: 'dense', units: 4, activation: 'tanh' },
      { layer: 'bidirectional', wrapped: { layer: 'gru', units: 2, returnSequences: true } },
      { layer: 'dense', units: 5, activation: 'relu', useBias: false },
      { layer: 'lstm', units: 3, goBackwards: true },
      { layer: 'dense', units: 4, activation: 'sigmoid' },
      dense,
    ],
  },
  embedding: {
    layers: [{ layer: 'embedding', inputDim: 6, outputDim: 3 }, { layer: 'gru', units: 4 }, dense],
  },
  'embedding of steps that are masked': {
    layers: [
      { layer: 'embedding', inputDim: 4, outputDim: 3, maskZero: true },
      { layer: 'lstm', units: 4, returnSequences: true },
      dense,
    ],
  },
};

const { layered: scratch } = scratchImplementation();

describe('harness/equations: a model as equations', () => {
  for (const [name, model] of Object.entries(models)) {
    for (const kind of ['loss', 'upstream', 'mask'] as const) {
      it(`answers as the scratch network does: ${name}, ${kind}`, async () => {
        const recipe: LayeredRecipe = {
          id: name,
          seed: name.length,
          model,
          batch: 2,
          timeSteps: 4,
          [kind]: true,
          ...(kind === 'upstream' && { loss: false }),
        };
        const problem = makeLayeredProblem(recipe);
        const equations = equationsOf(problem);
        const answer = answerOf(equations, evaluateNetwork(equations.network, equations.problem));
        const reference = (await scratch?.evaluate(problem)) as Evaluation;
        expect([...answer.keys()].sort()).to.include.members(expectedNames(problem).sort());
        for (const tensor of expectedNames(problem)) {
          const expected = tensorOf(reference, tensor);
          const found = answer.get(tensor);
          expect(found?.shape, tensor).to.deep.equal(expectedShape(problem, tensor));
          expect(expected?.shape, tensor).to.deep.equal(expectedShape(problem, tensor));
          const size = Math.max(1e-3, ...(expected?.data.map(Math.abs) ?? []));
          found?.data.forEach((x, i) => {
            expect(Math.abs(x - (expected?.data[i] ?? NaN)) / size, `${tensor} ${i}`).to.be.at.most(1e-12);
          });
        }
      });
    }
  }
});
