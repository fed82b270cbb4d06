import { expect } from 'chai';
import {
  assertParity,
  checkModel,
  convertModel,
  defineCandidate,
  defineCell,
  fitStandardisation,
  load,
  loadCandidate,
  loadData,
  loadNetwork,
  loadVectors,
  memoryData,
  Notes,
  parseVectors,
  pickEngine,
  runParity,
  save,
  splitStratified,
  takePart,
  train,
} from '../../../harness/index';
import { resolveOptimizer, ScratchSimpleRNNClassifier, zeros } from '../../../scratch/index';

/** Values that a program without types may pass: each is refused with what was expected, before any side is asked. */
describe('values of options that make no sense', () => {
  let asked = 0;
  const candidate = defineCandidate({
    name: 'never asked',
    precision: 'float64',
    evaluate: () => {
      asked++;
      return {};
    },
  });
  const scratch = (units = 3) => new ScratchSimpleRNNClassifier({ features: 2, units, classes: 2 });
  const vectors = JSON.stringify({
    format: 'rnn-parity-vectors/1',
    cases: [{ id: 'a', problem: {}, expected: {} }],
  });
  const data = memoryData({ examples: 4, timeSteps: 2, seed: 1 });
  const takePartOf = (examples: unknown) => Promise.resolve().then(() => takePart(data, examples as never));
  const cell = { name: 'a', carries: ['h'], weights: { k: 'F, U' }, equations: 'h_t = tanh(x_t · k)' };
  const wrong: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['a size below 1', () => assertParity(candidate, { sizes: { units: -1 } }), /units is -1/],
    ['a size with a fraction', () => assertParity(candidate, { sizes: { units: 1.5 } }), /units is 1\.5/],
    ['labels that are text', () => assertParity(candidate, { labels: 'no' as never }), /labels is "no"/],
    ['no candidate', () => assertParity(undefined as never), /the candidate is undefined/],
    ['a path for a candidate', () => assertParity('mine.ts' as never), /the candidate is a string/],
    [
      'problems of two kinds',
      () => assertParity(candidate, { problems: [], equations: cell }),
      /problems and equations/,
    ],
    [
      'formulas without parts',
      () => assertParity(candidate, { equations: {} as never }),
      /lacks name .*equations/,
    ],
    ['a time limit below 0', () => assertParity(candidate, { timeoutSeconds: -1 }), /timeoutSeconds is -1/],
    ['no list of problems', () => runParity({ problems: 'x' as never }), /problems is a string/],
    ['a model without layers', () => runParity({ model: 1 as never }), /model has no array of layers/],
    ['a pattern that is no text', () => runParity({ only: 5 as never }), /only is a number/],
    ['labels of a run that are text', () => runParity({ labels: 'no' as never }), /labels is "no"/],
    ['a big seed', () => assertParity(candidate, { seed: 1n as never }), /the seed is 1n/],
    ['a time limit that is no number', () => assertParity(candidate, { timeoutSeconds: NaN }), /is NaN; /],
    ['three processes', () => runParity({ processes: 3 as never }), /processes is 3/],
    ['diagnoses below 0', () => runParity({ diagnoses: -1 }), /diagnoses is -1/],
    [
      'a time limit that no timer holds',
      () => assertParity(candidate, { timeoutSeconds: 1e9 }),
      /timeoutSeconds is 1000000000; /,
    ],
    [
      'a number for vectors',
      () => runParity({ vectors: [3] as never }),
      /vectors holds something else than files/,
    ],
    [
      'files and cases at once',
      () => runParity({ vectors: ['a.npz', {}] as never }),
      /vectors holds something else/,
    ],
    [
      'a flag that is text',
      () => train({ data: { standardize: 'no' as never } }),
      /standardize is "no"; it is either true or false/,
    ],
    ['a callback that is none', () => train({}, { onBatch: 3 as never }), /train: onBatch is a number/],
    ['a mask that is no number', () => save(scratch(), 'none', { masked: Number.NaN }), /masked is NaN/],
    [
      'names of other features',
      () => save(scratch(), 'none', { featureNames: ['x'] }),
      /names 1 features, and its layers read 2/,
    ],
    [
      'a size that is text',
      () => Promise.resolve().then(() => scratch('3' as never)),
      /units is "3"; a size must be an integer/,
    ],
    [
      'a tensor of TensorFlow.js',
      () => Promise.resolve().then(() => scratch().predict({ data: () => [], shape: [1, 1, 2] } as never)),
      /data that is a function; pass \{ data, shape \}/,
    ],
    [
      'layers that are no list',
      () => train({ layers: {} as never }),
      /--layers is an object; an array of layers/,
    ],
    [
      'a delimiter that is no text',
      () => loadData('a.csv', { delimiter: 5 as never }),
      /delimiter is a number/,
    ],
    ['reports to nobody', () => loadData('a.csv', { onReport: 5 as never }), /onReport is a number/],
    ['no network to save', () => save(null as never, 'none'), /save: the model is missing/],
    ['nowhere to save to', () => save(scratch(), ''), /save: the directory is missing/],
    [
      'names that are no texts',
      () => save(scratch(), 'none', { featureNames: 5 as never }),
      /featureNames holds something else/,
    ],
    [
      'a hole among the names of classes, which model.json would have as null',
      () => save(scratch(), 'none', { classNames: Object.assign(new Array<string>(2), { 0: 'a' }) }),
      /has class names that are not texts/,
    ],
    [
      'a backend that there is not',
      () => load('none', { backend: 'gpu' as never }),
      /backend is gpu; the nearest/,
    ],
    ['sides that are no list', () => checkModel('none.h5', { sides: 'graph' as never }), /sides is a string/],
    [
      'expected outputs that are nested',
      () => checkModel('none.h5', { inputs: {}, expected: [[[1]]] as never }),
      /the expected output 1 is not a tensor of numbers; pass \{ data, shape \}/,
    ],
    [
      'one expected output instead of a list',
      () => checkModel('none.h5', { inputs: {}, expected: {} as never }),
      /expected is an object; pass an array of tensors/,
    ],
    [
      'progress that nobody can call',
      () => checkModel('none.h5', { progress: 5 as never }),
      /progress is a number/,
    ],
    [
      'a time limit that is text',
      () => checkModel('none.h5', { timeoutSeconds: '5' as never }),
      /timeoutSeconds is "5"/,
    ],
    [
      'how a file is read, and no file',
      () => convertModel({ layers: [] } as never, { to: 'npz', out: 'none.npz', steps: 'last' }),
      /the model is opened already; pass them to openModelFile/,
    ],
    [
      'a path that is a URL',
      () => loadNetwork(new URL('file:///none') as never),
      /The model is an? \w+; pass the path of its directory/,
    ],
    [
      'a backend for a side that has none',
      () => loadNetwork('none', { side: 'graph', backend: 'wasm' }),
      /backend is wasm, of the side tfjs, and side is graph/,
    ],
    [
      'two features of one name',
      () => save(scratch(), 'none', { featureNames: ['x', 'x'] }),
      /names two features "x"/,
    ],
    [
      'weights of fewer layers',
      () =>
        save(
          { name: 'a', config: { features: 1, layers: [{ layer: 'lstm', units: 2 }] }, getWeights: () => [] },
          'none',
        ),
      /save: the weights/,
    ],
    ['no sizes', () => pickEngine({} as never), /pickEngine: batch is undefined; a size must be an integer/],
    [
      'zeros of half a size',
      () => Promise.resolve().then(() => zeros(1.5)),
      /zeros has the shape \[1\.5\]; .* one integer per axis/,
    ],
    [
      'sizes that are text',
      () => Promise.resolve().then(() => scratch().predict({ data: [1, 2], shape: ['1', 1, 2] } as never)),
      /has the shape \["1", 1, 2\]/,
    ],
    [
      'the name of an optimizer for its options',
      () => Promise.resolve().then(() => resolveOptimizer('adam' as never)),
      /the options are "adam"; pass an object, as \{ optimizer: 'adam' \}/,
    ],
    [
      'an id that moves the cursor',
      () => Promise.resolve().then(() => parseVectors(vectors.replace('"a"', '"\\u001b[2J"'), 'v')),
      /the id of a case is "\\u001b\[2J", which holds a character that readers cannot see \(U\+001B\)/,
    ],
    [
      'the name of what every object has, for a weight',
      () => Promise.resolve().then(() => defineCell({ ...cell, equations: 'h_t = tanh(x_t · constructor)' })),
      /column 18: constructor is a name that every object has already/,
    ],
    [
      'a number in a formula beyond float64',
      () => Promise.resolve().then(() => defineCell({ ...cell, equations: 'h_t = tanh(1e999 ∘ x_t · k)' })),
      /1e999 is beyond float64/,
    ],
    [
      'parentheses without end',
      () =>
        Promise.resolve().then(() =>
          defineCell({ ...cell, equations: `h_t = ${'('.repeat(20_000)}x_t · k${')'.repeat(20_000)}` }),
        ),
      /more than 200 "\(" are open/,
    ],
    ['half an example', () => takePartOf([0.5]), /takePart: example 0\.5 of 4; examples are counted from 0/],
    [
      'an example that the data do not have, to measure',
      () => Promise.resolve().then(() => fitStandardisation(data, [9] as never, new Notes())),
      /example 9 of 4/,
    ],
    [
      'no example to measure',
      () => Promise.resolve().then(() => fitStandardisation(data, [] as never, new Notes())),
      /There are no examples to measure/,
    ],
    [
      'a label above the classes',
      () => Promise.resolve().then(() => splitStratified(Int32Array.of(0, 5), 2, 0.2, 1)),
      /the labels hold 5; whole numbers from 0 to 1/,
    ],
    ['no path of a candidate', () => loadCandidate(5 as never), /loadCandidate: the file is a number/],
    ['a path that is a number', () => loadVectors([5] as never), /files is an array of something else/],
    [
      'vectors that are no text',
      () => Promise.resolve().then(() => parseVectors(5 as never, 'a')),
      /the text is a number; pass what/,
    ],
    ['no formulas', () => Promise.resolve().then(() => defineCell(null as never)), /lacks name/],
    ['too large a seed', () => assertParity(candidate, { seed: 1e16 }), /the seed is 10000000000000000; /],
    ['no vectors', () => loadVectors(undefined as never), /files is undefined/],
    ['no model', () => checkModel(undefined as never), /the model is undefined/],
  ];
  for (const [what, call, message] of wrong)
    it(`${what}: refused in words`, async () => {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(String(error)).to.match(message);
      expect(asked).to.equal(0);
    });
});
