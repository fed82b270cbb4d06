import { expect } from 'chai';
import { assertParity, checkModel, defineCandidate, loadVectors, runParity } from '../../../harness/index';

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
  const cell = { name: 'a', carries: ['h'], weights: { k: 'F, U' }, equations: 'h_t = tanh(x_t · k)' };
  const wrong: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['a size below 1', () => assertParity(candidate, { sizes: { units: -1 } }), /units is -1/],
    ['a size with a fraction', () => assertParity(candidate, { sizes: { units: 1.5 } }), /units is 1\.5/],
    ['labels that are text', () => assertParity(candidate, { labels: 'no' as never }), /labels is no/],
    ['no candidate', () => assertParity(undefined as never), /the candidate is a undefined/],
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
    ['three processes', () => runParity({ processes: 3 as never }), /processes is 3/],
    ['diagnoses below 0', () => runParity({ diagnoses: -1 }), /diagnoses is -1/],
    ['no vectors', () => loadVectors(undefined as never), /files is a undefined/],
    ['no model', () => checkModel(undefined as never), /the model is a undefined/],
  ];
  for (const [what, call, message] of wrong)
    it(`${what}: refused in words`, async () => {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(String(error)).to.match(message);
      expect(asked).to.equal(0);
    });
});
