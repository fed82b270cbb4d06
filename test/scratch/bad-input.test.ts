import { expect } from 'chai';
import { ScratchSimpleRNNClassifier, SimpleRNN } from '../../scratch/index';

const layer = new SimpleRNN({ features: 2, units: 3 });
const model = new ScratchSimpleRNNClassifier({ features: 2, units: 3, classes: 2 });
const good = [
  [
    [1, 2],
    [3, 4],
  ],
  [
    [5, 6],
    [7, 8],
  ],
];
const { cache } = layer.forward(good);
const weights = model.getWeights();

/** Every door of the room: what is pushed through, and what the message must say. */
const table: [string, () => unknown, RegExp][] = [
  [
    'ragged inputs',
    () => layer.forward([[[1, 2]], [[1]]]),
    /SimpleRNN.forward: inputs is ragged: \[1, 0\] has 1 elements where its first sibling has 2 .*pad shorter sequences and pass a mask/,
  ],
  [
    'sequences of different length',
    () =>
      layer.forward([
        [[1, 2]],
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    /ragged: \[1\] has 2 elements where its first sibling has 1/,
  ],
  [
    'inputs of rank 2',
    () => layer.forward([[1, 2]]),
    /inputs has shape \[1, 2\] but \[B, T, 2\] was expected/,
  ],
  ['inputs of rank 4', () => layer.forward([[[[1, 2]]]]), /inputs has shape \[1, 1, 1, 2\]/],
  ['other features', () => layer.forward([[[1, 2, 3]]]), /inputs has shape \[1, 1, 3\] but \[B, T, 2\]/],
  ['an empty batch', () => layer.forward([]), /inputs has shape \[0\]/],
  ['an empty batch with a shape', () => layer.forward({ data: [], shape: [0, 4, 2] }), /axis 0 is empty/],
  ['no time steps', () => layer.forward({ data: [], shape: [4, 0, 2] }), /axis 1 is empty/],
  [
    'NaN in the inputs',
    () => layer.forward([[[1, NaN]]]),
    /inputs holds NaN at \[0, 0, 1\]; every element must be a finite number/,
  ],
  [
    'infinity in flat inputs',
    () => layer.forward({ data: Float64Array.of(1, -Infinity), shape: [1, 1, 2] }),
    /inputs holds -Infinity at \[0, 0, 1\]/,
  ],
  [
    'a string in the inputs',
    () => layer.forward([[[1, '2']]] as never),
    /inputs holds a string at \[0, 0, 1\]/,
  ],
  ['a number for inputs', () => layer.forward(3 as never), /inputs is a number; pass nested arrays/],
  ['nothing for inputs', () => layer.forward(undefined as never), /inputs is undefined/],
  [
    'flat data that is too short',
    () => layer.forward({ data: [1, 2, 3], shape: [1, 2, 2] }),
    /has 3 numbers for shape \[1, 2, 2\], which holds 4/,
  ],
  [
    'a shape that is none',
    () => layer.forward({ data: [1, 2], shape: [1, 0.5, 4] }),
    /has the shape \[1, 0.5, 4\]; a shape is an array of sizes/,
  ],
  [
    'a shape of negative sizes',
    () => layer.forward({ data: [1, 2], shape: [-1, -1, 2] }),
    /has the shape \[-1, -1, 2\]/,
  ],
  [
    'data that is no array',
    () => layer.forward({ data: null, shape: [1, 1, 2] } as never),
    /has data that is /,
  ],
  [
    'an initial state of another batch',
    () => layer.forward(good, [[1, 2, 3]]),
    /initialState has shape \[1, 3\] but \[2, 3\]/,
  ],
  [
    'NaN in the initial state',
    () =>
      layer.forward(good, [
        [1, 2, 3],
        [1, 2, NaN],
      ]),
    /initialState holds NaN at \[1, 2\]/,
  ],
  [
    'a mask of another length',
    () => layer.forward(good, undefined, [[1], [1]]),
    /mask has shape \[2, 1\] but \[2, 2\]/,
  ],
  [
    'a mask of fractions',
    () =>
      layer.forward(good, undefined, [
        [1, 0.5],
        [1, 1],
      ]),
    /mask holds 0.5 at \[0, 1\]; a mask is 1 where/,
  ],
  [
    'a mask of booleans',
    () =>
      layer.forward(good, undefined, [
        [true, false],
        [true, true],
      ] as never),
    /mask holds a boolean/,
  ],
  [
    'one upstream gradient too few',
    () => layer.backward(cache, { states: [[[1, 2, 3]], [[1, 2, 3]]] }),
    /SimpleRNN.backward: upstream.states has shape \[2, 1, 3\] but the forward pass makes \[2, 2, 3\]; pass one gradient per time step/,
  ],
  [
    'an upstream final state of other units',
    () => layer.backward(cache, { finalState: [[1], [2]] }),
    /upstream.finalState has shape \[2, 1\] but the forward pass makes \[2, 3\]/,
  ],
  [
    'NaN upstream',
    () =>
      layer.backward(cache, {
        finalState: [
          [1, 2, 3],
          [NaN, 2, 3],
        ],
      }),
    /upstream.finalState holds NaN at \[1, 0\]/,
  ],
  [
    'a transposed kernel',
    () =>
      new SimpleRNN({
        features: 2,
        units: 3,
        weights: {
          kernel: [
            [1, 2],
            [1, 2],
            [1, 2],
          ],
          recurrentKernel: weights.recurrentKernel,
          bias: weights.bias,
        },
      }),
    /SimpleRNN: kernel has shape \[3, 2\] but \[2, 3\]/,
  ],
  [
    'no units',
    () => new SimpleRNN({ features: 2, units: 0 }),
    /SimpleRNN: units is 0; a size must be an integer of at least 1/,
  ],
  [
    'features of NaN',
    () => new ScratchSimpleRNNClassifier({ features: NaN, units: 1, classes: 2 }),
    /features is NaN/,
  ],
  [
    'classes as text',
    () => new ScratchSimpleRNNClassifier({ features: 1, units: 1, classes: '2' as never }),
    /classes is "2"/,
  ],
  [
    'an output kernel of other classes',
    () => model.setWeights({ ...weights, outputKernel: [[1], [2], [3]] }),
    /setWeights: outputKernel has shape \[3, 1\] but \[3, 2\]/,
  ],
  [
    'a missing weight',
    () => model.setWeights({ ...weights, bias: undefined as never }),
    /setWeights: bias is undefined/,
  ],
  [
    'NaN in a weight',
    () => model.setWeights({ ...weights, outputBias: [0, NaN] }),
    /setWeights: outputBias holds NaN at \[1\]/,
  ],
  [
    'a label beyond the classes',
    () => model.trainOnBatch(good, [0, 2]),
    /trainOnBatch: labels holds 2 at \[1\]; a label is an integer from 0 to 1/,
  ],
  [
    'a fractional label',
    () => model.lossAndGradients(good, [0, 0.5]),
    /lossAndGradients: labels holds 0.5 at \[1\]/,
  ],
  [
    'one-hot labels',
    () =>
      model.loss(good, [
        [1, 0],
        [0, 1],
      ] as never),
    /labels holds an array of 2 at \[0\]/,
  ],
  [
    'too many labels',
    () => model.evaluate(good, [0, 1, 1]),
    /evaluate: labels has 3 elements for 2 examples/,
  ],
  [
    'no labels',
    () => model.evaluate(good, null as never),
    /evaluate: labels is null; pass an array with one class index per example/,
  ],
  ['a batch size of 0', () => model.evaluate(good, [0, 1], { batchSize: 0 }), /evaluate: batchSize is 0/],
  [
    'inputs of other features',
    () => model.predict([[[1]]]),
    /predict: inputs has shape \[1, 1, 1\] but \[B, T, 2\]/,
  ],
];

describe('scratch doors refuse, saying what came, what was expected and how to fix it', () => {
  for (const [what, act, message] of table) {
    it(what, () => {
      expect(act).to.throw(Error, message);
      const text = (() => {
        try {
          act();
          return '';
        } catch (error) {
          return (error as Error).message;
        }
      })();
      // three parts: what happened; what was expected; (often in the same clause) the fix
      expect(text).to.match(/;.*\w|: .*;/);
      expect(model.getWeights()).to.deep.equal(weights);
    });
  }
});
