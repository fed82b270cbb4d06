import { sizesOf, type Problem } from '../../base/problem';
import { weightNames } from '../../../scratch/index';
import { runsOf, sentBackBy } from '../faulty';
import { replay, rightAnswer } from '../replay';
import { each, gradientsOf, type HandOptimizer, type Numbers } from './hand-optimizer';
import { updateFaultIn, type UpdateFault } from './update-fault';

const inWeights = updateFaultIn('optimizer', 'weights');
const inGradient = updateFaultIn('optimizer', 'gradient');
const inVelocity = updateFaultIn('optimizer', 'velocity');
const order = 'clipping-and-update-order';
const decay = 0.01;

/** Faults that any optimizer can have. */
export const stepFaults: readonly UpdateFault[] = [
  inWeights('optimizer/learning-rate-twice', 'the step is multiplied by the learning rate twice', {
    learningRate: ({ right }) => right() ** 2,
  }),
  inWeights('optimizer/uphill', 'the step is added instead of subtracted, so that the loss grows', {
    moved: ({ right }, w, step) => right(w, -step),
  }),
  inWeights('optimizer/step-taken-twice', 'the step is taken twice', {
    moved: ({ right }, w, step) => right(right(w, step), step),
  }),
  inGradient(
    'optimizer/weight-decay-in-gradient',
    `${decay} times the weight is added to its gradient, although weight decay is not set`,
    { gradient: (_, g, w) => g + decay * w },
  ),
  inWeights(
    'optimizer/weight-decay-decoupled',
    `every weight shrinks by ${decay} of itself times the learning rate, although weight decay is not set`,
    { moved: ({ right }, w, step) => right(w, step + decay * w) },
  ),
  inGradient(
    'optimizer/sum-over-the-batch',
    'the gradients are multiplied by the size of the batch before they are used',
    { gradient: ({ own }, g) => g * sizesOf(own.question.problem).batch },
  ),
  inGradient(
    'optimizer/bias-forgotten',
    'the bias is not in the list of weights to update',
    { updated: ({ right }) => right().filter((name) => name !== 'bias') },
    { only: ['bias'] },
  ),
  inGradient(
    'optimizer/memory-not-kept',
    'the new memory is used, but the old memory is kept for the next update',
    { kept: (_, _now, before, slot) => before[slot] },
  ),
  updateFaultIn(order, 'gradient')(
    'order/output-layer-updated-first',
    'the output kernel is updated before the gradient of the state is computed with it',
    { gradients: ({ own }) => afterOutputLayer(own) },
    { only: ['kernel', 'recurrentKernel', 'bias'] },
  ),
  updateFaultIn(order, 'loss')(
    'order/loss-after-update',
    'the reported loss is that of the weights after the update',
    {
      loss: ({ own }, after) => {
        const { problem } = own.question;
        const moved = weightNames.map((name) => [
          name,
          { data: after[name], shape: problem.weights[name]?.shape },
        ]);
        const later = { ...problem, weights: Object.fromEntries(moved) as Problem['weights'] };
        return rightAnswer(later).loss?.data[0] ?? NaN;
      },
    },
  ),
];

/** The gradients where the output kernel has moved already when the gradient of the state is computed with it. */
function afterOutputLayer(own: HandOptimizer): Numbers {
  const { problem, state } = own.question;
  const right = gradientsOf(problem);
  const moved = own.weightsOf('outputKernel').map((w, i) => {
    const at = { name: 'outputKernel', i } as const;
    const now = own.memory(own.remembered(at), right.outputKernel[i], at);
    return own.moved(w, own.step(right.outputKernel[i], now, {}, state.step + 1));
  });
  const { units, classes = 1 } = sizesOf(problem);
  const late = () => sentBackBy('head', 'kernel', { data: moved, shape: [units, classes] });
  const { gradients } = replay({ runs: runsOf(late, 'backward') }, problem);
  return each((name) => gradients?.[name]?.data ?? right[name]);
}

/** Faults of momentum. */
export const momentumFaults: readonly UpdateFault[] = [
  inVelocity('momentum/not-carried', 'the velocity of the previous update is forgotten', {
    velocity: (_, _before, g) => g,
  }),
  inVelocity(
    'momentum/dampened',
    'the gradient is multiplied by 1 - momentum before it is added to the velocity, as in an average',
    { velocity: ({ own: { momentum } }, before, g) => momentum * before + (1 - momentum) * g },
  ),
  inVelocity('momentum/wrong-sign', 'the old velocity is subtracted instead of added', {
    velocity: ({ own }, before, g) => g - own.momentum * before,
  }),
  updateFaultIn(order, 'weights')(
    'momentum/step-before-velocity',
    'the weights are updated with the velocity of the previous update; the velocity is updated afterwards',
    { step: ({ own, right }, g, now, before, t) => right(g, own.momentum > 0 ? before : now, before, t) },
  ),
  inVelocity(
    'momentum/learning-rate-in-velocity',
    'the velocity includes the learning rate, although the given velocity does not: the old part weighs too much',
    {
      velocity: ({ own }, before, g) => own.momentum * before + own.learningRate() * g,
      momentumStep: ({ own }, g, velocity) => {
        const step = own.nesterov ? own.learningRate() * g + own.momentum * velocity : velocity;
        return step / own.learningRate();
      },
    },
  ),
  inWeights(
    'momentum/plain-for-nesterov',
    "the weights are updated with the velocity, although Nesterov's momentum is set",
    { momentumStep: (_, _g, velocity) => velocity },
  ),
  inWeights(
    'momentum/nesterov-for-plain',
    'the weights are updated with g + momentum velocity, although plain momentum is set',
    { momentumStep: ({ own }, g, velocity) => g + own.momentum * velocity },
  ),
  inWeights(
    'momentum/nesterov-without-gradient',
    'the weights are updated with momentum velocity, without the gradient',
    { momentumStep: ({ own }, _g, velocity) => own.momentum * velocity },
  ),
];
