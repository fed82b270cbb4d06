import { largest } from '../base/magnitude';
import type { BatchLog, LayersNetwork } from '../../scratch/index';
import { namedWeights } from '../models/index';
import type { EpochRecord } from './history';
import type { PreparedData } from './prepare';
import type { TrainSettings } from './settings';

/** Watches for a loss that grows beyond anything a classifier needs. */
export class ExplosionWatch {
  private average: number | undefined;

  constructor(private readonly classes: number) {}

  /** True when the running mean of the loss is 20 times that of a network that knows nothing. */
  isExploding({ loss }: Pick<BatchLog, 'loss'>): boolean {
    this.average = this.average === undefined ? loss : 0.9 * this.average + 0.1 * loss;
    return this.average > 20 * Math.log(this.classes);
  }
}

/** What no file can hold in a side's weights, or in what the epoch measured; undefined where all is finite. */
export function findOverflow(
  sides: readonly LayersNetwork[],
  record?: EpochRecord,
): { readonly side: string; readonly what: string } | undefined {
  for (const [i, side] of sides.entries()) {
    for (const [name, value] of Object.entries(record?.sides[i] ?? {}))
      if (typeof value === 'number' && !Number.isFinite(value))
        return { side: side.name, what: `${inWords(name)} ${value}` };
    for (const [name, { data }] of namedWeights(side.getWeights())) {
      const at = data.findIndex((x) => !Number.isFinite(Math.fround(x)));
      if (at >= 0)
        return {
          side: side.name,
          what: `${name} ${format(data[at])} at position ${at}, where float32 ends at 3.4e38`,
        };
    }
  }
  return undefined;
}

const inWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The step at which a run diverged. */
export interface Divergence {
  readonly side: string;
  readonly epoch: number;
  readonly batch: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** what overflowed, where it is neither the loss nor its gradient */ readonly what?: string | undefined;
}

/** What happened, with numbers, and the one advice that fits best. */
export function describeDivergence(
  found: Divergence & { readonly batches: number },
  settings: TrainSettings,
  data: Pick<PreparedData, 'train'>,
): string {
  const { side, epoch, batch, batches, loss, gradientNorm, learningRate, what } = found;
  const step = epoch * batches + batch + 1;
  return [
    `${side}: training diverged at step ${step} (epoch ${epoch + 1}, batch ${batch + 1} of ${batches}): ${what ?? `loss ${format(loss)}, gradient norm ${format(gradientNorm)}`}, learning rate ${learningRate}.`,
    adviceFor(settings, gradientNorm, largest(data.train.inputs.data)),
  ].join('\n');
}

function adviceFor(settings: TrainSettings, gradientNorm: number, largestInput: number): string {
  if (largestInput > 10 && !settings.data.standardize)
    return `Advice: inputs reach ${format(largestInput)}; pass --standardize so that every feature has deviation 1.`;
  if (settings.clipNorm === 0 && !(gradientNorm < 10))
    return 'Advice: the gradient exploded; pass --clip-norm 1, which bounds every step.';
  return `Advice: pass a smaller --learning-rate, for example ${format(settings.learningRate / 10)}.`;
}

function format(x: number): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(4))) : String(x);
}
