import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Stack, zeros, type LayerConfig } from '../../scratch/index';
import { itPrints, itQuotes, largestError } from '../support/doc-numbers';
import {
  answerOfFormulas,
  gruFaults,
  gruResetAfterFaults,
  lstmFaults,
  rightAnswer,
  type GatedFault,
  type GatedProblem,
} from '../support/faulty-gated';
import { normalTensor, scaledDifference } from '../support/layer-problem';

// Every number in docs/bptt-gated.md is computed here.

/** One problem with all sizes different, initial states and a masked step: nothing hides. */
function problem(layer: GatedProblem['layer'], gates: number, biasShape: readonly number[]): GatedProblem {
  const [B, T, F, U] = [3, 6, 2, 4];
  const mask = zeros(B, T);
  mask.data.fill(1);
  mask.data[2 * T + 3] = 0;
  return {
    layer,
    weights: {
      kernel: normalTensor(1, 0.5, F, gates * U),
      recurrentKernel: normalTensor(2, 0.5, U, gates * U),
      bias: normalTensor(3, 0.5, ...biasShape),
    },
    inputs: normalTensor(4, 1, B, T, F),
    initialStates: [5, 6].slice(0, gates === 4 ? 2 : 1).map((seed) => normalTensor(seed, 0.5, B, U)),
    mask,
    upstream: normalTensor(7, 1 / B, B, U),
  };
}

const cells: { name: string; p: GatedProblem; faults: readonly GatedFault[] }[] = [
  { name: 'lstm-faults', p: problem({ layer: 'lstm', units: 4 }, 4, [16]), faults: lstmFaults },
  {
    name: 'gru-faults',
    p: problem({ layer: 'gru', units: 4, resetAfter: false }, 3, [12]),
    faults: gruFaults,
  },
  {
    name: 'gru-reset-after-faults',
    p: problem({ layer: 'gru', units: 4 }, 3, [2, 12]),
    faults: gruResetAfterFaults,
  },
];

function faultTable(p: GatedProblem, faults: readonly GatedFault[]): string[] {
  const right = rightAnswer(p);
  const keys = Object.keys(right);
  const title = (key: string) => (key === 'h_T' ? key : `d ${key}`);
  return [
    `| mistake | ${keys.map(title).join(' | ')} |`,
    `| --- | ${keys.map(() => '---').join(' | ')} |`,
    ...faults.map(({ name, answer }) => {
      const wrong = answer(p);
      return `| ${name} | ${keys.map((key) => largestError(wrong[key], right[key])).join(' | ')} |`;
    }),
  ];
}

/** One unit, one feature, one step: x = 1, h_0 = 0.5, c_0 = 2, and the gradients 1 at h_1 and 0.5 at c_1. */
function oneStep(): string[] {
  const weights = [
    { kernel: [[0.5, 1, -0.5, 0.25]], recurrentKernel: [[1, -1, 2, 0.5]], bias: [0, 1, 0, 0] },
  ];
  const [x, h0, c0, dh, dcAfter] = [1, 0.5, 2, 1, 0.5];
  const σ = (z: number) => 1 / (1 + Math.exp(-z));
  const [zi, zf, zc, zo] = [0, 1, 2, 3].map(
    (g) => weights[0].bias[g] + x * weights[0].kernel[0][g] + h0 * weights[0].recurrentKernel[0][g],
  );
  const [i, f, g, o] = [σ(zi), σ(zf), Math.tanh(zc), σ(zo)];
  const c = f * c0 + i * g;
  const a = Math.tanh(c);
  const dc = dcAfter + dh * o * (1 - a * a);
  const dz = [dc * g * i * (1 - i), dc * c0 * f * (1 - f), dc * i * (1 - g * g), dh * a * o * (1 - o)];
  // the same by the layer
  const stack = new Stack({ features: 1, layers: [{ layer: 'lstm', units: 1 }], weights });
  const made = stack.forward([[[x]]], { initialStates: [[[[h0]], [[c0]]]] });
  const back = stack.backward(made.cache, { outputs: [[dh]], finalStates: [[[[0]], [[dcAfter]]]] });
  const [h1, c1] = made.finalStates[0];
  const found = [h1, c1, back.weights[0]['bias'], back.initialStates[0][1]].flatMap(({ data }) => [...data]);
  expect(scaledDifference(found, [o * a, c, ...dz, dc * f])).to.be.at.most(1e-15);
  const show = (value: number) => value.toFixed(4);
  const rows: [string, string, number][] = [
    ['i', 'σ(0 + 1 · 0.5 + 0.5 · 1) = σ(1)', i],
    ['f', 'σ(1 + 1 · 1 + 0.5 · -1) = σ(1.5)', f],
    ['c~', 'tanh(0 + 1 · -0.5 + 0.5 · 2) = tanh(0.5)', g],
    ['o', 'σ(0 + 1 · 0.25 + 0.5 · 0.5) = σ(0.5)', o],
    ['c_1', `${show(f)} · 2 + ${show(i)} · ${show(g)}`, c],
    ['h_1', `${show(o)} · tanh(${show(c)}) = ${show(o)} · ${show(a)}`, o * a],
    ['dc_1', `0.5 + 1 · ${show(o)} · (1 - ${show(a)}²)`, dc],
    ['dz[i]', `${show(dc)} · ${show(g)} · ${show(i)} · (1 - ${show(i)})`, dz[0]],
    ['dz[f]', `${show(dc)} · 2 · ${show(f)} · (1 - ${show(f)})`, dz[1]],
    ['dz[c]', `${show(dc)} · ${show(i)} · (1 - ${show(g)}²)`, dz[2]],
    ['dz[o]', `1 · ${show(a)} · ${show(o)} · (1 - ${show(o)})`, dz[3]],
    ['dc_0', `${show(dc)} · ${show(f)}`, dc * f],
    [
      'dh_0',
      dz.map((d, n) => `${show(d)} · ${weights[0].recurrentKernel[0][n]}`).join(' + '),
      back.initialStates[0][0].data[0],
    ],
  ];
  return [
    '| what | how | value |',
    '| --- | --- | --- |',
    ...rows.map(([what, how, value]) => `| ${what} | ${how} | ${show(value)} |`),
  ];
}

