import { checkMemory, checkOptions, checkSize, createRandom, type OptionNames } from '../../../scratch/index';
import type { SequenceData } from './sequences';

function full(n: number, timeSteps: number): Int32Array {
  return new Int32Array(n).fill(timeSteps);
}

const names = (classes: number): string[] => Array.from({ length: classes }, (_, c) => String(c));

/** The notebook's random example: 10 sequences of 5 steps and 2 features from N(0, 1), labels drawn from 3 classes. */
export function notebookData(seed: number): SequenceData {
  const random = createRandom(seed);
  const data = Float64Array.from({ length: 10 * 5 * 2 }, () => random.normal());
  const labels = Int32Array.from({ length: 10 }, () => random.integer(3));
  return {
    source: 'notebook',
    inputs: { data, shape: [10, 5, 2] },
    lengths: full(10, 5),
    labels,
    classNames: names(3),
    skipped: 0,
  };
}

export interface MemoryOptions {
  readonly seed: number;
  /** steps from the symbol to the question, at least 1 */ readonly timeSteps: number;
  /** default 2000 */ readonly examples?: number;
  /** default 4 */ readonly symbols?: number;
}

const memoryOptions: OptionNames<MemoryOptions> = {
  seed: true,
  timeSteps: true,
  examples: true,
  symbols: true,
};

/**
 * Recall the first symbol: each step is a one-hot symbol, the label is that of step 0. The longer the sequence, the further the
 * gradient has to travel (Bengio, Simard, Frasconi 1994).
 */
export function memoryData(options: MemoryOptions): SequenceData {
  checkOptions(options, memoryOptions, 'memoryData');
  const { seed, timeSteps, examples = 2000, symbols = 4 } = options;
  for (const [name, size] of Object.entries({ timeSteps, examples, symbols }))
    checkSize(`memory: ${name}`, size);
  checkMemory(`memory: ${examples} examples of ${timeSteps} time steps`, [examples, timeSteps, symbols]);
  const random = createRandom(seed);
  const data = new Float64Array(examples * timeSteps * symbols);
  const labels = new Int32Array(examples);
  for (let n = 0; n < examples; n++) {
    for (let t = 0; t < timeSteps; t++) {
      const symbol = random.integer(symbols);
      data[(n * timeSteps + t) * symbols + symbol] = 1;
      if (t === 0) labels[n] = symbol;
    }
  }
  return {
    source: 'memory',
    inputs: { data, shape: [examples, timeSteps, symbols] },
    lengths: full(examples, timeSteps),
    labels,
    classNames: names(symbols),
    skipped: 0,
  };
}
