import { expect } from 'chai';
import { createRandom, type Tensor } from '../../../scratch/index';
import type { CellText, LayeredProblem, Model } from '../../../harness/base/problem';
import { evaluationOf } from '../../../harness/base/problem';
import { emulatedAnswer, precisionModels } from '../../../harness/budget/index';
import { diagnose } from '../../../harness/diagnosis/index';
import { answerOf, equationsOf } from '../../../harness/equations/index';
import { examine, weightProbe } from '../../../harness/examine/index';
import { makeLayeredProblem } from '../../../harness/problems/index';

const dense = { layer: 'dense', units: 3 } as const;
const layers = {
  lstm: { layer: 'lstm', units: 7 },
  gru: { layer: 'gru', units: 7, resetAfter: false },
  'gru, reset after': { layer: 'gru', units: 7 },
} as const;

function problemOf(model: Model, seed: number, loss = true): LayeredProblem {
  return makeLayeredProblem({ id: 'probed', seed, model, batch: 2, timeSteps: 4, loss });
}

/** Emulated single precision, with one weight of the first layer times 1 + 1e-5 in whatever it is asked. */
function side(
  seed: number,
  weight?: { readonly name: string; readonly row: number; readonly column: number },
) {
  const model = precisionModels.wasm;
  const wrong = (given: LayeredProblem): LayeredProblem => {
    if (weight === undefined) return given;
    const { data, shape }: Tensor = given.weights[0][weight.name];
    const at = weight.row * shape[shape.length - 1] + weight.column;
    const changed = { data: data.map((w, i) => (i === at ? Math.fround(w * (1 + 1e-5)) : w)), shape };
    return {
      ...given,
      weights: [{ ...given.weights[0], [weight.name]: changed }, ...given.weights.slice(1)],
    };
  };
  return {
    name: 'tfjs:wasm',
    precision: 'float32' as const,
    evaluate: () => ({}),
    layered: {
      evaluate: (given: LayeredProblem) => {
        const { network, problem } = equationsOf(wrong(given));
        const answer = emulatedAnswer(network, problem, model, seed % 8);
        return evaluationOf(answerOf(equationsOf(given), answer));
      },
    },
  };
}

describe('the weight probe of a network of layers', () => {
  for (const [name, layer] of Object.entries(layers)) {
    it(`${name}: sees one weight of kernel or recurrentKernel times 1 + 1e-5 in 90 % of the problems, and blames no right side`, async () => {
      let found = 0;
      const problems = 10;
      for (let i = 0; i < problems; i++) {
        const given = problemOf({ features: 3, layers: [layer, dense] }, 40 + i);
        const random = createRandom(i);
        const weight = i % 3 === 0 ? 'kernel' : 'recurrentKernel';
        const [rows, columns] = given.weights[0][weight].shape;
        const at = { name: weight, row: random.integer(rows), column: random.integer(columns) };
        const wrong = await examine(side(i, at), given, { views: ['probe'] });
        found += Number(wrong.status === 'fail');
        if (i > 1) continue;
        const right = await examine(side(i), given, { views: ['probe'] });
        expect(right.status).to.equal('pass');
      }
      expect(found).to.be.at.least(9);
    });
  }

  it('shows weights of both directions, of a cell of formulas, and without a backward pass', async () => {
    const cell: CellText = {
      name: 'minimal gated unit',
      carries: ['h'],
      weights: { kernel: 'F, f n', recurrentKernel: 'U, f n', bias: 'f n' },
      equations: `
        f_t = x_t · kernel[f] + h_(t-1) · recurrentKernel[f] + bias[f]
        n_t = x_t · kernel[n] + (σ(f_t) ∘ h_(t-1)) · recurrentKernel[n] + bias[n]
        h_t = (1 - σ(f_t)) ∘ h_(t-1) + σ(f_t) ∘ tanh(n_t)
      `,
    };
    const both: Model = {
      features: 2,
      layers: [{ layer: 'bidirectional', wrapped: { layer: 'simpleRNN', units: 3 } }, dense],
    };
    const own: Model = { features: 2, layers: [{ layer: 'cell', cell, units: 3 }, dense] };
    for (const [model, name, loss] of [
      [both, 'backwardKernel', true],
      [both, 'forwardRecurrentKernel', false],
      [own, 'recurrentKernel', true],
      [own, 'kernel', false],
    ] as const) {
      const given = problemOf(model, 5, loss);
      const weight = { name, row: 1, column: 2 };
      const examination = await examine(side(2, weight), given, { views: ['probe'] });
      expect(examination.status, name).to.equal('fail');
      expect((await examine(side(2), given, { views: ['probe'] })).status, name).to.equal('pass');
      // the results alone are right: the probe is what says that this side is wrong, not the reference
      const all = await examine(side(2, weight), given);
      expect((await diagnose(side(2), all)).side, name).to.equal('tfjs:wasm');
    }
  });

  it('is undefined where the first layer reads integers', () => {
    const model: Model = {
      layers: [{ layer: 'embedding', inputDim: 5, outputDim: 3 }, { layer: 'lstm', units: 3 }, dense],
    };
    expect(weightProbe(problemOf(model, 1))).to.equal(undefined);
  });
});
