import { expect } from 'chai';
import { scratchImplementation } from '../../../harness/sides/index';
import { compareEvaluation } from '../../../harness/judge/index';
import { adversarialProblem } from '../../../harness/problems/adversarial';
import { expectedNames, roundProblem, type Evaluation, type Problem } from '../../../harness/base/problem';
import { createRandom, zeros, type Tensor } from '../../../scratch/index';
import { evaluateWithTfjs, type GradientMethod, type LoadedBackend } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { layerProblem, normalTensor } from '../../support/layer-problem';

const methods = ['autodiff', 'bptt'] as const;
const reference = scratchImplementation();

/** The answer of the scratch network, and the judge's budget for single precision. */
function judge(problem: Problem, given: Evaluation, backend: LoadedBackend) {
  const exact = reference.evaluate(problem) as Evaluation;
  return compareEvaluation(problem, exact, given, { name: `tfjs:${backend.name}`, precision: 'float32' });
}

function expectParity(problem: Problem, backend: LoadedBackend, gradients: GradientMethod): void {
  const verdict = judge(problem, evaluateWithTfjs(backend, problem, { gradients }), backend);
  const red = verdict.tensors.filter(({ status }) => status !== 'pass' && status !== 'zero');
  expect(red, problem.id).to.deep.equal([]);
  expect(verdict.tensors.map(({ tensor }) => tensor)).to.have.members(expectedNames(problem));
}

/** A classifier problem with everything that can be asked for. */
function fullProblem(
  seed: number,
  { B, T, F, U, C }: Record<'B' | 'T' | 'F' | 'U' | 'C', number>,
  mask?: Tensor,
): Problem {
  const { weights, inputs, initialState, upstream } = layerProblem(seed, { B, T, F, U }, 0.5, false);
  const random = createRandom(seed);
  return roundProblem({
    id: `${B}-${T}-${F}-${U}-${C}`,
    inputs,
    initialState,
    upstream,
    labels: Array.from({ length: B }, () => random.integer(C)),
    weights: {
      ...weights,
      outputKernel: normalTensor(seed + 1, 0.5, U, C),
      outputBias: normalTensor(seed + 2, 0.5, C),
    },
    ...(mask && { mask }),
  });
}

const maskOf = (rows: readonly number[][]): Tensor => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

const sizes = { B: 3, T: 5, F: 2, U: 4, C: 6 };
const masks = {
  'leading steps missing': [
    [0, 0, 1, 1, 1],
    [0, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ],
  'trailing steps missing': [
    [1, 1, 1, 1, 1],
    [1, 1, 0, 0, 0],
    [1, 0, 0, 0, 0],
  ],
  holes: [
    [1, 0, 1, 0, 1],
    [0, 1, 0, 1, 0],
    [1, 1, 0, 1, 1],
  ],
  'all but one step missing': [
    [0, 0, 1, 0, 0],
    [1, 0, 0, 0, 0],
    [0, 0, 0, 0, 1],
  ],
  'a step missing in every example': [
    [1, 1, 0, 1, 1],
    [1, 0, 0, 1, 1],
    [0, 1, 0, 1, 1],
  ],
  'an example without steps': [
    [0, 0, 0, 0, 0],
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0],
  ],
  'no step missing': [
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1],
  ],
};

