import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Problem, ProblemWeights } from '../../harness/base/problem';
import { catalogue, replay, truncated, type Fault } from '../../harness/faults/index';
import { makeTensor, ScratchSimpleRNNClassifier, SimpleRNN, zeros } from '../../scratch/index';
import { itPrints, itQuotes, largestError } from '../support/doc-numbers';
import { normalTensor, scaledDifference } from '../support/layer-problem';

// Every number in docs/bptt.md is computed here.
const doc = join(__dirname, '..', '..', 'docs', 'bptt.md');
const keys = ['kernel', 'recurrentKernel', 'bias', 'inputs', 'initialState'] as const;

/** The notebook's small example, with the sum of the final state as its loss: an upstream gradient of ones. */
function notebookExample(timeSteps: number): Problem {
  const hundredths = (rows: number[][]) =>
    makeTensor(
      Float64Array.from(rows.flat(), (x) => x / 100),
      [rows.length, rows[0].length],
    );
  return {
    id: `notebook/${timeSteps}`,
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
    upstream: { finalState: makeTensor(new Float64Array(4).fill(1), [1, 4]) },
  };
}

/** One problem with all sizes different, an initial state and a masked step: nothing hides. */
const [B, T, F, U, C] = [3, 6, 2, 4, 5];
const mask = zeros(B, T);
mask.data.fill(1);
mask.data[2 * T + 3] = 0;
const weights = {
  kernel: normalTensor(1, 0.5, F, U),
  recurrentKernel: normalTensor(2, 0.5, U, U),
  bias: normalTensor(3, 0.5, U),
  outputKernel: normalTensor(6, 1, U, C),
  outputBias: normalTensor(7, 0.5, C),
};
const general = {
  id: 'general',
  weights,
  inputs: normalTensor(4, 1, B, T, F),
  initialState: normalTensor(5, 0.5, B, U),
  mask,
  labels: [1, 4, 2],
};

type Gradients = Record<(typeof keys)[number], { readonly data: Float64Array }>;

function rightNotebook({ inputs, weights: given, upstream }: Problem): Gradients {
  const layer = new SimpleRNN({ features: 2, units: 4, weights: given satisfies ProblemWeights });
  return layer.backward(layer.forward(inputs).cache, upstream ?? {});
}

function rightGeneral(): Gradients {
  const model = new ScratchSimpleRNNClassifier({ features: F, units: U, classes: C, weights });
  const { inputs, labels, initialState } = general;
  return model.lossAndGradients(inputs, labels, { initialState, mask }).gradients;
}

/** The gradients of the network by its formulas, which a fault gets wrong in one place. */
function wrongGradients(problem: Problem, fault: Pick<Fault, 'runs'>): Gradients {
  return replay(fault, problem).gradients as unknown as Gradients;
}

function planted(name: string): Fault {
  const fault = catalogue.find((each) => each.name === name);
  if (fault === undefined) throw new Error(`the catalogue has no ${name}`);
  return fault;
}

/** What the page calls each mistake of its table. */
const mistakes: Readonly<Record<string, Fault>> = {
  'carry accumulated without reset (the notebook)': planted('carry/accumulated'),
  'carry dropped': planted('carry/dropped'),
  'carry negated': planted('carry/negated'),
  'recurrentKernel not transposed': planted('carry/not-transposed'),
  'tanh derivative missing': planted('slope/missing'),
  'tanh derivative 1 - h': planted('slope/one-minus-h'),
  'tanh derivative 1 + h²': planted('slope/one-plus-h-squared'),
  'tanh derivative of the step before': planted('slope/step-before'),
  'x of the next step': planted('steps/next-input'),
  'first step skipped': planted('steps/first-step-skipped'),
  'h_t for h_{t-1}': planted('steps/state-after-for-state-before'),
  '1/B missing': planted('loss/sum-for-mean'),
  '1/B twice': planted('loss/mean-twice'),
  'truncated to 2 steps': truncated(2),
  'initial state gradient zero (the notebook)': planted('initial-state/gradient-lost'),
  'bias summed over one example only': planted('sums/bias-gradient-of-first-example'),
  'mask ignored': planted('masks/ignored'),
  'carry lost at masked steps': planted('masks/carry-lost'),
  'clipped to norm 0.1': planted('clipping/by-norm'),
};

