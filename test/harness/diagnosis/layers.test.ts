import { expect } from 'chai';
import type { Implementation, LayeredEvaluation, LayeredProblem, Model } from '../../../harness/base/problem';
import { diagnose, type Diagnosis } from '../../../harness/diagnosis/index';
import { defineCell, equationsOf, type Cell, type CellText } from '../../../harness/equations/index';
import { examine } from '../../../harness/examine/index';
import { effectOf, faultsOf, type EquationFault } from '../../../harness/faults/equations/index';
import { makeLayeredProblem } from '../../../harness/problems/index';
import { scratchImplementation } from '../../../harness/sides/reference/index';
import { diagnoseHost } from '../../support/layers-host';

/** A problem about layers with gradients that arrive everywhere but at the logits: with those the dense layer is no head. */
function problemOf(model: Model, seed: number, upstream = true): LayeredProblem {
  const { upstream: all, ...rest } = makeLayeredProblem({
    ...{ id: 'layers', seed, model, batch: 2, timeSteps: 4, upstream },
  });
  const { logits, ...others } = all ?? {};
  return { ...rest, ...(upstream && { upstream: others }) };
}

const dense = { layer: 'dense', units: 3 } as const;
const problem = problemOf(
  {
    features: 2,
    layers: [
      {
        layer: 'bidirectional',
        wrapped: { layer: 'gru', units: 2, returnSequences: true, resetAfter: false },
      },
      { layer: 'lstm', units: 3 },
      dense,
    ],
  },
  11,
);
const stacked = equationsOf(problem).network;