/** How much of the gradient of the last state reaches the first one: Keras's initial weights, U = 16, mean of ten seeds. */
function reach(): string[] {
  const layers: [string, LayerConfig, number, (units: number) => number[]][] = [
    ['simple RNN, dh_0', { layer: 'simpleRNN', units: 16 }, 0, () => []],
    ['LSTM, dc_0, unitForgetBias: false', { layer: 'lstm', units: 16, unitForgetBias: false }, 1, () => []],
    ['LSTM, dc_0', { layer: 'lstm', units: 16 }, 1, () => []],
    ['LSTM, dc_0, forget bias 5', { layer: 'lstm', units: 16 }, 1, (u) => [u, 2 * u, 5]],
    ['GRU, dh_0', { layer: 'gru', units: 16 }, 0, () => []],
    ['GRU, dh_0, bias of z 5', { layer: 'gru', units: 16 }, 0, (u) => [0, u, 5]],
  ];
  const lengths = [1, 10, 50, 100];
  const norm = (data: ArrayLike<number>) => Math.sqrt(Array.from(data).reduce((s, g) => s + g * g, 0));
  const share = (layer: LayerConfig, state: number, bias: number[], T: number) => {
    let sum = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const stack = new Stack({ features: 4, layers: [layer], seed });
      const weights = stack.getWeights();
      const [from, to, value] = bias;
      if (bias.length > 0) weights[0]['bias'].data.fill(value, from, to);
      stack.setWeights(weights);
      const { cache } = stack.forward(normalTensor(seed, 1, 1, T, 4));
      const upstream = [normalTensor(seed + 50, 1, 1, 16), normalTensor(seed + 60, 1, 1, 16)];
      const arriving = layer.layer === 'lstm' ? upstream : upstream.slice(0, 1);
      const only = arriving.map((g, k) => (k === state ? g : zeros(1, 16)));
      const { initialStates } = stack.backward(cache, { finalStates: [only] });
      sum += norm(initialStates[0][state].data) / norm(only[state].data) / 10;
    }
    return sum.toPrecision(2);
  };
  return [
    `| layer | ${lengths.map((T) => `T = ${T}`).join(' | ')} |`,
    `| --- | ${lengths.map(() => '---').join(' | ')} |`,
    ...layers.map(
      ([name, layer, state, bias]) =>
        `| ${name} | ${lengths.map((T) => share(layer, state, bias(16), T)).join(' | ')} |`,
    ),
  ];
}

describe('docs/bptt-gated.md', () => {
  for (const { name, p, faults } of cells) {
    it(`${name}: the formulas that its mistakes are made in give what scratch gives without one`, () => {
      const [right, plain] = [rightAnswer(p), answerOfFormulas(p)];
      expect(Object.keys(plain)).to.have.members(Object.keys(right));
      for (const key of Object.keys(right)) {
        expect(scaledDifference(plain[key], right[key]), key).to.be.at.most(1e-14);
      }
    });

    it(`${name}: every mistake changes at least one result by more than 1 %`, () => {
      const right = rightAnswer(p);
      for (const { name: fault, answer } of faults) {
        const wrong = answer(p);
        const worst = Math.max(...Object.keys(right).map((key) => scaledDifference(wrong[key], right[key])));
        expect(worst, fault).to.be.above(0.01);
      }
    });
  }

  itPrints('bptt-gated.md', {
    'one-step': oneStep,
    reach,
    ...Object.fromEntries(cells.map(({ name, p, faults }) => [name, () => faultTable(p, faults)])),
  });
  itQuotes('bptt-gated.md', ['cells/lstm', 'cells/gru', 'cells/simple-rnn', 'recurrent', 'bidirectional']);

  it('names every mistake of its tables in its text', () => {
    const text = readFileSync(join(__dirname, '..', '..', 'docs', 'bptt-gated.md'), 'utf8');
    const anchors = [...text.matchAll(/<a id="([a-z-]+)"><\/a>/g)].map(([, id]) => id);
    expect(anchors).to.include.members([
      'two-carries',
      'candidate',
      'reset',
      'gate-order',
      'blend',
      'biases',
      'slopes',
    ]);
    expect(new Set(anchors).size).to.equal(anchors.length);
  });
});
