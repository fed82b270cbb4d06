import { expect } from 'chai';
import type { AnyProblem, LayeredProblem } from '../../../harness/base/problem';
import { weaknesses } from '../../../harness/coverage/explain';
import { findBlindSpots, type BlindSpot } from '../../../harness/coverage/index';
import { wrongAnswers } from '../../../harness/coverage/faults';
import { rightAnswer } from '../../../harness/faults/index';
import { compareEvaluation } from '../../../harness/judge/index';
import { runParity } from '../../../harness/parity/index';
import { makeLayeredProblem } from '../../../harness/problems/index';
import type { Tensor } from '../../../scratch/index';

const recipe = {
  ...{ id: 'strong', seed: 3, batch: 3, timeSteps: 4, mask: true, upstream: true },
  model: {
    features: 3,
    layers: [
      { layer: 'simpleRNN', units: 3 },
      { layer: 'dense', units: 3 },
    ],
  },
} as const;
const strong = makeLayeredProblem(recipe);
const [own, dense] = strong.weights;
const fill = ({ shape, data }: Tensor, x: number): Tensor => ({ shape, data: data.map(() => x) });
const identity = ({ shape, data }: Tensor): Tensor => ({
  shape,
  data: data.map((_, i) => 0.75 * Number(i % (shape[0] + 1) === 0)),
});
const ofFirst = ({ shape, data }: Tensor): Tensor => ({
  shape,
  data: data.map((_, i) => data[i % (data.length / shape[0])]),
});
const [states] = strong.initialStates ?? [];
const { labels: _labels, upstream: _upstream, ...forward } = strong;
const { mask = fill(strong.inputs, 1) } = strong;

/** For each weakness a problem that has it, and what it hides, among others. */
const weak: Readonly<Record<string, readonly [LayeredProblem, hides: RegExp]>> = {
  'one example': [
    makeLayeredProblem({ ...recipe, batch: 1 }),
    /the gradients of the weights are divided by the batch size/,
  ],
  'one time step': [makeLayeredProblem({ ...recipe, timeSteps: 1 }), /the time steps are read backwards/],
  'no gradient asked for': [forward, /dh_t/],
  'identical initial states': [
    { ...strong, initialStates: [{ h: ofFirst(states['h']) }, {}] },
    /the initial state of the first example is used for all/,
  ],
  'zero initial state': [
    { ...strong, initialStates: [{ h: fill(states['h'], 0) }, {}] },
    /the initial state h is ignored/,
  ],
  'nothing masked': [{ ...strong, mask: fill(mask, 1) }, /the mask is ignored/],
  'identical masks': [{ ...strong, mask: ofFirst(mask) }, /the mask of the first example is used for all/],
  'symmetric recurrentKernel': [
    { ...strong, weights: [{ ...own, recurrentKernel: identity(own['recurrentKernel']) }, dense] },
    /recurrentKernel is transposed/,
  ],
  'zero bias': [
    { ...strong, weights: [{ ...own, bias: fill(own['bias'], 0) }, dense] },
    /the term bias.* is forgotten/,
  ],
};
const spotsOf = (problem: AnyProblem): BlindSpot[] => findBlindSpots([{ problem }], { precision: 'float32' });

describe('blind spots of networks of layers', () => {
  it('has none: a problem with all parts and without a weakness, of either kind of cell', () => {
    const gated = { ...recipe, model: { features: 2, layers: [{ layer: 'gru', units: 2 }] } } as const;
    expect(spotsOf(strong)).to.deep.equal([]);
    expect(spotsOf(makeLayeredProblem(gated))).to.deep.equal([]);
  });

  for (const [what, [problem, hides]] of Object.entries(weak))
    it(`${what}: the faults it is said to hide pass when they are planted, and show without it`, () => {
      expect(weaknesses.map((one) => one.what)).to.include(what);
      const spots = spotsOf(problem);
      const spot = spots.find((one) => one.what === what) ?? expect.fail(`told: ${JSON.stringify(spots)}`);
      expect(spot.hides.join('\n')).to.match(hides);
      expect(spot.tensors).to.not.deep.equal([]);
      const isFound = (of: LayeredProblem, name: string): boolean => {
        const ways = wrongAnswers({ name, words: '' }, of);
        const right = rightAnswer(of);
        const side = { name: 'any side', precision: 'float32' } as const;
        return ways.every((answer) => compareEvaluation(of, right, answer, side).status === 'fail');
      };
      for (const name of spot.hides.slice(0, 3)) {
        if (wrongAnswers({ name, words: '' }, problem).length > 0)
          expect(isFound(problem, name), name).to.equal(false);
        expect(isFound(strong, name), name).to.equal(true);
      }
    });

  it('stand in the report of a run about layers, for each network its own', async () => {
    const other = makeLayeredProblem({
      ...recipe,
      id: 'other',
      model: { features: 2, layers: [{ layer: 'simpleRNN', units: 2 }] },
      timeSteps: 1,
    });
    const { blindSpots = [], warnings } = await runParity({ problems: [strong, other], sides: [] });
    expect(blindSpots.map(({ caseId }) => caseId))
      .to.include('other')
      .and.not.include('strong');
    expect(warnings.join('\n')).to.include('other: there is one time step (T = 1)');
  });
});
