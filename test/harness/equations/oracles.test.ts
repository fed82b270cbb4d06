import { expect } from 'chai';
import * as keras from '../../fixtures/equations/keras.json';
import * as torch from '../../fixtures/equations/torch.json';
import type { Cell } from '../../../harness/equations/cell';
import { gru, gruResetAfter, lstm, simpleRnn } from '../../../harness/equations/cells/index';
import { derivativeAlong, evaluateNetwork } from '../../../harness/equations/interpret';
import { tensorsOf, type Layer, type Network, type NetworkProblem } from '../../../harness/equations/network';
import type { Tensor } from '../../../scratch/index';
import {
  gruLoop,
  gruResetAfterLoop,
  hardSigmoid,
  lstmLoop,
  minimalGatedUnitLoop,
  peepholeLstmLoop,
  simpleRnnLoop,
  type CellRun,
} from '../../oracles/gated-cells';
import { dual, type Dual, type Matrix, type Vector } from '../../support/dual';
import { scaledDifference } from '../../support/layer-problem';
import { minimalGatedUnit, peepholeLstm } from './cells';
import { generatedProblem, oneLayer } from './generated';

/** Loops over numbers, by cell; `weights` holds what the cell's formulas name. */
type Loop = (weights: never, steps: Matrix, start: { h: Vector; c: Vector }) => CellRun;
const loops: Readonly<Record<string, { cell: Cell; loop: Loop }>> = {
  'simple RNN': { cell: simpleRnn(), loop: (w, x, { h }) => simpleRnnLoop(w, x, h) },
  LSTM: { cell: lstm(), loop: (w, x, start) => lstmLoop(w, x, start) },
  'LSTM, hard sigmoid': {
    cell: lstm({ recurrentActivation: 'hardSigmoid' }),
    loop: (w, x, start) => lstmLoop(w, x, start, hardSigmoid),
  },
  GRU: { cell: gru(), loop: (w, x, { h }) => gruLoop(w, x, h) },
  'GRU, reset after': { cell: gruResetAfter(), loop: (w, x, { h }) => gruResetAfterLoop(w, x, h) },
  'peephole LSTM': { cell: peepholeLstm, loop: (w, x, start) => peepholeLstmLoop(w, x, start) },
  'minimal gated unit': { cell: minimalGatedUnit, loop: (w, x, { h }) => minimalGatedUnitLoop(w, x, h) },
};

describe('cells as formulas give the numbers of plain loops', () => {
  for (const [name, { cell, loop }] of Object.entries(loops))
    it(`${name}: states, and derivatives along random directions`, () => {
      const network = oneLayer(cell, 2, 3);
      for (const seed of [1, 2, 3]) {
        const { labels, ...problem } = generatedProblem(network, seed, { upstream: true });
        expect(labels).to.have.length(3);
        const direction = directionFor(problem, seed);
        const runs = byLoop(problem, direction, loop);
        const states = Float64Array.from(runs.flatMap(({ h }) => h.flat().map(({ value }) => value)));
        const answer = evaluateNetwork(network, problem);
        expect(scaledDifference(dataOf(answer, 'states.rnn'), states)).to.be.below(1e-14);
        const expected = weighed(problem, runs);
        const given = derivativeAlong(network, problem, direction);
        expect(Math.abs(given - expected)).to.be.below(1e-13 * Math.max(1, Math.abs(expected)));
        // the same derivative from the derived backward step: gradient · direction
        let dot = 0;
        for (const [path, rate] of direction)
          dataOf(answer, gradientOf(path)).forEach((d, i) => (dot += d * rate[i]));
        expect(Math.abs(dot - expected)).to.be.below(1e-13 * Math.max(1, Math.abs(expected)));
      }
    });
});

interface Fixture {
  readonly library: string;
  readonly cases: readonly {
    readonly name: string;
    readonly layers: readonly { name: string; cell: string; reversed?: boolean; options?: object }[];
    readonly problem: unknown;
    readonly expected: Readonly<Record<string, { shape: number[]; data: number[] }>>;
  }[];
}

const byName: Readonly<Record<string, (options: object) => Cell>> = {
  'simple-rnn': simpleRnn,
  lstm,
  gru,
  'gru-reset-after': gruResetAfter,
};

