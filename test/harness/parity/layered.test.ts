import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LayeredEvaluation, LayeredProblem, Model } from '../../../harness/base/problem';
import { selectCases } from '../../../harness/parity/cases';
import { checkReport } from '../../../harness/parity/index';
import { formatReport, formatSummary, runParity } from '../../../harness/parity/index';
import type { ParityReport } from '../../../harness/parity/report';
import { ChartData } from '../../../harness/parity/html/index';
import { assertParity, type AssertParityOptions } from '../../../harness/parity/assert/index';
import { generatedLayered, makeLayeredProblem } from '../../../harness/problems/index';
import { importHere, type LayersCandidate } from '../../../harness/sides/candidate/index';
import { scratchImplementation, tfjsSide, type SideSource } from '../../../harness/sides/index';
import { layeredSuite } from '../../../harness/problems/index';

const scratch = scratchImplementation().layered;

/** The network by hand in double precision under another name, its answer or the problem changed by a mistake. */
function wrong(
  mistake: (answer: LayeredEvaluation, problem: LayeredProblem) => LayeredEvaluation,
  before: (problem: LayeredProblem) => LayeredProblem = (problem) => problem,
): SideSource {
  return {
    name: 'mine',
    required: true,
    open: () =>
      Promise.resolve({
        implementation: {
          ...scratchImplementation(),
          name: 'mine',
          layered: {
            evaluate: async (problem) => {
              if (scratch === undefined) throw new Error('scratch has no layers');
              return mistake(await scratch.evaluate(before(problem)), problem);
            },
          },
        },
      }),
  };
}

const honest = wrong((answer) => answer);

async function run(source: SideSource, problems: readonly LayeredProblem[]): Promise<ParityReport> {
  return runParity({ sides: [source], problems, power: false, diagnoses: 1 });
}

const dense = { layer: 'dense', units: 3 } as const;
const model: Model = {
  features: 2,
  layers: [{ layer: 'lstm', units: 3, returnSequences: true }, { layer: 'gru', units: 2 }, dense],
};
const one = makeLayeredProblem({ id: 'layers/one', seed: 3, model, batch: 2, timeSteps: 4 });

/** The blocks of two gates exchanged in the kernel of the first layer. */
function exchanged(problem: LayeredProblem): LayeredProblem {
  const { kernel } = problem.weights[0];
  const units = kernel.shape[1] / 4;
  const order = [1, 0, 2, 3];
  const data = kernel.data.map((_, i) => {
    const [row, column] = [Math.floor(i / (4 * units)), i % (4 * units)];
    return kernel.data[row * 4 * units + order[Math.floor(column / units)] * units + (column % units)];
  });
  return {
    ...problem,
    weights: [{ ...problem.weights[0], kernel: { ...kernel, data } }, ...problem.weights.slice(1)],
  };
}

