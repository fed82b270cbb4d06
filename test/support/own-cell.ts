import { defineCandidate, type CandidateLayersProblem } from '../../harness/index';

/** A cell that no framework has: an LSTM whose forget gate is 1 - i, with peepholes. */
export const ownCell = {
  name: 'coupled peephole',
  carries: ['h', 'c'],
  weights: { kernel: 'F, i g o', recurrentKernel: 'U, i g o', bias: 'i g o', peephole: 'i o' },
  equations: `
    i_t = σ(x_t · kernel[i] + h_(t-1) · recurrentKernel[i] + peephole[i] ∘ c_(t-1) + bias[i])
    g_t = tanh(x_t · kernel[g] + h_(t-1) · recurrentKernel[g] + bias[g])
    c_t = (1 - i_t) ∘ c_(t-1) + i_t ∘ g_t
    o_t = σ(x_t · kernel[o] + h_(t-1) · recurrentKernel[o] + peephole[o] ∘ c_t + bias[o])
    h_t = o_t ∘ tanh(c_t)
  `,
};

/** Mistakes that a person makes in it: two in the forward pass, two in the backward pass. */
export const ownCellMistakes = {
  'the output gate looks at the cell state before': 'forward',
  'the input gate keeps instead of 1 - i': 'forward',
  'dc lacks what arrives through the peephole of the output gate': 'backward',
  'the gradient of the output peephole is made with the cell state before': 'backward',
} as const;
type Mistake = keyof typeof ownCellMistakes;

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const zeros = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, () => new Array<number>(columns).fill(0));

/** The cell by plain loops in float64, forward and backward. */
export function ownCellCandidate(mistake?: Mistake) {
  const has = (one: Mistake): boolean => one === mistake;
  return defineCandidate({
    name: 'mine',
    precision: 'float64',
    layers: ['cell'],
    masks: true,
    evaluate({ inputs, initialStates, mask, targets, upstream, weights: [own] }: CandidateLayersProblem) {
      const { kernel, recurrentKernel, bias, peephole } = own;
      const units = bias.length / 3;
      const all = [...Array(units).keys()];
      const [B, T, F] = [inputs.length, inputs[0].length, kernel.length];
      const z = (x: number[], h: number[], column: number): number =>
        bias[column] +
        x.reduce((sum, value, f) => sum + value * kernel[f][column], 0) +
        h.reduce((sum, value, k) => sum + value * recurrentKernel[k][column], 0);
      const step = (x: number[], before: { h: number[]; c: number[] }) => {
        const i = all.map((u) => sigmoid(z(x, before.h, u) + peephole[u] * before.c[u]));
        const g = all.map((u) => Math.tanh(z(x, before.h, units + u)));
        const kept = i.map((gate) => (has('the input gate keeps instead of 1 - i') ? gate : 1 - gate));
        const c = all.map((u) => kept[u] * before.c[u] + i[u] * g[u]);
        const seen = has('the output gate looks at the cell state before') ? before.c : c;
        const o = all.map((u) => sigmoid(z(x, before.h, 2 * units + u) + peephole[units + u] * seen[u]));
        return { x, before, i, g, c, o, h: all.map((u) => o[u] * Math.tanh(c[u])) };
      };
      const zero = all.map(() => 0);
      const initial = (b: number) => ({
        h: initialStates?.[0]['h'][b] ?? zero,
        c: initialStates?.[0]['c'][b] ?? zero,
      });
      const walks = inputs.map((steps, b) => {
        let state = initial(b);
        return steps.map((x, t) => {
          if (mask?.[b][t] === 0) return { state, made: undefined };
          const made = step(x, state);
          state = { h: made.h, c: made.c };
          return { state, made };
        });
      });
      const last = walks.map((walk) => walk[T - 1].state);
      const wanted = targets as number[][] | undefined;
      const errors = wanted && last.flatMap(({ h }, b) => h.map((x, u) => x - wanted[b][u]));
      const d = {
        kernel: zeros(F, 3 * units),
        recurrentKernel: zeros(units, 3 * units),
        bias: [...zeros(1, 3 * units)[0]],
        peephole: [...zeros(1, 2 * units)[0]],
      };
      const atLogits = upstream?.logits as number[][] | undefined;
      const arriving = upstream?.finalStates?.[0] as Partial<Record<'h' | 'c', number[][]>> | undefined;
      const back = walks.map((walk, b) => {
        let dh = all.map(
          (u) =>
            (atLogits?.[b][u] ?? 0) +
            (arriving?.['h']?.[b][u] ?? 0) +
            (errors ? (2 * errors[b * units + u]) / (B * units) : 0),
        );
        let dc = all.map((u) => arriving?.['c']?.[b][u] ?? 0);
        const dInputs = zeros(T, F);
        for (let t = T - 1; t >= 0; t--) {
          const { made } = walk[t];
          if (made === undefined) continue;
          const { x, before, i, g, c, o } = made;
          const dO = all.map((u) => dh[u] * Math.tanh(c[u]) * o[u] * (1 - o[u]));
          const through = has('dc lacks what arrives through the peephole of the output gate') ? 0 : 1;
          const dC = all.map(
            (u) => dc[u] + dh[u] * o[u] * (1 - Math.tanh(c[u]) ** 2) + through * dO[u] * peephole[units + u],
          );
          const dI = all.map((u) => dC[u] * (g[u] - before.c[u]) * i[u] * (1 - i[u]));
          const dG = all.map((u) => dC[u] * i[u] * (1 - g[u] ** 2));
          const dz = [...dI, ...dG, ...dO];
          const cellSeen = has('the gradient of the output peephole is made with the cell state before')
            ? before.c
            : c;
          dz.forEach((value, column) => {
            x.forEach((input, f) => (d.kernel[f][column] += input * value));
            before.h.forEach((h, k) => (d.recurrentKernel[k][column] += h * value));
            d.bias[column] += value;
          });
          for (const u of all) {
            d.peephole[u] += before.c[u] * dI[u];
            d.peephole[units + u] += cellSeen[u] * dO[u];
          }
          const times = (row: number[]): number => row.reduce((sum, w, column) => sum + w * dz[column], 0);
          dInputs[t] = kernel.map(times);
          dh = recurrentKernel.map(times);
          dc = all.map((u) => dC[u] * (1 - i[u]) + dI[u] * peephole[u]);
        }
        return { dh, dc, dInputs };
      });
      return {
        sequences: [{ h: walks.map((walk) => walk.map(({ state }) => state.h)) }],
        finalStates: [{ h: last.map(({ h }) => h), c: last.map(({ c }) => c) }],
        logits: last.map(({ h }) => h),
        loss: errors && errors.reduce((sum, e) => sum + e * e, 0) / errors.length,
        ...((errors ?? upstream) && {
          gradients: {
            inputs: back.map(({ dInputs }) => dInputs),
            weights: [d],
            initialStates: [{ h: back.map(({ dh }) => dh), c: back.map(({ dc }) => dc) }],
          },
        }),
      };
    },
  });
}
