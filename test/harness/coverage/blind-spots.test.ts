import { expect } from 'chai';
import * as fc from 'fast-check';
import { quickSuite } from '../../../harness/parity/assert/index';
import { showsEverything } from '../../../harness/parity/assert/quick-suite';
import { examine } from '../../../harness/examine/examine';
import { viewNames, type ViewName } from '../../../harness/examine/views';
import { problemArbitrary } from '../../../harness/fuzz/problem-arbitrary';
import { scratchImplementation } from '../../../harness/sides/index';
import { faultsToShow } from '../../../harness/coverage/faults';
import { findBlindSpots, type Asked } from '../../../harness/coverage/index';
import { makeProblem } from '../../../harness/problems/generated';
import { suiteProblems } from '../../../harness/problems/digits/index';
import type { Problem, TensorName } from '../../../harness/base/problem';
import { canShow, plant, type Fault } from '../../../harness/faults/index';
import { known, strong, weak } from './weaknesses';

const float32 = { precision: 'float32' } as const;
const faults = faultsToShow('float32');
const longAndWeak = {
  ...{ id: 'long', seed: 5, batch: 2, timeSteps: 150, features: 3, units: 4, classes: 3, scale: 0.3 },
  ...{ labels: true, upstreamStates: false, upstreamFinalState: false, initialState: true, mask: false },
};
const askedBy = (problems: readonly Problem[]): Asked[] => problems.map((problem) => ({ problem }));

const largest = { batch: 3, timeSteps: 6, features: 4, units: 4, classes: 4 };

/** The tensors of a side's results that are found wrong where that fault is planted in it, and nothing else is wrong with it. */
async function wrongTensors(fault: Fault, problem: Problem): Promise<string[]> {
  const side = { ...scratchImplementation(), name: 'faulty', ...float32 };
  const { verdicts } = await examine(plant(fault, side), problem, { views: ['results'] });
  return verdicts.flatMap(({ tensors }) =>
    tensors.filter(({ status }) => !['pass', 'zero', 'ill'].includes(status)).map(({ tensor }) => tensor),
  );
}
const faultOf = (name: string): Fault =>
  faults.find((fault) => fault.name === name) ?? expect.fail(`no fault is called ${name}`);

/** The same in the problem that hides nothing, asked once. */
const inStrong = new Map<string, Promise<string[]>>();
function wrongInStrong(fault: Fault): Promise<string[]> {
  const wrong = inStrong.get(fault.name) ?? wrongTensors(fault, strong);
  inStrong.set(fault.name, wrong);
  return wrong;
}

