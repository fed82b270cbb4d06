import { expect } from 'chai';
import {
  assertParity,
  defineCandidate,
  EquationError,
  type CandidateLayersProblem,
} from '../../../harness/index';

const equations = {
  name: 'minimal gated unit',
  carries: ['h'],
  weights: { kernel: 'F, f n', recurrentKernel: 'U, f n', bias: 'f n' },
  equations: `
    f_t = σ(x_t · kernel[f] + h_(t-1) · recurrentKernel[f] + bias[f])
    n_t = tanh(x_t · kernel[n] + (f_t ∘ h_(t-1)) · recurrentKernel[n] + bias[n])
    h_t = (1 - f_t) ∘ h_(t-1) + f_t ∘ n_t
  `,
};

type Step = (forget: number, before: number, candidate: number) => number;

/** The cell by plain loops, forward only; `next` gives h_t. */
function mine(next: Step = (f, h, n) => (1 - f) * h + f * n) {
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  return defineCandidate({
    name: 'mine',
    precision: 'float64',
    layers: ['cell'],
    masks: true,
    omits: ['gradients'],
    evaluate({ inputs, initialStates, mask, targets, weights }: CandidateLayersProblem) {
      const [{ kernel, recurrentKernel, bias }] = weights;
      const units = bias.length / 2;
      const all = [...Array(units).keys()];
      const sequences = inputs.map((steps, b) => {
        let h = initialStates?.[0]['h'][b] ?? all.map(() => 0);
        return steps.map((x, t) => {
          if (mask?.[b][t] === 0) return h;
          const times = (row: number[], matrix: number[][], column: number): number =>
            row.reduce((sum, value, i) => sum + value * matrix[i][column], 0);
          const before = h;
          const f = all.map((j) =>
            sigmoid(times(x, kernel, j) + times(before, recurrentKernel, j) + bias[j]),
          );
          const kept = before.map((value, j) => f[j] * value);
          const n = all.map((j) =>
            Math.tanh(
              times(x, kernel, units + j) + times(kept, recurrentKernel, units + j) + bias[units + j],
            ),
          );
          return (h = all.map((j) => next(f[j], before[j], n[j])));
        });
      });
      const last = sequences.map((states) => states[states.length - 1]);
      const errors = (targets as number[][] | undefined)?.flatMap((row, b) =>
        row.map((t, j) => (last[b][j] - t) ** 2),
      );
      return {
        sequences: [{ h: sequences }],
        finalStates: [{ h: last }],
        logits: last,
        loss: errors && errors.reduce((sum, e) => sum + e, 0) / errors.length,
      };
    },
  });
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String(error);
  }
  return 'nothing was thrown';
}

describe("harness/parity: a user's own cell", () => {
  it('holds a candidate to the formulas alone', async () => {
    const report = await assertParity(mine(), { equations });
    expect(report.verdict).to.equal('parity');
    expect(report.cases.filter(({ caseId }) => caseId.endsWith('step by step')).length).to.equal(12);
  });

  it('catches a mistake, and says in which equation', async () => {
    const exchanged = await messageOf(
      assertParity(
        mine((f, h, n) => f * h + (1 - f) * n),
        { equations },
      ),
    );
    expect(exchanged).to.include('layer 1 minimal gated unit').and.to.include('h');
  });

  it('points at the line and column of a formula that cannot be read', async () => {
    const wrong = { ...equations, equations: 'h_t = tanh(x_t · kernle)' };
    const error: unknown = await assertParity(mine(), { equations: wrong }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(EquationError);
    expect(String(error)).to.match(/line 1, column \d+/);
  });
});
