import { expect } from 'chai';
import { createRandom, ScratchNetwork, StackPlan, zeros } from '../../../scratch/index';
import type { NetworkAnswer, NetworkQuestion, Tensor } from '../../../scratch/index';
import { TfNetwork } from '../../../src/index';
import { describeOnBackends } from '../../support/backends';
import { nameOf, networkCases } from '../../support/network-cases';
import { normalTensor, scaledDifference } from '../../support/layer-problem';

const [B, T] = [3, 4];

/** A question to a network of a case: masks, states in, targets, and gradients that arrive everywhere. */
function questionFor(network: ScratchNetwork, seed: number, masked: boolean) {
  const random = createRandom(seed);
  let nth = 0;
  const draw = (scale: number, ...shape: number[]): Tensor => {
    const tensor = normalTensor(seed * 64 + nth++, scale, ...shape);
    return { data: tensor.data.map(Math.fround), shape };
  };
  const plan = new StackPlan(network.config);
  const inputs = plan.vocabulary === undefined ? draw(1, B, T, plan.features) : zeros(B, T);
  if (plan.vocabulary !== undefined)
    inputs.data.forEach((_, i) => (inputs.data[i] = random.integer(plan.vocabulary!)));
  const shape = plan.outputShape({ batch: B, timeSteps: T });
  const labels = network.config.loss === 'softmaxCrossEntropy';
  const targets = zeros(...(labels ? shape.slice(0, -1) : shape));
  const width = shape[shape.length - 1];
  targets.data.forEach((_, i) => (targets.data[i] = labels ? random.integer(width) : random.integer(3) / 2));
  const mask = zeros(B, T);
  mask.data.forEach((_, i) => (mask.data[i] = random.integer(3) > 0 ? 1 : 0));
  const states = () => plan.layers.map((layer) => layer.states.map((width) => draw(0.5, B, width)));
  const sequences = plan.layers.map((layer) => layer.sequences.map((width) => draw(1, B, T, width)));
  const question: NetworkQuestion = {
    initialStates: states(),
    targets: targets.shape.length === 1 ? targets.data : targets,
    ...(masked && { mask }),
    upstream: { logits: draw(1, ...shape), finalStates: states(), sequences },
    sequences: true,
  };
  return { inputs, question };
}

/** Every tensor of an answer by its name. */
function tensorsOf(answer: NetworkAnswer): Map<string, Tensor> {
  const named = new Map<string, Tensor>();
  const visit = (name: string, value: unknown): void => {
    if (typeof value === 'number') named.set(name, { data: Float64Array.of(value), shape: [] });
    else if (typeof value === 'object' && value !== null && 'data' in value) named.set(name, value as Tensor);
    else
      for (const [key, one] of Object.entries(value as object))
        visit(name === '' ? key : `${name}.${key}`, one);
  };
  visit('', answer);
  return named;
}

describeOnBackends('TfNetwork', (backend) => {
  for (const gradients of ['autodiff', 'bptt'] as const) {
    describe(gradients, () => {
      networkCases.forEach((config, i) => {
        it(nameOf(config), () => {
          const { masked = false, ...described } = config;
          const scratch = new ScratchNetwork({ ...described, seed: i });
          const { inputs, question } = questionFor(scratch, i, masked);
          const twin = new TfNetwork({ backend: backend(), gradients, ...described, seed: i });
          const expected = tensorsOf(scratch.run(inputs, question));
          const given = tensorsOf(twin.run(inputs, question));
          twin.dispose();
          expect([...given.keys()]).to.have.members([...expected.keys()]);
          for (const [name, tensor] of expected) {
            expect(given.get(name)!.shape, name).to.deep.equal(tensor.shape);
            expect(scaledDifference(given.get(name)!.data, tensor.data), name).to.be.below(1e-5);
          }
        });
      });
    });
  }
});