describe('blind spots', () => {
  it('has none: a problem with all parts and without a weakness, whose sizes are all equal', async () => {
    expect(findBlindSpots([{ problem: strong }], { ...float32, parts: true })).to.deep.equal([]);
    for (const fault of faults) {
      expect(canShow(fault, strong, 'float32'), fault.name).to.equal(true);
      expect(await wrongInStrong(fault), fault.name).to.not.deep.equal([]);
    }
  });

  it('every known weakness is proven below', () => {
    expect(Object.keys(weak)).to.have.members(known);
  });

  for (const [what, asked] of Object.entries(weak)) {
    it(`${what}: the faults it is said to hide pass when they are planted, and are found without it`, async () => {
      const spots = findBlindSpots([asked], float32);
      const { hides, tensors } =
        spots.find((one) => one.what === what) ?? expect.fail(`told: ${JSON.stringify(spots)}`);
      expect(hides).to.not.deep.equal([]);
      expect(tensors).to.not.deep.equal([]);
      for (const name of hides) {
        const wrong = await wrongTensors(faultOf(name), asked.problem);
        const compared = wrong.filter((tensor) => asked.names?.includes(tensor as TensorName) ?? true);
        expect(compared, name).to.deep.equal([]);
        expect(await wrongInStrong(faultOf(name)), name).to.not.deep.equal([]);
      }
    });
  }

  it('any problem: faults reported as hidden pass, and faults that could show and are not reported are found', async () => {
    let told = 0;
    await fc.assert(
      fc.asyncProperty(
        problemArbitrary({ largest }),
        fc.integer({ min: 0, max: 3 }),
        async (problem, sample) => {
          const spots = findBlindSpots([{ problem }], float32);
          const hidden = new Set(spots.flatMap(({ hides }) => hides));
          told += hidden.size;
          for (const [i, fault] of faults.entries()) {
            const isHidden = hidden.has(fault.name);
            if (!isHidden && (i % 4 !== sample || !canShow(fault, problem, 'float32'))) continue;
            expect((await wrongTensors(fault, problem)).length === 0, fault.name).to.equal(isHidden);
          }
        },
      ),
      { seed: 7, numRuns: 8 },
    );
    expect(told).to.be.above(20);
  });

  it('a run hides only what each of its problems hides', () => {
    const [zeroStart, constant] = [weak['zero initial state'], weak['constant over time']];
    expect(findBlindSpots([zeroStart, constant], float32)).to.deep.equal([]);
    const both = findBlindSpots([zeroStart, { problem: { ...zeroStart.problem, id: 'other' } }], float32);
    expect(both.map(({ what }) => what)).to.deep.equal(['zero initial state']);
  });

  it('the weight probe shows what a zero initial state hides in the results, but for its share in dRecurrentKernel', () => {
    const asked = [weak['zero initial state']];
    const [results] = findBlindSpots(asked, { ...float32, views: ['results'] });
    const [all] = findBlindSpots(asked, { ...float32, views: viewNames });
    expect(results.hides).to.include.members([...all.hides, 'initial-state/ignored']);
    expect(all.hides).to.deep.equal(['initial-state/left-out-of-recurrent-kernel']);
  });

  it('single equations show what sums over many steps drown: tanh applied twice to states near zero', () => {
    const problem = makeProblem({ ...longAndWeak, seed: 4, timeSteps: 60, scale: 0.01 });
    const hiddenBy = (...views: ViewName[]): string[] =>
      findBlindSpots([{ problem }], { ...float32, views }).flatMap(({ hides }) => hides);
    expect(hiddenBy('results', 'probe')).to.include('slope/tanh-twice');
    expect(hiddenBy('results', 'probe', 'steps')).to.not.include('slope/tanh-twice');
  });

  it('tensors of zeros, and tensors that rounding swallows, are reported by name', () => {
    const { problem } = weak['one class'];
    const [zero] = findBlindSpots([{ problem }], float32).filter(({ what }) => what === 'zero');
    expect(zero.tensors).to.include.members(['loss', 'gradients.outputKernel', 'gradients.kernel']);
    const long = makeProblem({ ...longAndWeak, upstreamStates: false });
    const [vanished] = findBlindSpots([{ problem: long }], float32).filter(({ hides }) =>
      hides.includes('initial-state/gradient-lost'),
    );
    expect(vanished.tensors).to.include('gradients.initialState');
  });

  it('a tolerance that was given hides what a derived one shows', () => {
    const asked = [{ problem: strong }];
    const [wide] = findBlindSpots(asked, { ...float32, tolerance: { relative: 0.1 } });
    expect(wide.what).to.equal('wide tolerance');
    expect(wide.because).to.include('--rtol 0.1');
    expect(wide.hides).to.include('weights/one-weight-off-by-0.01-percent');
    const names: TensorName[] = ['states', 'gradients.bias'];
    const tolerance = new Map([
      ['states', 10],
      ['gradients.bias', 1e3],
    ]);
    const ofFile = findBlindSpots([{ problem: strong, names, tolerance }], float32);
    const spot = ofFile.find(({ what }) => what === 'wide tolerance');
    expect(spot?.because).to.include('10 for states');
    expect(spot?.hides).to.include('weights/bias-forgotten');
  });

  it('float64 sides show what float32 rounds away', () => {
    const asked = [weak['small states']];
    const [coarse, fine] = (['float32', 'float64'] as const).map((precision) =>
      findBlindSpots(asked, { precision }),
    );
    expect(coarse[0].hides).to.include('slope/missing');
    expect(fine.flatMap(({ hides }) => hides)).to.not.include('slope/missing');
  });

  it('says nothing of a run with a malformed or huge problem, which might have shown it', () => {
    const malformed = {
      ...weak['zero bias'].problem,
      inputs: { data: new Float64Array(6), shape: [1, 2, 3] },
    };
    const huge = makeProblem({ ...longAndWeak, units: 200, features: 200, batch: 2, timeSteps: 8 });
    for (const other of [malformed, huge])
      expect(findBlindSpots([weak['one time step'], { problem: other }], float32)).to.deep.equal([]);
    expect(findBlindSpots([], float32)).to.deep.equal([]);
  });

  it('a large batch is looked at by its first two examples, and by all where these hide something', () => {
    expect(findBlindSpots([{ problem: { ...strong, labels: [2, 2, 0, 1] } }], float32)).to.deep.equal([]);
  });

  it('long sequences are examined by their first steps, which claim nothing about later steps', () => {
    const problem = makeProblem({
      ...longAndWeak,
      timeSteps: 200,
      units: 24,
      features: 24,
      initialState: false,
    });
    const inputs = {
      ...problem.inputs,
      data: problem.inputs.data.map((x, i) => (i % 4800 < 2400 ? Math.abs(x) : x)),
    };
    const spots = findBlindSpots([{ problem: { ...problem, inputs } }], float32);
    expect(spots.map(({ what }) => what)).to.include('zero initial state');
    expect(spots.flatMap(({ hides }) => hides)).to.not.include('sign/inputs-cut-at-zero');
  });

  it('faults that two weaknesses hide together are reported too', () => {
    const problem = makeProblem({ ...longAndWeak, batch: 1, timeSteps: 5, initialState: false });
    const spots = findBlindSpots([{ problem }], float32);
    const hides = spots.filter(({ what }) => what === 'one example' || what === 'zero initial state');
    expect(hides.flatMap((spot) => spot.hides)).to.include('initial-state/of-first-example');
  });
});

describe('the power of the suites', () => {
  for (const seed of [1, 2])
    it(`the default suite of seed ${seed} shows every fault in some result`, async () => {
      expect(findBlindSpots(askedBy(await suiteProblems(seed)), float32)).to.deep.equal([]);
    });

  it('the quick suite shows every fault that its sizes can have, from the smallest sizes that are said to do on', () => {
    const sizes = { batch: 4, timeSteps: 5, features: 2, units: 3, classes: 3 };
    expect(showsEverything({})).to.equal(true);
    expect(showsEverything({ sizes })).to.equal(true);
    for (const seed of [1, 2])
      for (const options of [{ seed }, { seed, sizes }, { seed, sizes, labels: false }])
        expect(findBlindSpots(askedBy(quickSuite(options)), float32)).to.deep.equal([]);
    for (const [size, n] of Object.entries({ batch: 1, timeSteps: 1, features: 1, units: 1, classes: 1 })) {
      const options = { sizes: { ...sizes, [size]: n } };
      expect(showsEverything(options), size).to.equal(false);
      expect(findBlindSpots(askedBy(quickSuite(options)), float32), size).to.not.deep.equal([]);
    }
  });
});
