import { importedWeights, mapTensor, runsOf, weightOff, type WeightName } from '../../faults/index';
import type { Problem } from '../../base/problem';
import { stepsOfNetwork, type NetworkStep } from '../../budget/index';
import { asOutcome, equationsOf } from '../../equations/index';
import type { SideReading } from './reading';
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
export function fittedWeightSuspects(reading: SideReading): Suspect[] {
  const steps = stepsOf(reading);
  const systems = [ofStates(reading, steps.get('rnn.h')), ofLogits(reading, steps.get('logits'))];
  return systems.flatMap((equations) =>
    equations === undefined
      ? []
      : [...singleWeights(equations, reading.problem), ...wholeWeights(equations, reading.problem)],
  );
}

/** h_t from the answer's own h_{t-1} */
function ofStates({ problem }: SideReading, step: NetworkStep | undefined): Equations | undefined {
  if (step === undefined) return undefined;
  const { value, given, shape } = step;
  const { inputs, initialState, mask } = problem;
  const [batch, timeSteps, units] = shape;
  const before = given.map((_, i) => {
    if (Math.floor(i / units) % timeSteps > 0) return given[i - units];
    return initialState?.data[Math.floor(i / (timeSteps * units)) * units + (i % units)] ?? 0;
  });
  return {
    rows: batch * timeSteps,
    columns: units,
    residual: value.map((h, i) => given[i] - h),
    slope: value.map((h, i) => (mask?.data[Math.floor(i / units)] === 0 ? 0 : 1 - h * h)),
    sources: [
      { name: 'kernel', values: inputs.data, n: inputs.shape[2] },
      { name: 'recurrentKernel', values: before, n: units },
      { name: 'bias', values: new Float64Array(batch * timeSteps).fill(1), n: 1 },
    ],
  };
}

/** y from the answer's own h_T */
function ofLogits({ given: answer }: SideReading, step: NetworkStep | undefined): Equations | undefined {
  const final = answer.get('finalState');
  if (final === undefined || step === undefined) return undefined;
  const { value, given, shape } = step;
  const columns = shape[shape.length - 1];
  const rows = value.length / columns;
  return {
    rows,
    columns,
    residual: value.map((y, i) => given[i] - y),
    slope: value.map(() => 1),
    sources: [
      { name: 'outputKernel', values: final.data, n: final.shape[1] },
      { name: 'outputBias', values: new Float64Array(rows).fill(1), n: 1 },
    ],
  };
}

/** Every equation of the forward pass that the answer shows, from the answer's own numbers before it. */
function stepsOf({ problem, given, budget }: SideReading): ReadonlyMap<string, NetworkStep> {
  const equations = equationsOf(problem);
  const { labels, upstream, ...forward } = equations.problem;
  const outcome = asOutcome(equations, (name) => given.get(name));
  return stepsOfNetwork(equations.network, forward, outcome, budget.model);
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
        runs: runsOf(
          importedWeights(({ [name]: own }) => own && { [name]: mapTensor(own, (x) => x * factor) }),
          'forward',
        ),
      },
    ];
  });
}