for (const fixture of [keras, torch] as unknown as Fixture[])
  describe(`cells as formulas give the float64 numbers of ${fixture.library}`, () => {
    for (const { name, layers, problem, expected } of fixture.cases)
      it(name, () => {
        const network = networkOf(layers);
        const answer = evaluateNetwork(network, revive(problem) as NetworkProblem);
        expect(Object.keys(expected).length).to.be.above(6);
        for (const [tensor, { shape, data }] of Object.entries(expected)) {
          expect(answer.get(tensor)?.shape, tensor).to.deep.equal(shape);
          expect(scaledDifference(dataOf(answer, tensor), data), tensor).to.be.below(2e-14);
        }
      });

    it('a damaged number is noticed', () => {
      const [{ layers, problem, expected }] = fixture.cases;
      const damaged = revive(problem) as NetworkProblem;
      damaged.weights['rnn']['recurrentKernel'].data[1] *= 1 + 1e-9;
      const answer = evaluateNetwork(networkOf(layers), damaged);
      expect(scaledDifference(dataOf(answer, 'states.rnn'), expected['states.rnn'].data)).to.be.above(1e-12);
    });
  });

function networkOf(list: Fixture['cases'][number]['layers']): Network {
  const layers: Layer[] = list.map(({ name, cell, reversed, options = {} }) => ({
    name,
    cell: byName[cell](options),
    units: 2,
    reads: 'inputs',
    ...(reversed === true && { reversed }),
  }));
  if (list.length === 2) layers.push({ name: 'both', merge: 'concat', of: [list[0].name, list[1].name] });
  return { features: 2, layers };
}

/** Number lists of the fixture as tensors. */
function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if ('shape' in value && 'data' in value)
    return { shape: value.shape, data: Float64Array.from(value.data as number[]) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

function dataOf(answer: ReadonlyMap<string, Tensor>, name: string): Float64Array {
  const tensor = answer.get(name);
  if (tensor === undefined) throw new Error(`no ${name} among ${[...answer.keys()].join(', ')}`);
  return tensor.data;
}

function gradientOf(path: string): string {
  const found = /^initialStates\.(.+)\.(.+)$/.exec(path);
  return found === null ? `gradients.${path}` : `gradients.${found[1]}.initial.${found[2]}`;
}

/** Random rates for the inputs, the weights of `rnn` and the initial states. */
function directionFor(problem: NetworkProblem, seed: number): Map<string, Float64Array> {
  const out = new Map<string, Float64Array>();
  let n = seed;
  for (const [path, { data }] of tensorsOf(problem)) {
    if (!/^(inputs|weights\.rnn|initialStates)/.test(path)) continue;
    out.set(
      path.replace('weights.', ''),
      data.map(() => Math.sin(12.9898 * n++)),
    );
  }
  return out;
}

/** Every example through the plain loop, in dual numbers along the direction. */
function byLoop(
  problem: NetworkProblem,
  direction: ReadonlyMap<string, Float64Array>,
  loop: Loop,
): CellRun[] {
  const duals = ({ data, shape }: Tensor, path: string): { flat: Dual[]; shape: readonly number[] } => ({
    flat: Array.from(data, (value, i) => dual(value, direction.get(path)?.[i] ?? 0)),
    shape,
  });
  const rowsOf = (flat: readonly Dual[], columns: number): Matrix =>
    Array.from({ length: flat.length / columns }, (_, i) => flat.slice(i * columns, (i + 1) * columns));
  const weights = Object.fromEntries(
    Object.entries(problem.weights['rnn']).map(([name, tensor]) => {
      const { flat, shape } = duals(tensor, `rnn.${name}`);
      return [name, shape.length === 1 ? flat : rowsOf(flat, shape[1])];
    }),
  );
  const [batch, timeSteps, features] = problem.inputs.shape;
  const steps = rowsOf(duals(problem.inputs, 'inputs').flat, features);
  const starts = Object.fromEntries(
    Object.entries(problem.initialStates?.['rnn'] ?? {}).map(([carry, tensor]) => [
      carry,
      rowsOf(duals(tensor, `initialStates.rnn.${carry}`).flat, tensor.shape[1]),
    ]),
  );
  return Array.from({ length: batch }, (_, b) =>
    loop(weights as never, steps.slice(b * timeSteps, (b + 1) * timeSteps), {
      h: starts['h'][b],
      c: (starts['c'] as Matrix | undefined)?.[b] ?? [],
    }),
  );
}

/** Rate of Σ upstream · states + Σ upstream · final states. */
function weighed(problem: NetworkProblem, runs: readonly CellRun[]): number {
  const { sequence, final } = problem.upstream?.['rnn'] ?? {};
  let rate = 0;
  runs.forEach(({ h, c }, b) => {
    h.forEach((row, t) => {
      row.forEach(
        ({ slope }, u) => (rate += slope * (sequence?.data[(b * h.length + t) * row.length + u] ?? 0)),
      );
    });
    for (const [carry, states] of Object.entries({ h, c }))
      states?.[states.length - 1].forEach(
        ({ slope }, u) => (rate += slope * (final?.[carry].data[b * h[0].length + u] ?? 0)),
      );
  });
  return rate;
}
