import { expect } from 'chai';
import { referenceAnswer } from '../../../harness/sides/index';
import { compareVectors } from '../../../harness/parity/compare-vectors';
import { roundProblem, type Evaluation, type Problem } from '../../../harness/base/problem';
import type { Tensor } from '../../../scratch/index';
import { evaluateWithTfjs, TfSimpleRNN, TfSimpleRNNClassifier } from '../../../src/index';
import oracle from '../../fixtures/scratch/oracle.json';
import { describeOnBackends } from '../../support/backends';

const read = ({ shape, data }: { shape: number[]; data: number[] }): Tensor => ({
  shape,
  data: Float64Array.from(data),
});
const readAll = <K extends string>(tensors: Record<K, { shape: number[]; data: number[] }>) =>
  Object.fromEntries(Object.entries(tensors).map(([k, v]) => [k, read(v as never)])) as Record<K, Tensor>;

/** float32 against PyTorch's float64, element by element within what rounding can do on that backend (docs/tolerance.md). */
function expectRight(side: string, given: Evaluation, problem: Problem, expected: Evaluation): void {
  const solved = roundProblem(problem);
  const { status, tensors } = compareVectors({
    vector: { id: problem.id, source: oracle.madeBy, problem, expected, tolerance: new Map() },
    solved,
    exact: referenceAnswer(problem),
    reference: referenceAnswer(solved),
    given,
    side: { name: `tfjs:${side}`, precision: 'float32' },
  });
  const red = tensors.filter((tensor) => tensor.status !== 'pass');
  expect(red).to.deep.equal([]);
  expect(status).to.equal('pass');
}

describeOnBackends(`src/eager against ${oracle.madeBy}`, (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    oracle.networks.forEach((network, n) => {
      const { initialState, inputs, upstreamStates, ...weights } = readAll(network.given);
      const { sizes, labels } = network;

      const id = `network ${n}`;
      const states = read(network.states);

      it(`${gradients}, ${id}: PyTorch's logits, loss and seven gradients`, () => {
        const problem = { id, inputs, initialState, labels, weights };
        const loss: Tensor = { data: Float64Array.of(network.loss), shape: [] };
        const expected = { logits: read(network.logits), loss, gradients: readAll(network.gradients) };
        const model = new TfSimpleRNNClassifier({
          backend: backend(),
          ...sizes,
          weights,
          gradients,
        });
        const found = model.lossAndGradients(inputs, labels, { initialState });
        const given = {
          logits: model.predictLogits(inputs, { initialState }),
          loss: { data: Float64Array.of(found.loss), shape: [] },
          gradients: found.gradients,
        };
        model.dispose();
        expect(Object.keys(found.gradients)).to.have.members(Object.keys(expected.gradients));
        expectRight(backend().name, given, problem, expected);
        const evaluated = evaluateWithTfjs(backend(), problem, { gradients });
        expectRight(backend().name, evaluated, problem, { ...expected, states });
      });

      it(`${gradients}, ${id}: PyTorch's layer gradients for an upstream gradient at every state`, () => {
        const { kernel, recurrentKernel, bias } = weights;
        const upstream = { states: upstreamStates };
        const problem = { id, inputs, initialState, upstream, weights: { kernel, recurrentKernel, bias } };
        const layer = new TfSimpleRNN({
          backend: backend(),
          features: sizes.features,
          units: sizes.units,
          weights,
          gradients,
        });
        const found = layer.backward(inputs, upstream, { initialState });
        const given = { states: layer.forward(inputs, initialState).states, gradients: found };
        layer.dispose();
        const expected = readAll(network.layerGradients);
        expect(Object.keys(found)).to.have.members(Object.keys(expected));
        expectRight(backend().name, given, problem, { states, gradients: expected });
      });
    });

    oracle.masked.forEach((example, n) => {
      const id = `masked layer ${n}`;
      const { initialState, inputs, ...weights } = readAll(example.given);

      it(`${gradients}, ${id}: Keras's state after every step`, () => {
        const layer = new TfSimpleRNN({ backend: backend(), ...example.sizes, weights, gradients });
        const { states } = layer.forward(inputs, initialState, example.mask);
        layer.dispose();
        const [batch, timeSteps] = inputs.shape;
        const mask = { data: Float64Array.from(example.mask.flat()), shape: [batch, timeSteps] };
        const problem = { id, inputs, initialState, mask, weights };
        expectRight(backend().name, { states }, problem, { states: read(example.states) });
      });
    });
  }
});