describeOnBackends('src/eager/evaluate', (backend) => {
  for (const gradients of methods) {
    it(`${gradients}: all edges of size give what the scratch network gives`, () => {
      for (const edge of ['B', 'T', 'F', 'U', 'none'] as const) {
        const { C, ...others } = sizes;
        expectParity(fullProblem(5, { ...others, C, [edge]: 1 }), backend(), gradients);
      }
      expectParity(fullProblem(6, { B: 1, T: 1, F: 1, U: 1, C: 2 }), backend(), gradients);
      expectParity(fullProblem(7, { B: 2, T: 60, F: 3, U: 3, C: 2 }), backend(), gradients);
    });

    it(`${gradients}: all kinds of masks, the state kept exactly at masked steps`, () => {
      for (const [kind, rows] of Object.entries(masks)) {
        const problem = fullProblem(8, sizes, maskOf(rows));
        expectParity({ ...problem, id: kind }, backend(), gradients);
        const { states } = evaluateWithTfjs(backend(), problem, { gradients });
        const { B, T, U } = sizes;
        for (let b = 0; b < B; b++) {
          for (let t = 0; t < T; t++) {
            if (rows[b][t] === 1) continue;
            const at = (b * T + t) * U;
            const before =
              t === 0 ? problem.initialState?.data.slice(b * U, (b + 1) * U) : states.data.slice(at - U, at);
            expect(states.data.slice(at, at + U), `${kind}, example ${b}, step ${t}`).to.deep.equal(before);
          }
        }
      }
    });

    it(`${gradients}: generated problems of all sizes, with and without every part`, () => {
      let pass = 0;
      for (let i = 0; i < 40; i++) {
        const largest = { batch: 5, timeSteps: 8, features: 6, units: 8, classes: 5 };
        const problem = adversarialProblem(21, i, { largest, kinds: ['gaussian'], scales: [0.01, 0.3, 1] });
        const verdict = judge(problem, evaluateWithTfjs(backend(), problem, { gradients }), backend());
        expect(verdict.status, problem.id).not.to.equal('fail');
        if (verdict.status === 'pass') pass++;
      }
      expect(pass).to.be.above(30);
    });

    it(`${gradients}: the forward pass alone when nothing asks for gradients`, () => {
      const { labels, upstream, ...problem } = fullProblem(9, sizes);
      expect([labels, upstream]).not.to.include(undefined);
      expectParity(problem, backend(), gradients);
      expect(evaluateWithTfjs(backend(), problem, { gradients })).not.to.have.property('gradients');
    });

    it(`${gradients}: upstream gradients of zero, also by their absence, give gradients of exactly zero`, () => {
      const { labels, ...problem } = fullProblem(10, sizes);
      expect(labels).to.have.length(sizes.B);
      const { B, T, U } = sizes;
      for (const upstream of [{}, { states: zeros(B, T, U) }, { finalState: zeros(B, U) }]) {
        const { gradients: found = {} } = evaluateWithTfjs(
          backend(),
          { ...problem, upstream },
          { gradients },
        );
        expect(Object.keys(found)).to.have.members([
          'kernel',
          'recurrentKernel',
          'bias',
          'inputs',
          'initialState',
        ]);
        for (const tensor of Object.values(found)) {
          expect(tensor.data.every((g) => g === 0)).to.equal(true);
        }
      }
    });
  }

  it('gives the numbers of the notebook', () => {
    const finalState = [0.79494228, 0.81839002, 0.83939649, 0.85584174];
    const t = (rows: number[][]): Tensor => maskOf(rows);
    const { finalState: found } = evaluateWithTfjs(backend(), {
      inputs: { data: Float64Array.of(0.01, 0.02, 0.02, 0.03, 0.03, 0.04), shape: [1, 3, 2] },
      weights: {
        kernel: t([
          [0.01, 0.03, 0.05, 0.07],
          [0.03, 0.05, 0.07, 0.08],
        ]),
        recurrentKernel: t([
          [0.01, 0.03, 0.05, 0.07],
          [0.02, 0.04, 0.06, 0.08],
          [0.03, 0.05, 0.07, 0.08],
          [0.04, 0.06, 0.08, 0.1],
        ]),
        bias: { data: Float64Array.of(1, 1, 1, 1), shape: [4] },
      },
    });
    found.data.forEach((h, u) => expect(h).to.be.closeTo(finalState[u], 4e-7));
  });

  it('gives the same bits again, whatever ran in between', () => {
    for (const gradients of methods) {
      const problem = fullProblem(12, sizes);
      const once = evaluateWithTfjs(backend(), problem, { gradients });
      evaluateWithTfjs(backend(), fullProblem(13, { ...sizes, T: 2, U: 3 }), { gradients });
      expect(evaluateWithTfjs(backend(), problem, { gradients })).to.deep.equal(once);
    }
  });
});
