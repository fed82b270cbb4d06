import type {
  BatchResult,
  ClassifierWeights,
  OptimizerState,
  SimpleRNNClassifier,
  Tensor,
} from '../../../scratch/index';
import type { Problem } from '../../base/problem';
import { HandOptimizer, type Numbers, type UpdateQuestion } from './hand-optimizer';
import type { UpdateFault } from './update-fault';

/** What a training check asks of a network. */
export type Trainee = Pick<
  SimpleRNNClassifier,
  'compile' | 'setWeights' | 'setOptimizerState' | 'trainOnBatch' | 'getWeights' | 'getOptimizerState'
>;

/**
 * A network whose optimizer has a fault: its own update, rounding and all, plus what the fault changes.
 *
 * @param check optimizer and clipping that the network is compiled with
 * @param from the first update that goes wrong, counted from 0: those before it are right
 */
export function plantUpdate(
  { optimizer }: Pick<UpdateFault, 'optimizer'>,
  model: Trainee & Pick<SimpleRNNClassifier, 'precision'>,
  check: Pick<UpdateQuestion, 'optimizer' | 'clipNorm'>,
  from = 0,
): Trainee {
  const round = model.precision === 'float32' ? Math.fround : (x: number) => x;
  let updates = 0;
  let weights: ClassifierWeights | undefined;
  let state: OptimizerState | undefined;
  return {
    compile: (options) => {
      model.compile(options);
    },
    setWeights: (given) => {
      weights = undefined;
      model.setWeights(given);
    },
    setOptimizerState: (given) => {
      state = undefined;
      model.setOptimizerState(given);
    },
    trainOnBatch: (inputs, labels): BatchResult => {
      const before = { weights: model.getWeights(), state: model.getOptimizerState() };
      const problem: Problem = {
        id: 'update',
        inputs: inputs as Tensor,
        labels: Array.from(labels),
        weights: before.weights,
      };
      const question = { ...check, problem, state: before.state };
      const honest = model.trainOnBatch(inputs, labels);
      if (updates++ < from) return honest;
      const right = new HandOptimizer(question).update();
      const wrong = new optimizer(question).update();
      const shifted = (own: ClassifierWeights, good: Numbers, bad: Numbers): ClassifierWeights =>
        Object.fromEntries(
          Object.entries(own as unknown as Readonly<Record<keyof Numbers, Tensor>>).map(([key, tensor]) => {
            const name = key as keyof Numbers;
            const data = tensor.data.map((x, i) =>
              good[name][i] === bad[name][i] ? x : round(x + (bad[name][i] - good[name][i])),
            );
            return [name, { data, shape: tensor.shape }];
          }),
        ) as unknown as ClassifierWeights;
      weights = shifted(model.getWeights(), right.weights, wrong.weights);
      const after = model.getOptimizerState();
      const slots = Object.entries(after.slots).map(([slot, own]) => [
        slot,
        shifted(own, right.slots[slot], wrong.slots[slot]),
      ]);
      state = { ...after, slots: Object.fromEntries(slots) as OptimizerState['slots'] };
      return { ...honest, loss: round(honest.loss + (wrong.loss - right.loss)) };
    },
    getWeights: () => weights ?? model.getWeights(),
    getOptimizerState: () => state ?? model.getOptimizerState(),
  };
}