const notebook = planted('carry/both-of-the-notebook');
const digits = (numbers: ArrayLike<number>) => Array.from(numbers, (x) => x.toFixed(6)).join(', ');

const blocks: Record<string, () => string[]> = {
  'notebook-example': () => {
    const p = notebookExample(3);
    const [right, wrong] = [rightNotebook(p), wrongGradients(p, notebook)];
    const row = (name: string, r: ArrayLike<number>, w: ArrayLike<number>) =>
      `| ${name} | ${digits(r)} | ${digits(w)} |`;
    const step = (data: ArrayLike<number>, t: number) => Array.from(data).slice(2 * t - 2, 2 * t);
    return [
      '| gradient | correct | the notebook |',
      '| --- | --- | --- |',
      ...[3, 2, 1].map((t) => row(`dx_${t}`, step(right.inputs.data, t), step(wrong.inputs.data, t))),
      row('dBias', right.bias.data, wrong.bias.data),
      row('dKernel, row 1', right.kernel.data.subarray(0, 4), wrong.kernel.data.subarray(0, 4)),
      row(
        'dRecurrentKernel, row 1',
        right.recurrentKernel.data.subarray(0, 4),
        wrong.recurrentKernel.data.subarray(0, 4),
      ),
      row('dInitialState', right.initialState.data, wrong.initialState.data),
    ];
  },
  'notebook-growth': () => {
    const row = (t: number) => {
      const p = notebookExample(t);
      const norm = (data: ArrayLike<number>) => Math.sqrt(Array.from(data).reduce((s, g) => s + g * g, 0));
      const [right, wrong] = [norm(rightNotebook(p).bias.data), norm(wrongGradients(p, notebook).bias.data)];
      return `| ${t} | ${right.toFixed(4)} | ${wrong.toPrecision(5)} | ${(wrong / right).toPrecision(3)} |`;
    };
    return [
      '| T | norm of dBias, correct | the notebook | factor |',
      '| --- | --- | --- | --- |',
      ...[1, 2, 3, 5, 10, 20, 50].map(row),
    ];
  },
  faults: () => {
    const right = rightGeneral();
    const row = ([title, fault]: [string, Fault]) => {
      const wrong = wrongGradients(general, fault);
      const share = (key: (typeof keys)[number]) => largestError(wrong[key].data, right[key].data);
      return `| ${title} | ${keys.map(share).join(' | ')} |`;
    };
    return [
      `| mistake | ${keys.map((key) => `d ${key}`).join(' | ')} |`,
      `| --- | ${keys.map(() => '---').join(' | ')} |`,
      ...Object.entries(mistakes).map(row),
    ];
  },
};

describe('docs/bptt.md', () => {
  it('the formulas that make its mistakes are right without one', () => {
    for (const [p, right] of [
      [notebookExample(3), rightNotebook(notebookExample(3))],
      [general, rightGeneral()],
    ] as const) {
      const plain = wrongGradients(p, { runs: () => [] });
      for (const key of keys)
        expect(scaledDifference(plain[key].data, right[key].data), key).to.be.at.most(1e-14);
    }
  });

  it('every one of its mistakes changes at least one gradient by more than 1 %', () => {
    const right = rightGeneral();
    for (const [title, fault] of Object.entries(mistakes)) {
      const wrong = wrongGradients(general, fault);
      const worst = Math.max(...keys.map((key) => scaledDifference(wrong[key].data, right[key].data)));
      expect(worst, title).to.be.above(0.01);
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
