import path from 'node:path';
import { expect } from 'chai';
import { added, sure } from '../../../harness/check/doubtful';
import type { Tensor } from '../../../scratch/index';
import {
  checkModel,
  checkVerdict,
  generateInputs,
  judgeGradients,
  runReference,
  upstreamOf,
} from '../../../harness/check/index';
import { judgeShown } from '../../../harness/check/judge';
import { openFrameworkSide, unknownProgram } from '../../../harness/check/sides/framework';
import type { ShownGradients, SideAnswer } from '../../../harness/check/sides/side';
import { openModelFile, type ModelDescription } from '../../../harness/models/index';
import { modelFixtures } from '../../support/model-fixtures';
import { recordedAnswers, withRecorded } from '../../support/recorded-frameworks';

/** A model, and what Keras or PyTorch once answered about it. */
async function asked(framework: 'keras' | 'torch', name: string) {
  const model = await openModelFile(path.join(modelFixtures, `${name}.keras`));
  const inputs = generateInputs(model, { seed: 1 });
  const upstream = upstreamOf(model, runReference(model, inputs), 1);
  const answer = await withRecorded(framework, name, async (python) => {
    const side = await openFrameworkSide(framework, { python });
    try {
      return await side.run({ model, inputs, upstream });
    } finally {
      await side.close?.();
    }
  });
  const judge = (gradients: ShownGradients) => {
    const { questions } = judgeShown(model, inputs, answer.layers, unknownProgram);
    return judgeGradients(model, questions, upstream, unknownProgram, gradients).judged;
  };
  return { model, answer, judge };
}

const scaled = ({ data, shape }: Tensor, at: number): Tensor => ({
  shape,
  data: data.map((x, i) => (i === at ? x * (1 + 1e-3) : x)),
});

function gradientsOf({ gradients }: SideAnswer): ShownGradients {
  if (gradients === undefined) throw new Error('the recorded answer has gradients');
  return gradients;
}

describe('gradients in check', () => {
  it('agree with those that Keras and PyTorch computed, within derived budgets', async () => {
    for (const { framework, name } of recordedAnswers()) {
      const { model, answer, judge } = await asked(framework, name);
      const judged = judge(gradientsOf(answer));
      for (const { layer, gradientOf, status, used } of judged)
        expect(status, `${framework} ${name} ${layer.name} ${gradientOf ?? ''} ${used}`).to.equal(
          'explained',
        );
      const weights = judged.filter(({ layer, gradientOf }) => (gradientOf ?? '') in layer.weights);
      expect(weights.length, `${framework} ${name}`).to.equal(trainableWeights(model));
    }
  });

  it('find one number of a weight gradient that is a thousandth off, and say its layer', async () => {
    const { answer, judge } = await asked('keras', 'functional-states');
    const gradients = gradientsOf(answer);
    for (const [layer, own] of gradients.weights)
      for (const [name, tensor] of Object.entries(own)) {
        const largest = tensor.data.reduce(
          (best, x, i) => (Math.abs(x) > Math.abs(tensor.data[best]) ? i : best),
          0,
        );
        const weights = new Map(gradients.weights).set(layer, { ...own, [name]: scaled(tensor, largest) });
        const wrong = judge({ ...gradients, weights }).filter(({ status }) => status !== 'explained');
        expect(wrong.map((one) => [one.layer.name, one.gradientOf, one.worst])).to.deep.equal([
          [layer, name, largest],
        ]);
      }
  });

  it('are asked of plain TensorFlow.js and of our twin, for every kind of layer', async () => {
    let gradients = 0;
    for (const name of [
      'bidirectional-sum',
      'lstm-backwards',
      'embedding-mask',
      'autoencoder',
      'simple-rnn',
    ]) {
      const report = await checkModel(path.join(modelFixtures, `${name}.keras`), {
        sides: ['tfjs:cpu', 'twin:cpu'],
      });
      expect(report.verdict, `${name}: ${checkVerdict(report)}`).to.equal('parity');
      gradients += report.sides.reduce((sum, side) => sum + side.gradients, 0);
    }
    expect(gradients).to.be.greaterThan(60);
  });

  it('leave an embedding out where TensorFlow.js has no gradient of it, and say so', async () => {
    const file = path.join(modelFixtures, 'embedding-mask.keras');
    const [wasm] = (await checkModel(file, { sides: ['tfjs:wasm'] })).sides;
    expect(wasm.status).to.equal('parity');
    expect(wasm.note)
      .to.include('UnsortedSegmentSum')
      .and.to.include('those of the other layers are compared');
    expect(wasm.gradients).to.be.greaterThan(2);
  });

  it('are left out with forwardOnly', async () => {
    const file = path.join(modelFixtures, 'lstm.keras');
    const { sides } = await checkModel(file, { sides: ['twin:cpu'], forwardOnly: true });
    expect(sides[0]).to.include({ status: 'parity', gradients: 0 });
  });

  it('may be added up in any order where several layers read one: with few terms left, a partial sum may be larger', () => {
    const unit = 2 ** -24;
    const one = (x: number) => sure({ data: Float64Array.of(x), shape: [1] });
    const [a, b, c] = [1, -1, Math.fround(1 / 3)];
    // (1 - 1) + 1/3 rounds nothing, and Keras 3 adds (1 + 1/3) - 1
    const other = Math.fround(Math.fround(a + c) + b);
    const sumOf = (all: readonly number[]) => all.map(one).reduce((sum, term) => added(sum, term, unit));
    const { tensor, bound } = sumOf([a, b, c]);
    expect(Math.abs(other - tensor.data[0])).to.be.above(unit * c);
    expect(Math.abs(other - tensor.data[0])).to.be.at.most(bound[0]);
    expect(sumOf([a, c]).bound[0]).to.equal(unit * (a + c));
    // n - 1 roundings, and no more
    expect(sumOf([1, 1, 1, 1, 1]).bound[0]).to.equal(4 * unit * 5);
  });
});

function trainableWeights({ layers }: ModelDescription): number {
  return layers.flatMap(({ weights }) => Object.keys(weights).filter((name) => !name.startsWith('moving')))
    .length;
}
