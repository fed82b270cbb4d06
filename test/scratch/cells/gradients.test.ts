import { expect } from 'chai';
import * as fc from 'fast-check';
import { Stack, type LayerConfig, type Tensor } from '../../../scratch/index';
import { activations } from '../../../scratch/cells/activations';
import { add, dual, exp, subtract, sum, tanh, times, type Dual, type Vector } from '../../support/dual';
import { solve, stackProblem, stackProblems, variablesOf, withSequences } from '../../support/stack-problem';

/** Of the gradient's scale. */
const tolerance = 1e-10;
const largest = (data: Float64Array) => data.reduce((m, x) => Math.max(m, Math.abs(x)), 0);

const one = dual(1);
const negative = (x: Dual) => subtract(dual(0), x);
/** 1 / x */
const inverse = (x: Dual) => dual(1 / x.value, -x.slope / x.value ** 2);
const sigmoid = (z: Dual) => inverse(add(one, exp(negative(z))));
const blend = (z: Dual, old: Dual, fresh: Dual) => add(times(z, old), times(subtract(one, z), fresh));

type Read = (name: 'kernel' | 'recurrentKernel' | 'bias', row: number, column: number) => Dual;
/** Σ_k v_k · name[k][column] */
const column = (read: Read, name: 'kernel' | 'recurrentKernel', v: Vector, c: number) =>
  sum(v.map((x, k) => times(x, read(name, k, c))));

/** One step of one example in dual numbers, unit by unit: [h] or [h, c]. It shares nothing with scratch/. */
const dualSteps: Record<string, (read: Read, U: number, x: Vector, states: readonly Vector[]) => Vector[]> = {
  lstm: (read, U, x, [h, c]) => {
    const gate = (g: number, u: number) => {
      const at = g * U + u;
      return sum([
        column(read, 'kernel', x, at),
        column(read, 'recurrentKernel', h, at),
        read('bias', 0, at),
      ]);
    };
    const cell = c.map((before, u) =>
      add(times(sigmoid(gate(1, u)), before), times(sigmoid(gate(0, u)), tanh(gate(2, u)))),
    );
    return [cell.map((value, u) => times(sigmoid(gate(3, u)), tanh(value))), cell];
  },
  'gru, reset before': (read, U, x, [h]) => {
    const gate = (g: number, u: number, state: Vector) => {
      const at = g * U + u;
      const recurrent = column(read, 'recurrentKernel', state, at);
      return sum([column(read, 'kernel', x, at), recurrent, read('bias', 0, at)]);
    };
    const reset = h.map((value, u) => times(sigmoid(gate(1, u, h)), value));
    return [h.map((value, u) => blend(sigmoid(gate(0, u, h)), value, tanh(gate(2, u, reset))))];
  },
  'gru, reset after': (read, U, x, [h]) => {
    const fromInput = (g: number, u: number) =>
      add(column(read, 'kernel', x, g * U + u), read('bias', 0, g * U + u));
    const fromState = (g: number, u: number) =>
      add(column(read, 'recurrentKernel', h, g * U + u), read('bias', 1, g * U + u));
    return [
      h.map((value, u) => {
        const [z, r] = [0, 1].map((g) => sigmoid(add(fromInput(g, u), fromState(g, u))));
        return blend(z, value, tanh(add(fromInput(2, u), times(r, fromState(2, u)))));
      }),
    ];
  },
};
const dualLayers: Record<keyof typeof dualSteps, LayerConfig> = {
  lstm: { layer: 'lstm', units: 3 },
  'gru, reset before': { layer: 'gru', units: 3, resetAfter: false },
  'gru, reset after': { layer: 'gru', units: 3 },
};

/** d/ds f(s) at 0, by central differences of order 8. */
function differentiate(f: (s: number) => number, h: number): number {
  const weights = [4 / 5, -1 / 5, 4 / 105, -1 / 280];
  return weights.reduce((total, w, i) => total + (w * (f((i + 1) * h) - f(-(i + 1) * h))) / h, 0);
}

