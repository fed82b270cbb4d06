import { importedWeights, mapTensor, networkWith, weightOff, type WeightName } from '../../faults/index';
import { sizesOf, type Problem } from '../../base/problem';
import type { Reading } from './reading';
import type { Suspect } from './suspect';

/** One sample of the equation of one unit: the residual is source times what is wrong with the weight, times the slope. */
interface Equations {
  readonly rows: number;
  readonly columns: number;
  /** [rows * columns] what the answer's state is too large by, given its own state before */ readonly residual: Float64Array;
  /** [rows * columns] how much the state moves when its pre-activation does */ readonly slope: Float64Array;
  /** what each row of a weight is multiplied by, [rows * n] with n rows of the weight */
  readonly sources: readonly {
    readonly name: WeightName;
    readonly values: Float64Array;
    readonly n: number;
  }[];
}

/**
 * A single number of a weight that is off, or a whole weight by a factor: by how much is fitted by least squares to what each state
 * (each logit) is too large by, given the answer's own states before it.
 */
export function fittedWeightSuspects(reading: Reading): Suspect[] {
  const systems = [ofStates(reading), ofLogits(reading)];
  return systems.flatMap((equations) =>
    equations === undefined
      ? []
      : [...singleWeights(equations, reading.problem), ...wholeWeights(equations, reading.problem)],
  );
}

function ofStates({ given, problem }: Reading): Equations | undefined {
  const states = given.get('states');
  const { batch, timeSteps, units, features } = sizesOf(problem);
  if (states?.data.length !== batch * timeSteps * units) return undefined;
  const rows = batch * timeSteps;
  const before = new Float64Array(rows * units);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < timeSteps; t++)
      for (let j = 0; j < units; j++)
        before[(b * timeSteps + t) * units + j] =
          t === 0
            ? (problem.initialState?.data[b * units + j] ?? 0)
            : states.data[(b * timeSteps + t - 1) * units + j];
  const { kernel, recurrentKernel, bias } = problem.weights;
  const residual = new Float64Array(rows * units);
  const slope = new Float64Array(rows * units);
  for (let row = 0; row < rows; row++) {
    if (problem.mask?.data[row] === 0) continue;
    for (let j = 0; j < units; j++) {
      let z = bias.data[j];
      for (let f = 0; f < features; f++)
        z += problem.inputs.data[row * features + f] * kernel.data[f * units + j];
      for (let i = 0; i < units; i++) z += before[row * units + i] * recurrentKernel.data[i * units + j];
      const h = Math.tanh(z);
      residual[row * units + j] = states.data[row * units + j] - h;
      slope[row * units + j] = 1 - h * h;
    }
  }
  return {
    rows,
    columns: units,
    residual,
    slope,
    sources: [
      { name: 'kernel', values: problem.inputs.data, n: features },
      { name: 'recurrentKernel', values: before, n: units },
      { name: 'bias', values: new Float64Array(rows).fill(1), n: 1 },
    ],
  };
}

function ofLogits({ given, problem }: Reading): Equations | undefined {
  const [final, logits] = [given.get('finalState'), given.get('logits')];
  const { outputKernel, outputBias } = problem.weights;
  if (final === undefined || logits === undefined || outputKernel === undefined || outputBias === undefined)
    return undefined;
  const [units, classes] = outputKernel.shape;
  const rows = problem.inputs.shape[0];
  if (logits.data.length !== rows * classes || final.data.length !== rows * units) return undefined;
  const residual = logits.data.map((y, i) => {
    const [b, c] = [Math.floor(i / classes), i % classes];
    let sum = outputBias.data[c];
    for (let j = 0; j < units; j++) sum += final.data[b * units + j] * outputKernel.data[j * classes + c];
    return y - sum;
  });
  return {
    rows,
    columns: classes,
    residual,
    slope: new Float64Array(rows * classes).fill(1),
    sources: [
      { name: 'outputKernel', values: final.data, n: units },
      { name: 'outputBias', values: new Float64Array(rows).fill(1), n: 1 },
    ],
  };
}

/** The few single weights that leave the least of the residuals, best first. */
function singleWeights({ rows, columns, residual, slope, sources }: Equations, problem: Problem): Suspect[] {
  const total = residual.reduce((sum, r) => sum + r * r, 0);
  const fits = sources.flatMap(({ name, values, n }) =>
    Array.from({ length: n * columns }, (_, index) => {
      const [i, j] = [Math.floor(index / columns), index % columns];
      let [both, square] = [0, 0];
      for (let row = 0; row < rows; row++) {
        const move = values[row * n + i] * slope[row * columns + j];
        both += move * residual[row * columns + j];
        square += move * move;
      }
      const off = square === 0 ? 0 : both / square;
      return { name, index, off, rest: total - off * both };
    }),
  );
  return fits
    .filter(({ off }) => Number.isFinite(off) && off !== 0)
    .sort((a, b) => a.rest - b.rest)
    .slice(0, 4)
    .map(({ name, index, off }) => {
      const own = problem.weights[name]?.data[index] ?? 0;
      const at =
        name === 'bias' || name === 'outputBias' ? [index] : [Math.floor(index / columns), index % columns];
      const share = own === 0 ? '' : `, ${Number((100 * Math.abs(off / own)).toPrecision(2))} %`;
      return {
        ...weightOff(name, index, (x) => x + off),
        words: `one number of ${name}, [${at.join(', ')}], is too ${off > 0 === own >= 0 ? 'large' : 'small'} (by ${Number(Math.abs(off).toPrecision(2))}${share})`,
      };
    });
}

/** The one factor on a whole weight that fits the residuals best, for each weight. */
function wholeWeights({ rows, columns, residual, slope, sources }: Equations, problem: Problem): Suspect[] {
  return sources.flatMap(({ name, values, n }) => {
    const weight = problem.weights[name]?.data;
    if (weight === undefined) return [];
    let [both, square] = [0, 0];
    for (let row = 0; row < rows; row++)
      for (let j = 0; j < columns; j++) {
        let share = 0;
        for (let i = 0; i < n; i++) share += values[row * n + i] * weight[i * columns + j];
        const move = share * slope[row * columns + j];
        both += move * residual[row * columns + j];
        square += move * move;
      }
    const factor = 1 + both / square;
    if (!Number.isFinite(factor) || Number(factor.toPrecision(4)) === 1) return [];
    return [
      {
        name: 'weights/factor',
        words: `the whole ${name} is ${Number(factor.toPrecision(4))} times what it should be`,
        family: 'weights-import',
        phase: name.startsWith('output') ? 'loss' : 'forward',
        network: networkWith(
          importedWeights(({ [name]: own }) => own && { [name]: mapTensor(own, (x) => x * factor) }),
        ),
      },
    ];
  });
}
