import { expect } from 'chai';
import type { OpenSide } from '../../../harness/sides/index';
import { runParity } from '../../../harness/parity/index';
import {
  ScratchSimpleRNNClassifier,
  type ClassifierWeights,
  type OptimizerState,
  type SimpleRNNClassifier,
} from '../../../scratch/index';

type Change = (model: SimpleRNNClassifier) => void;

/** A side that trains: the scratch classifier in float32's clothes, with a fault in it. */
function training(change: Change = () => undefined): OpenSide {
  return {
    implementation: { name: 'trained', precision: 'float32', evaluate: () => ({}) },
    createClassifier: (shape) => {
      const model = new ScratchSimpleRNNClassifier(shape);
      change(model);
      return model;
    },
  };
}

async function run(side: OpenSide, only: string) {
  return runParity({ only, sides: [{ name: 'trained', required: true, open: () => Promise.resolve(side) }] });
}

/** What the mistakes are called; one that is not in the catalogue has no name. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  'momentum forgotten': ['momentum/not-carried'],
  // g + momentum times the old velocity is the new velocity
  'plain momentum instead of Nesterov': ['momentum/step-before-velocity', 'momentum/plain-for-nesterov'],
  'bias correction one step late': ['adam/count-late'],
  'another epsilon of Adam, 0.0001': ['adam/another-epsilon'],
  // where one update was made, from no memory
  'another epsilon of Adam, 1e-8': ['adam/other-form-of-epsilon', 'adam/another-epsilon'],
  'a loss measured after the update': ['order/loss-after-update'],
};

const scaled = (weights: ClassifierWeights, factor: number): ClassifierWeights =>
  Object.fromEntries(
    Object.entries(weights as unknown as Record<string, { data: Float64Array; shape: number[] }>).map(
      ([name, { data, shape }]) => [name, { data: data.map((x) => factor * x), shape }],
    ),
  ) as unknown as ClassifierWeights;

describe('training checks', () => {
  it('an honest side passes every step and both trajectories', async () => {
    const reports = [await run(training(), 'step/*'), await run(training(), 'trajectory/*')];
    const steps = reports.flatMap(({ cases }) =>
      cases.filter(({ implementation }) => implementation === 'trained'),
    );
    const trajectories = steps.filter(({ caseId }) => caseId.startsWith('trajectory/'));
    expect(trajectories.length).to.equal(50);
    expect(steps.filter(({ caseId }) => caseId.startsWith('step/')).length).to.equal(12);
    expect(steps.filter(({ status }) => status === 'fail')).to.deep.equal([]);
  });

  const faults: [title: string, only: string, change: Change][] = [
    [
      'the learning rate applied twice',
      'step/sgd-first',
      (model) => {
        const train = model.trainOnBatch.bind(model);
        model.trainOnBatch = (...args) => {
          const before = model.getWeights();
          const result = train(...args);
          const after = model.getWeights();
          const w = after.kernel.data;
          w.forEach((x, i) => (w[i] = before.kernel.data[i] + 0.5 * (x - before.kernel.data[i])));
          model.setWeights(after);
          return result;
        };
      },
    ],
    [
      'momentum forgotten',
      'step/momentum-later',
      (model) => {
        const restore = model.setOptimizerState.bind(model);
        model.setOptimizerState = (state) => {
          restore({ ...state, slots: { velocity: scaled(state.slots.velocity, 0) } });
        };
      },
    ],
    [
      'plain momentum instead of Nesterov',
      'step/nesterov-later',
      (model) => {
        const compile = model.compile.bind(model);
        model.compile = () => {
          compile({ optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9 } });
        };
        const restore = model.setOptimizerState.bind(model);
        model.setOptimizerState = (state) => {
          restore({ ...state, config: { name: 'sgd', learningRate: 0.1, momentum: 0.9 } });
        };
      },
    ],
    [
      'bias correction one step late',
      'step/adam-later',
      (model) => {
        const restore = model.setOptimizerState.bind(model);
        model.setOptimizerState = (state: OptimizerState) => {
          restore({ ...state, step: state.step + 1 });
        };
      },
    ],
    ...[1e-8, 1e-4].map((epsilon): [string, string, Change] => [
      `another epsilon of Adam, ${epsilon}`,
      'step/adam-*first',
      (model) => {
        const compile = model.compile.bind(model);
        const restore = model.setOptimizerState.bind(model);
        model.compile = (options) => {
          compile({ ...options, optimizer: { name: 'adam', learningRate: 0.01, epsilon } });
        };
        model.setOptimizerState = (state: OptimizerState) => {
          restore({ ...state, config: { ...state.config, epsilon } as OptimizerState['config'] });
        };
      },
    ]),
    [
      'a memory that is not the one the update used',
      'step/adam-later',
      (model) => {
        const remember = model.getOptimizerState.bind(model);
        model.getOptimizerState = () => {
          const state = remember();
          return state.step === 0
            ? state
            : { ...state, slots: { ...state.slots, v: scaled(state.slots.v, 1.01) } };
        };
      },
    ],
    [
      'a loss measured after the update',
      'step/sgd-first',
      (model) => {
        const train = model.trainOnBatch.bind(model);
        model.trainOnBatch = (inputs, labels, options) => {
          const result = train(inputs, labels, options);
          return { ...result, loss: model.loss(inputs, labels, options) };
        };
      },
    ],
    [
      'NaN in a weight',
      'step/adam-first',
      (model) => {
        const read = model.getWeights.bind(model);
        model.getWeights = () => {
          const weights = read();
          weights.bias.data[0] = NaN;
          return weights;
        };
      },
    ],
  ];
  for (const [title, only, change] of faults) {
    it(`${title}: rejected`, async () => {
      expect((await run(training(), only)).exitCode, 'without the fault').to.equal(0);
      const { exitCode, diagnoses } = await run(training(change), only);
      expect(exitCode, 'with it').to.equal(1);
      expect(diagnoses.map(({ phase }) => phase)).to.deep.equal([
        title.startsWith('a loss') ? 'loss' : 'update',
      ]);
      expect(diagnoses.map(({ side }) => side)).to.deep.equal(['trained']);
      expect(diagnoses.map(({ kind }) => kind?.names)).to.deep.equal([kinds[title]]);
    });
  }
});
