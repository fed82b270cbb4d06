import { expect } from 'chai';
import {
  assertParity,
  checkModel,
  defineCandidate,
  defineCell,
  load,
  loadCandidate,
  loadData,
  loadVectors,
  parseVectors,
  runParity,
  save,
  train,
} from '../../../harness/index';
import { ScratchSimpleRNNClassifier } from '../../../scratch/index';

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
