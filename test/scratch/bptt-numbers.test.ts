import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTensor, SimpleRNN, zeros, type Tensor } from '../../scratch/index';
import { itPrints, itQuotes, largestError } from '../support/doc-numbers';
import { faultyGradients, faults, type Fault, type FaultyProblem } from '../support/faulty-bptt';
import { normalTensor, scaledDifference } from '../support/layer-problem';

// Every number in docs/bptt.md is computed here.
const doc = join(__dirname, '..', '..', 'docs', 'bptt.md');
const keys = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState'] as const;

/** The notebook's small example, with the sum of the final state as its loss: an upstream gradient of ones. */
function notebookExample(timeSteps: number): FaultyProblem {
  const hundredths = (rows: number[][]) =>
    makeTensor(
      Float64Array.from(rows.flat(), (x) => x / 100),
      [rows.length, rows[0].length],
    );
  return {
    weights: {
      kernel: hundredths([
        [1, 3, 5, 7],
        [3, 5, 7, 8],
      ]),
      recurrentKernel: hundredths([
        [1, 3, 5, 7],
        [2, 4, 6, 8],
        [3, 5, 7, 8],
        [4, 6, 8, 10],
      ]),
      bias: makeTensor(Float64Array.of(1, 1, 1, 1), [4]),
    },
    inputs: makeTensor(
      Float64Array.from({ length: timeSteps * 2 }, (_, i) => ((i >> 1) + (i & 1) + 1) / 100),
      [1, timeSteps, 2],
    ),
    initialState: zeros(1, 4),
    mask: makeTensor(new Float64Array(timeSteps).fill(1), [1, timeSteps]),
    upstream: makeTensor(new Float64Array(4).fill(1), [1, 4]),
  };
}

/** One problem with all sizes different, an initial state and a masked step: nothing hides. */
const [B, T, F, U] = [3, 6, 2, 4];
const mask = zeros(B, T);
mask.data.fill(1);
mask.data[2 * T + 3] = 0;
const general: FaultyProblem = {
  weights: {
    kernel: normalTensor(1, 0.5, F, U),
    recurrentKernel: normalTensor(2, 0.5, U, U),
    bias: normalTensor(3, 0.5, U),
  },
  inputs: normalTensor(4, 1, B, T, F),
  initialState: normalTensor(5, 0.5, B, U),
  mask,
  upstream: normalTensor(6, 1, B, U),
};

function layerGradients(p: FaultyProblem) {
  const [batch, , features] = p.inputs.shape;
  const layer = new SimpleRNN({ features, units: p.weights.bias.data.length, weights: p.weights });
  const { cache } = layer.forward(p.inputs, p.initialState, p.mask);
  const finalState: Tensor = { ...p.upstream, data: p.upstream.data.map((g) => g / batch) };
  return layer.backward(cache, { finalState });
}

const notebookCarry: Fault = 'carry accumulated without reset (the notebook)';
const digits = (numbers: ArrayLike<number>) => Array.from(numbers, (x) => x.toFixed(6)).join(', ');

const blocks: Record<string, () => string[]> = {
  'notebook-example': () => {
    const p = notebookExample(3);
    const [right, wrong] = [layerGradients(p), faultyGradients(p, notebookCarry)];
    const row = (name: string, r: ArrayLike<number>, w: ArrayLike<number>) =>
      `| ${name} | ${digits(r)} | ${digits(w)} |`;
    const step = (data: ArrayLike<number>, t: number) => Array.from(data).slice(2 * t - 2, 2 * t);
    return [
      '| gradient | correct | the notebook |',
      '| --- | --- | --- |',
      ...[3, 2, 1].map((t) => row(`dx_${t}`, step(right.inputs.data, t), step(wrong.inputs, t))),
      row('dBias', right.bias.data, wrong.bias),
      row('dKernel, row 1', right.kernel.data.subarray(0, 4), wrong.kernel.slice(0, 4)),
      row(
        'dRecurrentKernel, row 1',
        right.recurrentKernel.data.subarray(0, 4),
        wrong.recurrentKernel.slice(0, 4),
      ),
      row('dInitialState', right.initialState.data, [0, 0, 0, 0]),
    ];
  },
  'notebook-growth': () => {
    const row = (t: number) => {
      const p = notebookExample(t);
      const norm = (data: ArrayLike<number>) => Math.sqrt(Array.from(data).reduce((s, g) => s + g * g, 0));
      const [right, wrong] = [
        norm(layerGradients(p).bias.data),
        norm(faultyGradients(p, notebookCarry).bias),
      ];
      return `| ${t} | ${right.toFixed(4)} | ${wrong.toPrecision(5)} | ${(wrong / right).toPrecision(3)} |`;
    };
    return [
      '| T | norm of dBias, correct | the notebook | factor |',
      '| --- | --- | --- | --- |',
      ...[1, 2, 3, 5, 10, 20, 50].map(row),
    ];
  },
  faults: () => {
    const right = layerGradients(general);
    const row = (fault: Fault) => {
      const wrong = faultyGradients(general, fault);
      const share = (key: (typeof keys)[number]) => largestError(wrong[key], right[key].data);
      return `| ${fault} | ${keys.map(share).join(' | ')} |`;
    };
    return [
      `| mistake | ${keys.map((key) => `d ${key}`).join(' | ')} |`,
      `| --- | ${keys.map(() => '---').join(' | ')} |`,
      ...faults.slice(1).map(row),
    ];
  },
};

describe('docs/bptt.md', () => {
  it('the loops that make its mistakes are right without one', () => {
    for (const p of [notebookExample(3), general]) {
      const [right, plain] = [layerGradients(p), faultyGradients(p, 'none')];
      for (const key of keys) expect(scaledDifference(plain[key], right[key].data), key).to.be.at.most(1e-14);
    }
  });

  it('every one of its mistakes changes at least one gradient by more than 1 %', () => {
    const right = layerGradients(general);
    for (const fault of faults.slice(1)) {
      const wrong = faultyGradients(general, fault);
      expect(
        Math.max(...keys.map((key) => scaledDifference(wrong[key], right[key].data))),
        fault,
      ).to.be.above(0.01);
    }
  });

  itPrints('bptt.md', blocks);
  itQuotes('bptt.md', [
    'simple-rnn',
    'classifier-pass',
    'softmax-cross-entropy',
    'dense',
    'classifier',
    'optimizer',
  ]);

  it('has an anchor for every family of mistakes', () => {
    const text = readFileSync(doc, 'utf8');
    const anchors = [...text.matchAll(/<a id="([a-z-]+)"><\/a>/g)].map(([, id]) => id);
    expect(anchors).to.include.members([
      'carry',
      'transpose',
      'tanh-derivative',
      'wrong-time-step',
      'previous-state',
      'batch-mean',
      'truncated',
      'initial-state',
      'bias-axis',
      'masks',
      'clipping-and-update-order',
      'notebook',
    ]);
    expect(new Set(anchors).size).to.equal(anchors.length);
  });
});
