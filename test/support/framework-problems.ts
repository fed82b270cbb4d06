import type { AnyProblem } from '../../harness/base/problem';
import { makeLayeredProblem } from '../../harness/problems/index';
import { makeProblem } from '../../harness/problems/generated';

const dense = { layer: 'dense', units: 3 } as const;

/** Small problems that Keras, PyTorch and ONNX Runtime answered (test/fixtures/frameworks/record.ts): of the simple RNN, and of layers. */
export function frameworkProblems(): AnyProblem[] {
  const sizes = { batch: 2, timeSteps: 3 };
  return [
    makeProblem({
      ...{ id: 'framework/simple', seed: 3, ...sizes, features: 2, units: 3, classes: 3, scale: 1 },
      ...{ labels: true, upstreamStates: true, upstreamFinalState: true, initialState: true, mask: false },
    }),
    makeLayeredProblem({
      ...{ id: 'framework/both-ways', seed: 5, ...sizes, upstream: true },
      model: {
        features: 2,
        layers: [
          { layer: 'bidirectional', wrapped: { layer: 'gru', units: 2, returnSequences: true } },
          { layer: 'lstm', units: 2, goBackwards: true },
          dense,
        ],
      },
    }),
    makeLayeredProblem({
      ...{ id: 'framework/embedding', seed: 7, ...sizes, initialStates: false },
      model: {
        layers: [
          { layer: 'embedding', inputDim: 5, outputDim: 2 },
          { layer: 'bidirectional', wrapped: { layer: 'lstm', units: 2 } },
          dense,
        ],
        loss: 'sigmoidCrossEntropy',
      },
    }),
    makeLayeredProblem({
      ...{ id: 'framework/masked', seed: 15, ...sizes, mask: true },
      model: {
        features: 2,
        layers: [
          { layer: 'lstm', units: 2, returnSequences: true },
          { layer: 'gru', units: 2, resetAfter: false },
        ],
        loss: 'meanSquaredError',
      },
    }),
    makeLayeredProblem({
      ...{ id: 'framework/hard-gates', seed: 11, ...sizes, upstream: false },
      model: {
        features: 2,
        layers: [
          {
            layer: 'bidirectional',
            wrapped: { layer: 'lstm', units: 2, recurrentActivation: 'hardSigmoid' },
          },
          dense,
        ],
      },
    }),
  ];
}