describe('harness/parity: networks of layers', () => {
  it('agrees with itself, and with TensorFlow.js, on every network of the suite', async () => {
    expect((await run(honest, [one])).verdict).to.equal('parity');
    const report = await run(tfjsSide('cpu', true), layeredSuite(2).slice(0, 12));
    expect(report.notes).to.deep.equal([]);
    expect(report.verdict).to.equal('parity');
    const { faults } = await checkReport(formatReport(report), 'report');
    expect(faults).to.deep.equal([]);
  });

  it('judges a network that begins with an embedding, and one whose dense layer has no gradient to learn from', async () => {
    const embedded: Model = {
      layers: [
        { layer: 'embedding', inputDim: 5, outputDim: 2, maskZero: true },
        { layer: 'gru', units: 2 },
        dense,
      ],
    };
    const base = { id: 'layers/embedded', seed: 4, model: embedded, batch: 2, timeSteps: 3, upstream: true };
    const { upstream, ...others } = makeLayeredProblem({
      ...base,
      id: 'layers/elsewhere',
      model,
      loss: false,
    });
    const report = await run(honest, [
      makeLayeredProblem(base),
      { ...others, upstream: { finalStates: upstream?.finalStates ?? [] } },
    ]);
    expect(report.errors).to.deep.equal([]);
    expect(report.verdict).to.equal('parity');
  });

  it('catches a mistake of every stage, and says where it begins', async () => {
    const scaled = (data: Float64Array): Float64Array => data.map((x) => x * (1 + 1e-9));
    const cases: readonly (readonly [SideSource, RegExp])[] = [
      [wrong((answer) => answer, exchanged), /begins in the forward pass: layer 1 lstm/],
      [
        wrong(({ loss, ...answer }) => ({
          ...answer,
          ...(loss && { loss: { ...loss, data: scaled(loss.data) } }),
        })),
        /begins in output and loss: .*loss/,
      ],
      [
        wrong(({ gradients, ...answer }) => ({
          ...answer,
          gradients: {
            ...gradients,
            weights: (gradients?.weights ?? []).map((layer, i) =>
              i === 1 ? { ...layer, bias: { ...layer['bias'], data: scaled(layer['bias'].data) } } : layer,
            ),
          },
        })),
        /begins in the backward pass: layer 2 gru/,
      ],
      [
        wrong((answer) => ({
          ...answer,
          finalStates: (answer.finalStates ?? []).map((layer) =>
            'c' in layer ? { ...layer, c: { ...layer['c'], data: scaled(layer['c'].data) } } : layer,
          ),
        })),
        /begins in the forward pass: layer 1 lstm/,
      ],
    ];
    for (const [source, place] of cases) {
      const report = await run(source, [one]);
      expect(report.verdict).to.equal('mismatch');
      expect(formatSummary(report)).to.match(place);
      expect((await checkReport(formatReport(report), 'report')).faults).to.deep.equal([]);
    }
  });

  it('draws every layer: states of the forward pass, gradients of the gates of the backward pass', async () => {
    const charts = new ChartData();
    await runParity({ sides: [honest], problems: [one], power: false, observer: charts });
    const [{ heat, forward }] = charts.sides;
    expect(heat?.maps.map(({ title, rows }) => `${title}: ${rows}`)).to.have.members([
      'layer 1 lstm, h (forward): 3',
      'layer 2 gru, h (forward): 2',
      ...['i', 'f', 'c', 'o'].map((gate) => `layer 1 lstm, dz[${gate}] (backward): 3`),
    ]);
    // [B, T, U] and the final states of both layers, logits and probabilities, the loss
    const [B, T] = [2, 4];
    expect(forward.bins.reduce((sum, n) => sum + n, 0)).to.equal(
      B * T * (3 + 2) + B * (3 + 3 + 2) + 2 * B * 3 + 1,
    );
  });

  it('names the gate of a wrong number', async () => {
    const source = wrong(({ gradients, ...answer }) => {
      const [first, ...others] = gradients?.weights ?? [];
      const data = first['bias'].data.slice();
      data[4] *= 1 + 1e-6;
      const weights = [{ ...first, bias: { ...first['bias'], data } }, ...others];
      return { ...answer, gradients: { ...gradients, weights } };
    });
    const { cases } = await run(source, [one]);
    const found = cases[0].tensors.find(({ status }) => status === 'differs');
    expect(found?.tensor).to.equal('gradients.weights.layer1.bias');
    expect(found?.worst?.at).to.deep.equal({ gate: 'f', unit: 1 });
  });

  it('the LSTM by hand of docs/parity.md is right, and a mistake in it gets the name that the page shows', async () => {
    const page = readFileSync('docs/parity.md', 'utf8');
    const code = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'rnn-parity-lstm-'));
    const judged = async (name: string, text: string): Promise<string> => {
      const file = join(folder, name);
      writeFileSync(file, text);
      const { candidate } = (await importHere(file)) as { candidate: LayersCandidate };
      const layers = [{ layer: 'lstm', units: 4 }] as const;
      const report = await runParity({
        candidate,
        model: { layers },
        labels: false,
        cases: 2,
        diagnoses: 1,
        power: false,
      });
      return formatSummary(report);
    };
    try {
      expect(await judged('right.mjs', code)).to.match(/^PARITY/m);
      const message = await judged('wrong.mjs', code.replace(' * (1 - Math.tanh(c[u]) ** 2)', ''));
      const shown = /begins in .*\n(looks like: dc_t.*)\n/.exec(page)?.[1];
      expect(message).to.match(/^MISMATCH: my LSTM is wrong/m);
      expect(message).to.contain(shown);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('asks a candidate that declares layers nothing about the simple RNN, and says what to name', async () => {
    const candidate: LayersCandidate = {
      ...{ name: 'mine', precision: 'float64', layers: ['lstm'] },
      evaluate: () => ({}),
    };
    const { notes, audit, errors, exitCode } = await runParity({ candidate, only: 'notebook/printed' });
    expect(errors).to.deep.equal([]);
    expect(notes[0]).to.match(
      /^1 problem about the simple RNN was not run on mine: it declares layers; name a network/,
    );
    expect([exitCode, audit]).to.deep.equal([
      2,
      ['mine: nothing was compared that could have shown a fault: no problem was run on it'],
    ]);
  });

  it('says of a candidate that declares float64 that its numbers are float32', async () => {
    const single = wrong(({ logits, ...answer }) => ({
      ...answer,
      ...(logits && { logits: { ...logits, data: logits.data.map(Math.fround) } }),
    }));
    const { notes, exitCode } = await run(single, [one]);
    expect(exitCode).to.equal(1);
    expect(notes.join()).to.contain(
      "mine: every number of logits is exact in float32; declare precision: 'float32'",
    );
    const { notes: others } = await run(
      wrong(({ logits, ...answer }) => ({
        ...answer,
        ...(logits && { logits: { ...logits, data: logits.data.map((x) => x * (1 + 1e-6)) } }),
      })),
      [one],
    );
    expect(others.join()).not.to.contain('float32');
  });

  it('has no loss in problems without labels, where gradients arrive from above', () => {
    const asked = Array.from({ length: 12 }, (_, i) => generatedLayered(model, 1, i, { labels: false }));
    for (const { labels, targets, upstream } of asked)
      expect([labels, targets, upstream?.logits !== undefined]).to.deep.equal([undefined, undefined, true]);
  });

  it('asks about a network as it is described now, whatever became of an earlier description', async () => {
    const described = (): Model => ({
      features: 2,
      layers: [{ layer: 'lstm', units: 2, activation: 'tanh' }],
    });
    const earlier = described();
    await selectCases({ model: earlier, cases: 1 }, 1);
    Object.assign(earlier.layers[0], { activation: 'relu' });
    const { layered } = await selectCases({ model: described(), cases: 1 }, 1);
    expect(layered[0].model.layers[0]).to.have.property('activation', 'tanh');
  });

  it('refuses options that change nothing', async () => {
    const refused = async (options: AssertParityOptions): Promise<string> =>
      assertParity(
        { name: 'mine', precision: 'float64', layers: ['lstm'], evaluate: () => ({}) },
        options,
      ).then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
    expect(await refused({ model, sizes: { units: 3 } })).to.match(
      /^assertParity: sizes changes nothing with model/,
    );
    expect(await refused({ problems: [one], labels: false })).to.match(
      /^assertParity: labels changes nothing with problems/,
    );
    const idle = await runParity({ labels: false }).catch((error: unknown) => String(error));
    expect(idle).to.match(/labels is false without model/);
  });

  it('counts what a side does not run, and says why', async () => {
    const cell = {
      name: 'mine',
      carries: ['h'],
      weights: { kernel: 'F, U' },
      equations: 'h_t = x_t · kernel + h_(t-1)',
    };
    const own: Model = { features: 2, loss: 'meanSquaredError', layers: [{ layer: 'cell', cell, units: 2 }] };
    const problem = makeLayeredProblem({ id: 'layers/own', seed: 3, model: own, batch: 2, timeSteps: 3 });
    const report = await run(tfjsSide('cpu', true), [one, problem]);
    expect(report.notes).to.deep.equal([
      "1 problem about layers was not run on tfjs:cpu: it cannot run a user's own cell, which exists as formulas only",
    ]);
  });
});