describe('scratch layers: gradients against independent derivatives', () => {
  for (const [name, layer] of Object.entries(dualLayers)) {
    for (const masked of [false, true]) {
      it(`${name}${masked ? ', masked' : ''}: every gradient equals its dual-number derivative to 1e-10`, () => {
        const [B, T, F, U] = [2, 4, 2, 3];
        const p = stackProblem(31, { features: F, layers: [withSequences(layer)] }, { B, T }, masked);
        const variables = variablesOf(p, solve(p));
        const objective = (moved: string, at: number): Dual => {
          const numbers = new Map(
            variables.map(({ name, value: { data } }) => [
              name,
              Array.from(data, (x, i) => dual(x, name === moved && i === at ? 1 : 0)),
            ]),
          );
          const read: Read = (key, row, c) => {
            const flat = numbers.get(`${key}[0]`)!;
            const width = p.stack.layers[0].shapes[key].at(-1)!;
            return flat[row * width + c];
          };
          const part = (key: string, from: number, width: number) =>
            numbers.get(key)!.slice(from * width, (from + 1) * width);
          const terms: Dual[] = [];
          for (let b = 0; b < B; b++) {
            let states = p.initialStates[0].map((_, k) => part(`initialStates[0][${k}]`, b, U));
            for (let t = 0; t < T; t++) {
              const exists = p.mask?.data[b * T + t] !== 0;
              if (exists)
                states = dualSteps[name](read, U, part('inputs', b * T + t, F), states).map((v) => [...v]);
              states[0].forEach((h, u) =>
                terms.push(times(h, dual(p.upstream.outputs.data[(b * T + t) * U + u]))),
              );
            }
            states.forEach((v, k) =>
              v.forEach((x, u) => terms.push(times(x, dual(p.upstream.finalStates[0][k].data[b * U + u])))),
            );
          }
          return sum(terms);
        };
        for (const { name: key, gradient } of variables) {
          const scale = largest(gradient.data);
          gradient.data.forEach((g, i) =>
            expect(Math.abs(objective(key, i).slope - g), `${key} at ${i}`).to.be.at.most(tolerance * scale),
          );
        }
      });
    }
  }

  it('any stack: every gradient equals differences of the stack itself to 1e-10 of the scale', () => {
    // the differences need functions without kinks; hard sigmoids are held to Keras's numbers (vectors.test.ts)
    const smooth = stackProblems.filter(({ stack }) => !JSON.stringify(stack.config).includes('hard'));
    fc.assert(
      fc.property(smooth, (p) => {
        const variables = variablesOf(p, solve(p));
        const dot = (x: Tensor, y: Tensor) => x.data.reduce((s, value, i) => s + value * y.data[i], 0);
        // variablesOf gives the initial states and inputs of p themselves, and copies of the weights
        const weights = p.stack.getWeights();
        const live = variables.map((v, i) => {
          const flat = weights.flatMap((layer) => Object.values(layer));
          return i < flat.length ? flat[i] : v.value;
        });
        const objective = () => {
          const stack = new Stack({ ...p.stack.config, weights });
          const { outputs, finalStates } = solve({ ...p, stack });
          const states = finalStates.flatMap((layer, i) =>
            layer.map((state, k) => dot(state, p.upstream.finalStates[i][k])),
          );
          return states.reduce((s, x) => s + x, dot(outputs, p.upstream.outputs));
        };
        const size = Math.max(1, ...variables.map(({ gradient }) => largest(gradient.data)));
        variables.forEach(({ name, gradient }, v) => {
          const { data } = live[v];
          const i = (v * 7) % data.length; // one element of each: the dual numbers above look at all
          const value = data[i];
          const slope = differentiate((s) => {
            data[i] = value + s;
            const result = objective();
            data[i] = value;
            return result;
          }, 0.003);
          expect(Math.abs(slope - gradient.data[i]), name).to.be.at.most(tolerance * size);
        });
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it('the slope of every activation is its derivative, and at the edges of a hard sigmoid that of the inside', () => {
    const f = (name: keyof typeof activations, z: number) => {
      const values = Float64Array.of(z);
      activations[name].apply(values, values, 0, 1);
      return values[0];
    };
    for (const name of Object.keys(activations) as (keyof typeof activations)[]) {
      for (const z of [-20, -4, -2.6, -1.3, -0.2, 0.4, 1.7, 2.9, 3.5, 15]) {
        const slope = differentiate((s) => f(name, z + s), 0.003);
        expect(activations[name].slope(f(name, z), z), `${name} at ${z}`).to.be.closeTo(slope, 1e-11);
      }
    }
    for (const [name, edge, inside] of [
      ['hardSigmoid', 2.5, 0.2],
      ['hardSigmoidKeras3', 3, 1 / 6],
    ] as const) {
      for (const z of [-edge, edge]) expect(activations[name].slope(f(name, z), z)).to.equal(inside);
      for (const z of [-edge - 1e-9, edge + 1e-9]) expect(activations[name].slope(f(name, z), z)).to.equal(0);
    }
    expect(activations.relu.slope(0)).to.equal(0);
  });
});