function named(name: string): EquationFault {
  const found = faultsOf(stacked).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no fault ${name}`);
  return found;
}

/** The place and the mistake of a diagnosis in one line. */
function textOf(found: Awaited<ReturnType<typeof diagnoseHost>>): string | undefined {
  return (
    found && `${found.tensor} at ${String(found.timeSteps)}: ${found.kind?.words ?? String(found.formula)}`
  );
}

/** The diagnosis of a fault that a host in single precision has. */
function diagnosed(fault: EquationFault, way = 0): ReturnType<typeof diagnoseHost> {
  return diagnoseHost(problem, (network, asked) => fault.runs(network, asked)[way]);
}

describe('diagnosis of layers', () => {
  it('finds nothing in an honest answer', async () => {
    expect(await diagnoseHost(problem, (network, asked) => ({ network, problem: asked }))).to.equal(
      undefined,
    );
  });

  it('names layer, gate, time step and mistake', async () => {
    const name = 'layer2, c_t: the factor σ(z_t[f]) is forgotten';
    const whole = await diagnosed(named(name));
    expect(textOf(whole)).to.equal(
      'layer 2 lstm, gate f, h at 0: the forget gate is left out: nothing is ever forgotten',
    );
    expect(whole?.kind?.names).to.deep.equal([name]);
    const fault = named(name).atStep?.(2);
    const single = fault && (await diagnosed(fault, 1));
    expect(textOf(single)).to.equal(
      'layer 2 lstm, gate f, h at 2: the forget gate is left out: nothing is ever forgotten, at time step 2 alone',
    );
    expect(single?.timeSteps).to.deep.equal([2]);
    expect(single?.kind?.page).to.equal('docs/bptt-gated.md#candidate');
  });

  it('a mistake in what one direction sends back, of the pass, and of the loss', async () => {
    const back = await diagnosed(named('layer1Backward, dz_t[r]: the factor σ′[σ(z_t[r])] is forgotten'));
    expect(textOf(back)).to.match(/^layer 1 gru, backwards, gate r/);
    const inner = await diagnosed(named('layer2, back to h_(t-1): gate f sends nothing back to h_(t-1)'));
    expect(textOf(inner)).to.match(/^layer 2 lstm, gate f.*gate f sends nothing back/);
    const order = await diagnosed(named('layer1Backward comes before layer1Forward'));
    expect(textOf(order)).to.match(/^layer 1, merged/);
    const loss = await diagnosed(named('the loss is in bits: log2 instead of ln'));
    expect(textOf(loss)).to.equal(
      'the dense layer, loss at undefined: the loss is in bits: log2 instead of ln',
    );
  });

  it('gives no name to what it does not know: two mistakes at once', async () => {
    const [one, other] = [
      'layer2, c_t: the factor σ(z_t[f]) is forgotten',
      'layer2, h_t: c_t instead of tanh(c_t)',
    ].map(named);
    const found = await diagnoseHost(problem, (network, asked) => {
      const first = one.runs(network, asked)[0];
      const second = other.runs(network, asked)[0];
      return { ...first, cellAt: (layer, t) => (t === 1 ? second : first).cellAt?.(layer, t) };
    });
    expect(found?.kind).to.equal(undefined);
    expect(textOf(found)).to.match(/^layer 2 lstm, h at 0: h_t = /);
  });
});

describe('a name for a mistake in layers', () => {
  const model: Model = { features: 2, layers: [{ layer: 'lstm', units: 3 }, dense] };
  /** The diagnosis of a float64 side that is the scratch network but for what it does with its gradients. */
  async function diagnosisOf(
    asked: LayeredProblem,
    change: (answer: LayeredEvaluation, posed: LayeredProblem) => LayeredEvaluation,
  ): Promise<Diagnosis> {
    const { layered, ...scratch } = scratchImplementation();
    const side: Implementation = {
      ...{ ...scratch, name: 'mine' },
      layered: {
        evaluate: async (posed) => change(structuredClone(await layered!.evaluate(posed)), posed),
      },
    };
    return diagnose(side, await examine(side, asked));
  }

  it('of how steps are read: the input of the step after', async () => {
    const { layered } = scratchImplementation();
    const found = await diagnosisOf(problemOf(model, 3, false), (_, posed) => {
      const { data, shape } = posed.inputs;
      const [, timeSteps, features] = shape;
      const isLast = (i: number): boolean => Math.floor(i / features) % timeSteps === timeSteps - 1;
      const next = data.map((x, i) => (isLast(i) ? x : data[i + features]));
      return layered!.evaluate({ ...posed, inputs: { data: next, shape } }) as LayeredEvaluation;
    });
    expect([found.phase, found.kind?.words]).to.deep.equal([
      'forward',
      'the input of step t+1 is read at step t',
    ]);
  });

  it('of fewer digits than the side claims: weights in float32', async () => {
    const { layered } = scratchImplementation();
    const mapped = (weights: LayeredProblem['weights'], change: (x: number) => number) =>
      weights.map((own) =>
        Object.fromEntries(
          Object.entries(own).map(([name, tensor]) => [name, { ...tensor, data: tensor.data.map(change) }]),
        ),
      );
    const asked = problemOf(model, 3, false);
    const inexact = { ...asked, weights: mapped(asked.weights, (x) => 1.1 * x) };
    const found = await diagnosisOf(
      inexact,
      (_, posed) =>
        layered!.evaluate({ ...posed, weights: mapped(posed.weights, Math.fround) }) as LayeredEvaluation,
    );
    expect([found.phase, found.kind?.words]).to.deep.equal([
      'forward',
      'the weights are kept in float32, with 24 significant bits',
    ]);
  });

  it('has to agree with the answer to another problem: half of a gradient is no mean over two examples', async () => {
    const halved = (factor: (batch: number) => number) =>
      diagnosisOf(problemOf(model, 3, false), (answer, { inputs }) => {
        const { kernel } = answer.gradients!.weights![0];
        kernel.data.forEach((x, i) => (kernel.data[i] = x * factor(inputs.shape[0])));
        return answer;
      });
    const half = await halved(() => 1 / 2);
    expect([half.tensor, half.kind?.words]).to.deep.equal([
      'layer 1 lstm, gradients.kernel',
      'the gradient of the kernel of layer1 is 0.5 times what it should be',
    ]);
    const mean = await halved((batch) => 1 / batch);
    expect(mean.kind?.words).to.equal('the gradient of kernel is divided by the batch size');
  });
});

/** A cell that nobody had in mind: a memory behind a leak, and an output that remembers itself. */
function coupledText(changed: Readonly<Record<string, string>> = {}): CellText {
  const lines: Readonly<Record<string, string>> = {
    s: 's_t = x_t · W + h_(t-1) · R + b',
    p: 'p_t = σ(s_t[p] + leak ∘ m_(t-1))',
    m: 'm_t = p_t ∘ m_(t-1) + (1 - p_t) ∘ tanh(s_t[n])',
    q: 'q_t = σ(s_t[q] + leak ∘ m_t)',
    h: 'h_t = q_t ∘ tanh(m_t) + (1 - q_t) ∘ h_(t-1)',
    ...changed,
  };
  return {
    name: 'coupled unit',
    carries: ['h', 'm'],
    weights: { W: 'F, p q n', R: 'U, p q n', b: 'p q n', leak: 'U' },
    equations: Object.values(lines).join('\n'),
  };
}

const coupled = (changed?: Readonly<Record<string, string>>): Cell => defineCell(coupledText(changed));

/** A problem about one layer of a cell of formulas, with a dense layer on it. */
const ofCell = (cell: CellText, upstream?: boolean): LayeredProblem =>
  problemOf({ features: 2, layers: [{ layer: 'cell', cell, units: 3 }, dense] }, 4, upstream);

describe("a user's own cell of five lines", () => {
  const asked = ofCell(coupledText());
  const { network } = equationsOf(asked);
  const straight = coupled({ m: 'm_t = p_t ∘ m_(t-1) + (1 - p_t) ∘ s_t[n]' });
  const right = coupled();
  const noSlope: Cell = {
    ...right,
    backward: {
      ...right.backward,
      equations: right.backward.equations.map(
        (own) =>
          straight.backward.equations.find(
            ({ left, part }) =>
              left === 'ds' && part?.join() === 'n' && own.left === left && own.part?.join() === 'n',
          ) ?? own,
      ),
    },
  };
  const mistakes: readonly (readonly [cell: Cell, text: RegExp])[] = [
    [
      coupled({ p: 'p_t = σ(s_t[p])' }),
      /^layer 1 coupled unit.*: p_t: the term leak ∘ m_\(t-1\) is forgotten$/,
    ],
    [
      coupled({ q: 'q_t = σ(s_t[q] + leak ∘ m_(t-1))' }),
      /^layer 1 coupled unit.*: q_t: m_\(t-1\) instead of m_t$/,
    ],
    [
      coupled({ h: 'h_t = (1 - q_t) ∘ tanh(m_t) + q_t ∘ h_(t-1)' }),
      /^layer 1 coupled unit.*: h_t: q_t and 1 - q_t are exchanged$/,
    ],
    [
      noSlope,
      /^layer 1 coupled unit, gate n.*: ds_t\[n\]: the factor tanh′\[tanh\(s_t\[n\]\)\] is forgotten$/,
    ],
  ];
  for (const [cell, text] of mistakes)
    it(`four planted mistakes are caught and named: ${text.source.split('*: ')[1]}`, async () => {
      const found = await diagnoseHost(asked, (own, given) => ({
        network: own,
        problem: given,
        cellAt: () => cell,
      }));
      expect(textOf(found)).to.match(text);
    });

  it('a state whose name begins with d is no gradient', async () => {
    const text = (formula: string): CellText => ({
      name: 'difference',
      carries: ['delta'],
      weights: { W: 'F, U', R: 'U, U', b: 'U' },
      equations: `delta_t = ${formula}`,
    });
    const own = ofCell(text('tanh(x_t · W + delta_(t-1) · R + b)'), false);
    const wrong = defineCell(text('tanh(x_t · W + delta_(t-1) · R - b)'));
    const found = await diagnoseHost(own, (same, posed) => ({
      network: same,
      problem: posed,
      cellAt: () => wrong,
    }));
    expect(found?.phase).to.equal('forward');
    expect(found?.timeSteps).to.include(0);
    expect(textOf(found)).to.contain('the term b has the wrong sign');
  });

  it('faults that change nothing are not blamed', async () => {
    const [first, ...others] = asked.weights;
    const { upstream, ...plain } = asked;
    const leak = { data: new Float64Array(3), shape: [3] };
    const blind = { ...plain, weights: [{ ...first, leak }, ...others] };
    const equal = faultsOf(network).filter(
      (fault) => fault.phase === 'forward' && effectOf(network, equationsOf(blind).problem, fault) === 0,
    );
    expect(equal.length).to.be.above(3);
    for (const fault of equal.slice(0, 3))
      expect(
        await diagnoseHost(
          blind,
          (own, given) => fault.runs(own, given).at(-1) ?? { network: own, problem: given },
        ),
      ).to.equal(undefined);
  });
});
