import { expect } from 'chai';
import * as harness from '../../harness/index';
import type { Candidate, Evaluation, Problem } from '../../harness/index';
import { runFuzz } from '../../harness/fuzz/run';
import { parityOf } from '../../harness/parity/assert/assert-parity';
import { scratchImplementation } from '../../harness/index';

const [problem] = harness.quickSuite({
  sizes: { batch: 1, timeSteps: 1, features: 1, units: 1, classes: 2 },
});
const candidate: Candidate = { name: 'unused', precision: 'float64', evaluate: () => ({}) };
const reference = (): Evaluation => scratchImplementation().evaluate(problem) as Evaluation;

/** A call with a name that does not exist, and the nearest one that does. */
const wrong: Readonly<
  Record<string, readonly [call: (bad: never) => unknown, bad: object, nearest: string]>
> = {
  assertParity: [(bad) => harness.assertParity(candidate, bad), { tolerence: {} }, 'tolerance'],
  'the chai plugin': [(bad) => parityOf(candidate, bad), { sedd: 2 }, 'seed'],
  'assertParity: sizes': [
    (bad) => harness.assertParity(candidate, { sizes: bad }),
    { timesteps: 3 },
    'timeSteps',
  ],
  'a tolerance': [(bad) => harness.assertParity(candidate, { tolerance: bad }), { abs: 1e-6 }, 'absolute'],
  quickSuite: [(bad) => harness.quickSuite(bad), { mask: true }, 'masks'],
  'quickSuite: sizes': [(bad) => harness.quickSuite({ sizes: bad }), { unit: 3 }, 'units'],
  runParity: [(bad) => harness.runParity(bad), { candidat: './mine.ts' }, 'candidate'],
  'runParity: a problem': [
    (bad) => harness.runParity({ sides: [], candidate, problems: [bad] }),
    { ...problem, label: [0] },
    'labels',
  ],
  'runParity: upstream': [
    (bad) => harness.runParity({ sides: [], candidate, problems: [{ ...problem, upstream: bad }] }),
    { state: problem.inputs },
    'states',
  ],
  'runParity: weights': [
    (bad) => harness.runParity({ sides: [], candidate, problems: [{ ...problem, weights: bad }] }),
    { ...problem.weights, recurrentkernel: problem.inputs },
    'recurrentKernel',
  ],
  openModelFile: [(bad) => harness.openModelFile('model.keras', bad), { step: 'last' }, 'steps'],
  checkModel: [(bad) => harness.checkModel('model.keras', bad), { side: ['graph'] }, 'sides'],
  convertModel: [
    (bad) => harness.convertModel('model.keras', bad),
    { to: 'tfjs', out: 'a', forced: true },
    'force',
  ],
  defineCandidate: [(bad) => harness.defineCandidate(bad), { ...candidate, mask: true }, 'masks'],
  'a candidate': [(bad) => harness.assertParity(bad), { ...candidate, omit: ['loss'] }, 'omits'],
  loadCandidate: [(bad) => harness.loadCandidate('mine.ts', bad), { timeout: 3 }, 'timeoutSeconds'],
  compareEvaluation: [
    (bad) => harness.compareEvaluation(problem, reference(), reference(), candidate, bad),
    { omit: ['loss'] },
    'omits',
  ],
  formatSummary: [
    (bad) => harness.formatSummary({} as harness.ParityReport, bad),
    { verbos: true },
    'verbose',
  ],
  loadData: [(bad) => harness.loadData('a.csv', bad), { delimeter: ';' }, 'delimiter'],
  'loadData: columns': [(bad) => harness.loadData('a.csv', { columns: bad }), { feature: ['x'] }, 'features'],
  memoryData: [(bad) => harness.memoryData(bad), { seed: 1, timeSteps: 3, example: 5 }, 'examples'],
  save: [(bad) => harness.save({} as never, 'nowhere', bad), { classnames: ['a'] }, 'classNames'],
  load: [(bad) => harness.load('nowhere', bad), { sides: 'scratch' }, 'side'],
  'train: choices': [(bad) => harness.train(bad), { lr: 0.1 }, 'learningRate'],
  'train: data': [(bad) => harness.train({ data: bad }), { sources: 'notebook' }, 'source'],
  'train: options': [(bad) => harness.train({}, bad), { outt: 'runs/a' }, 'out'],
  resolveSettings: [(bad) => harness.resolveSettings(bad), { batchsize: 5 }, 'batchSize'],
  'createClassifier: engine': [
    (bad) => harness.createClassifier({ timeSteps: 1, features: 1, units: 1, classes: 2, engine: bad }),
    { kind: 'scratch', gradient: 'bptt' },
    'gradients',
  ],
  pickEngine: [
    (bad) => harness.pickEngine(bad),
    { batch: 1, timesteps: 1, features: 1, units: 1 },
    'timeSteps',
  ],
  runFuzz: [(bad) => runFuzz(bad), { sides: [], plan: { cases: 1 }, out: 'x', seeds: 2 }, 'seed'],
};

/** A value that is none of the choices, and the nearest one. */
const wrongChoices: Readonly<Record<string, readonly [call: () => unknown, nearest: string]>> = {
  'train: model': [() => harness.train({ model: 'scrach' as never }), 'scratch'],
  'train: optimizer': [() => harness.train({ model: 'scratch', optimizer: 'adamw' as never }), 'adam'],
  'train: decay': [() => harness.resolveSettings({ decay: 'liner' as never }), 'linear'],
  'train: gradients': [() => harness.resolveSettings({ gradients: 'autodif' as never }), 'autodiff'],
  'train: initializer': [() => harness.resolveSettings({ initializer: 'kera' as never }), 'keras'],
  'train: backend': [() => harness.resolveSettings({ backend: 'wasn' as never }), 'wasm'],
  'load: side': [() => harness.load('nowhere', { side: 'scrach' as never }), 'scratch'],
  'createClassifier: engine': [
    () =>
      harness.createClassifier({
        timeSteps: 1,
        features: 1,
        units: 1,
        classes: 2,
        engine: { kind: 'graf' as never },
      }),
    'graph',
  ],
};

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return String(error);
  }
  return 'nothing was refused';
}

describe('options of the harness', () => {
  for (const [name, [call, bad, nearest]] of Object.entries(wrong)) {
    it(`${name}: an unknown name is refused with the nearest one`, async () => {
      const message = await messageOf(() => call(bad as never));
      expect(message).to.match(/^(RangeError|UsageError): /);
      expect(message).to.match(
        new RegExp(`there is no (option|field|size) \\w+; the nearest is ${nearest}\\b`),
      );
    });
  }

  for (const [name, [call, nearest]] of Object.entries(wrongChoices)) {
    it(`${name}: an unknown value is refused with the nearest one`, async () => {
      expect(await messageOf(call)).to.match(new RegExp(`the nearest is ${nearest} \\(there are `));
    });
  }

  it('leaves a candidate fields of its own that resemble no option', async () => {
    const own = { ...candidate, cache: new Map(), counted: 0 };
    expect(await messageOf(() => harness.assertParity(own, { problems: [problem] }))).not.to.match(
      /no option/,
    );
  });
});

// the compiler holds the lists complete; this holds that a problem as it is made passes
it('takes every problem of the quick suite with masks', async () => {
  const problems: Problem[] = harness.quickSuite({
    masks: true,
    sizes: { units: 2, batch: 1, timeSteps: 2 },
  });
  const report = await harness.runParity({
    sides: [],
    candidate,
    problems: problems.slice(0, 1),
    power: false,
  });
  expect(report.errors).to.deep.equal([]);
});
