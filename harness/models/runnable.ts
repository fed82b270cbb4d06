import { checkClassifierWeights, weightNames, type ClassifierWeights } from '../../scratch/index';
import { asUsage, UsageError } from '../base/outcome';

/** Cells whose recurrent kernel [U, n U] holds n kernels next to each other. */
const gatedCells: Readonly<Record<number, string>> = { 3: 'GRU', 4: 'LSTM' };

/** @throws UsageError when the recurrent kernel [U, ...] is that of an LSTM or a GRU */
export function refuseGates(shape: readonly number[], where: string): void {
  const [units, width] = shape;
  const cell = shape.length === 2 && units > 0 ? gatedCells[width / units] : undefined;
  if (cell !== undefined)
    throw new UsageError(
      `${where} has a recurrent kernel [${shape.join(', ')}], ${width / units} kernels of ${units} units: these are ${cell} weights; a SimpleRNN (nn.RNN) with tanh is run, so export such a model.`,
    );
}

/**
 * The five weights of a classifier that every side can run and every file can hold: shapes that fit, finite numbers that float32 can
 * hold, at least two outputs.
 *
 * @throws UsageError
 */
export function checkRunnable(weights: ClassifierWeights, where: string): ClassifierWeights {
  const [features, units] = weights.kernel.shape;
  refuseGates(weights.recurrentKernel.shape, where);
  const [classes] = weights.outputBias.shape;
  if (classes === 1)
    throw new UsageError(
      `${where} has a single output, as a sigmoid for two classes or a regression has; a softmax over at least 2 classes is run, and over one class it is always 1. If it is a sigmoid, save two outputs that give the same: output kernel np.hstack([0 * w, w]), output bias np.hstack([0 * b, b]).`,
    );
  const checked = asUsage(() => checkClassifierWeights(weights, { features, units, classes }, where));
  for (const name of weightNames) {
    const at = checked[name].data.findIndex((x) => !Number.isFinite(Math.fround(x)));
    if (at >= 0)
      throw new UsageError(
        `${where}: ${name} holds ${checked[name].data[at]} at position ${at}; model files and TensorFlow.js keep weights as float32, up to 3.4e38, so scale the weights or train them again.`,
      );
  }
  return checked;
}
