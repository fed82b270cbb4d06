import type { Tensor } from '../../../scratch/index';
import type { Evaluation, Implementation, Precision, Problem } from '../../../harness/base/problem';

type Row = readonly number[];
type Rows = readonly Row[];
/** Rounds one result to the program's precision. */
type Round = (x: number) => number;
/** x_1 y_1 + x_2 y_2 + ... */
type Dot = (xs: Row, ys: Row, round: Round) => number;

/** How one correct program writes the network down; absent: the first of the alternatives. */
export interface Form {
  readonly name: string;
  readonly precision: Precision;
  readonly dot?: Dot;
  readonly tanh?: (z: number, round: Round) => number;
  /** tanh' as 1 - h², (1 - h)(1 + h), 1 / cosh²z, or 4e^-2|z| / (1 + e^-2|z|)² */
  readonly slope?: 'square' | 'product' | 'cosh' | 'exponentials';
  /** where the mean over the batch divides: in dLogits (by B, or times 1/B), at the end of every gradient, or in each dz_t */
  readonly mean?: 'logits' | 'reciprocal' | 'last' | 'layer';
  /** where the bias enters z: added at the end, first in the sum, or as one more row of the joined kernel */
  readonly bias?: 'last' | 'first' | 'joined';
  /** log(sum e^(y-m)) - (y-m); log(sum e^y) - y, or -log p, both without a shift while no y exceeds 40 */
  readonly loss?: 'shifted' | 'plain' | 'logarithm';
  /** the sums over time: step by step from the end, from the start, or all steps in one sum */
  readonly sums?: 'backwards' | 'forwards' | 'flat';
}

const dots = {
  sequential: (xs, ys, round) => xs.reduce((sum, x, i) => round(sum + round(x * ys[i])), 0),
  reversed: (xs, ys, round) => xs.reduceRight((sum, x, i) => round(sum + round(x * ys[i])), 0),
  pairwise: (xs, ys, round) => {
    const tree = (from: number, to: number): number => {
      if (to - from < 2) return to === from ? 0 : round(xs[from] * ys[from]);
      const half = (from + to) >> 1;
      return round(tree(from, half) + tree(half, to));
    };
    return tree(0, xs.length);
  },
  /** Kahan 1965 */
  compensated: (xs, ys, round) => {
    let [sum, lost] = [0, 0];
    xs.forEach((x, i) => {
      const term = round(round(x * ys[i]) - lost);
      const next = round(sum + term);
      lost = round(round(next - sum) - term);
      sum = next;
    });
    return sum;
  },
  lanes: (xs, ys, round) => {
    const lanes = [0, 0, 0, 0];
    xs.forEach((x, i) => (lanes[i % 4] = round(lanes[i % 4] + round(x * ys[i]))));
    return round(round(lanes[0] + lanes[2]) + round(lanes[1] + lanes[3]));
  },
  /** product and sum rounded once together; in double precision by an exact product (Dekker 1971) and an exact sum (Knuth) */
  fused: (xs, ys, round) => {
    let sum = 0;
    xs.forEach((x, i) => {
      const y = ys[i];
      const product = x * y;
      if (round(0.1) !== 0.1) return void (sum = round(sum + product));
      const [a, b] = [x * 134217729, y * 134217729];
      const [x1, y1] = [a - (a - x), b - (b - y)];
      const low = (x - x1) * (y - y1) - (product - x1 * y1 - (x - x1) * y1 - x1 * (y - y1));
      const next = sum + product;
      const part = next - sum;
      const exact = Number.isFinite(a * b) ? sum - (next - part) + (product - part) + low : 0;
      sum = next + exact;
    });
    return sum;
  },
  /** stored in single precision, summed in double */
  wide: (xs, ys, round) => round(xs.reduce((sum, x, i) => sum + x * ys[i], 0)),
} as const satisfies Record<string, Dot>;

const tanhs: Record<'exponentials' | 'expm1' | 'rational' | 'fraction', NonNullable<Form['tanh']>> = {
  exponentials: (z, round) => {
    const e = round(Math.exp(round(2 * z)));
    return round(1 - round(2 / round(e + 1)));
  },
  expm1: (z, round) => {
    const e = round(Math.expm1(round(-2 * Math.abs(z))));
    return round(Math.sign(z) * round(-e / round(2 + e)));
  },
  /** the rational function of Eigen 3.3 for single precision */
  rational: (z, round) => {
    const x = Math.min(7.90531110763549805, Math.max(-7.90531110763549805, z));
    const x2 = round(x * x);
    const horner = (coefficients: Row): number =>
      coefficients.reduce((sum, c) => round(round(sum * x2) + round(c)), 0);
    const p = horner([
      -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8,
      1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3,
    ]);
    const q = horner([1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3]);
    return Math.abs(z) < 4e-4 ? z : round(round(x * p) / q);
  },
  /** Lambert's continued fraction x / (1 + x² / (3 + x² / (5 + ...))) up to 1, exponentials beyond */
  fraction: (z, round) => {
    if (Math.abs(z) > 1) return Math.sign(z) * tanhs.exponentials(Math.abs(z), round);
    const x2 = round(z * z);
    let below = 21;
    for (let k = 19; k >= 1; k -= 2) below = round(k + round(x2 / below));
    return round(z / below);
  },
};

/** Written for these tests, without a look at the harness's own networks: each form is a program that is right. */
export function honestProgram(form: Form): Implementation {
  const { name, precision } = form;
  return { name, precision, evaluate: (problem) => evaluate(problem, form) };
}

function evaluate(problem: Problem, form: Form): Evaluation {
  const round: Round = form.precision === 'float32' ? Math.fround : (x) => x;
  const dot = (xs: Row, ys: Row): number => (form.dot ?? dots.sequential)(xs, ys, round);
  const tanh = (z: number): number => (form.tanh ?? ((x) => round(Math.tanh(x))))(z, round);
  const plus = (xs: Row, ys: Row | undefined): Row =>
    ys === undefined ? xs : xs.map((x, i) => round(x + ys[i]));
  const scaled = (rows: Rows, by: (x: number) => number): Rows => rows.map((row) => row.map(by));
  const product = (left: Rows, columns: Rows): Rows => left.map((row) => columns.map((c) => dot(row, c)));

  const [B, T] = problem.inputs.shape;
  const { weights, upstream, labels } = problem;
  const [kernel, recurrentKernel] = [rowsOf(weights.kernel), rowsOf(weights.recurrentKernel)];
  const bias = [...weights.bias.data];
  const U = bias.length;
  const steps = (tensor: Tensor): Rows[] => rowsOf3(tensor);
  const x = steps(problem.inputs);
  const mask = problem.mask === undefined ? undefined : rowsOf(problem.mask);
  const start = problem.initialState ? rowsOf(problem.initialState) : x.map(() => bias.map(() => 0));

  // forward, one example after the other
  const [columns, recurrentColumns] = [turned(kernel), turned(recurrentKernel)];
  const z = x.map((): Row[] => []);
  const h = x.map((example, b) => {
    const states = [start[b]];
    example.forEach((xt, t) => {
      const before = states[t];
      const zt = bias.map((c, j) => {
        if (form.bias === 'joined')
          return dot([...xt, ...before, 1], [...columns[j], ...recurrentColumns[j], c]);
        if (form.bias === 'first')
          return round(dot([1, ...xt], [c, ...columns[j]]) + dot(before, recurrentColumns[j]));
        return round(round(dot(xt, columns[j]) + dot(before, recurrentColumns[j])) + c);
      });
      z[b].push(zt);
      states.push(mask?.[b][t] === 0 ? before : zt.map(tanh));
    });
    return states;
  });
  const last = h.map((states) => states[T]);
  const answer: { -readonly [K in keyof Evaluation]: Evaluation[K] } = {
    states: tensorOf(
      h.flatMap((s) => s.slice(1)),
      [B, T, U],
    ),
    finalState: tensorOf(last, [B, U]),
  };

  // output layer and loss
  const byMean = (v: number): number => round(form.mean === 'reciprocal' ? v * round(1 / B) : v / B);
  const late = form.mean === 'last' || form.mean === 'layer';
  const closing: Round = form.mean === 'last' ? byMean : (v) => v;
  let dh: Rows = start.map((row) => row.map(() => 0));
  let output = {};
  if (weights.outputKernel !== undefined && weights.outputBias !== undefined) {
    const C = weights.outputBias.data.length;
    const outputKernel = rowsOf(weights.outputKernel);
    const c = [...weights.outputBias.data];
    const y = product(last, turned(outputKernel)).map((row) => plus(row, c));
    const softmax = y.map((row) => {
      const top = row.reduce((m, v) => Math.max(m, v), -Infinity);
      const isPlain =
        form.loss !== undefined && form.loss !== 'shifted' && row.every((v) => Math.abs(v) < 40);
      const shifted = isPlain ? row : row.map((v) => round(v - top));
      const powers = shifted.map((v) => round(Math.exp(v)));
      const sum = dot(
        powers,
        powers.map(() => 1),
      );
      return { shifted, sum, p: powers.map((v) => round(v / sum)) };
    });
    answer.logits = tensorOf(y, [B, C]);
    answer.probabilities = tensorOf(
      softmax.map(({ p }) => p),
      [B, C],
    );
    if (labels !== undefined) {
      const losses = softmax.map(({ shifted, sum, p }, b) => {
        // a probability of zero has no logarithm: such a program falls back
        const isLogarithm = form.loss === 'logarithm' && p[labels[b]] > 1e-30;
        return isLogarithm
          ? round(-round(Math.log(p[labels[b]])))
          : round(round(Math.log(sum)) - shifted[labels[b]]);
      });
      const ones = losses.map(() => 1);
      answer.loss = { data: Float64Array.of(round(dot(losses, ones) / B)), shape: [] };
      const residual = softmax.map(({ p }, b) => p.map((v, k) => round(v - (k === labels[b] ? 1 : 0))));
      const dy = late ? residual : scaled(residual, byMean);
      const end: Round = form.mean === 'layer' ? byMean : closing;
      output = {
        outputKernel: tensorOf(scaled(product(turned(last), turned(dy)), end), [U, C]),
        outputBias: tensorOf(scaled(product([ones], turned(dy)), end), [C]),
      };
      dh = product(dy, outputKernel);
    }
  }
  if (labels === undefined && upstream === undefined) return answer;

  // backwards; with a late mean, what arrives from elsewhere is multiplied by B to be divided again
  const arriving: Round = late && labels !== undefined ? (v) => round(v * B) : (v) => v;
  const isLate = late && labels !== undefined;
  const finalUpstream = upstream?.finalState && scaled(rowsOf(upstream.finalState), arriving);
  const stateUpstream = upstream?.states && steps(upstream.states).map((rows) => scaled(rows, arriving));
  dh = dh.map((row, b) => plus(row, finalUpstream?.[b]));
  const slope = (zt: number, ht: number): ((d: number) => number) => {
    if (form.slope === 'product') return (d) => round(d * round(round(1 - ht) * round(1 + ht)));
    if (form.slope === 'cosh') {
      const c = round(Math.cosh(zt));
      return (d) => round(d / round(c * c));
    }
    if (form.slope === 'exponentials') {
      const e = round(Math.exp(-2 * Math.abs(zt)));
      const below = round(1 + e);
      return (d) => round(d * round(round(4 * e) / round(below * below)));
    }
    return (d) => round(d * round(1 - round(ht * ht)));
  };
  const layer: Round = isLate && form.mean === 'layer' ? byMean : (v) => v;
  const end: Round = isLate && form.mean === 'last' ? byMean : (v) => v;
  const dz = x.map((): Row[] => []);
  let dInitial: Rows = [];
  for (let t = T - 1; t >= 0; t--) {
    dh = dh.map((row, b) => plus(row, stateUpstream?.[b][t]));
    const live = (b: number): boolean => mask?.[b][t] !== 0;
    const dzt = dh.map((row, b) => row.map((d, j) => (live(b) ? slope(z[b][t][j], h[b][t + 1][j])(d) : 0)));
    dzt.forEach((row, b) => (dz[b][t] = row.map(layer)));
    const through = product(dzt, recurrentKernel);
    dh = dh.map((row, b) => (live(b) ? through[b] : row));
    if (t === 0) dInitial = scaled(dh, form.mean === 'layer' && isLate ? byMean : end);
  }
  const sumOver = (left: (b: number, t: number) => Row, rows: number): Rows => {
    const times = Array.from({ length: T }, (_, t) => (form.sums === 'forwards' ? t : T - 1 - t));
    const batch = x.map((_, b) => b);
    const at = (pairs: readonly (readonly [number, number])[]): Rows =>
      product(turned(pairs.map(([b, t]) => left(b, t))), turned(pairs.map(([b, t]) => dz[b][t])));
    if (form.sums === 'flat') return scaled(at(times.flatMap((t) => batch.map((b) => [b, t] as const))), end);
    let sum: Rows = Array.from({ length: rows }, () => bias.map(() => 0));
    for (const t of times) {
      const term = at(batch.map((b) => [b, t] as const));
      sum = sum.map((row, i) => plus(row, term[i]));
    }
    return scaled(sum, end);
  };
  const [F] = weights.kernel.shape;
  answer.gradients = {
    ...output,
    inputs: tensorOf(
      dz.flatMap((rows) => scaled(product(rows, kernel), end)),
      [B, T, F],
    ),
    initialState: tensorOf(dInitial, [B, U]),
    kernel: tensorOf(
      sumOver((b, t) => x[b][t], F),
      [F, U],
    ),
    recurrentKernel: tensorOf(
      sumOver((b, t) => h[b][t], U),
      [U, U],
    ),
    bias: tensorOf(
      sumOver(() => [1], 1),
      [U],
    ),
  };
  return answer;
}

function rowsOf({ data, shape }: Tensor): Rows {
  const n = shape[1];
  return Array.from({ length: shape[0] }, (_, i) => [...data.subarray(i * n, (i + 1) * n)]);
}

function rowsOf3({ data, shape: [B, T, n] }: Tensor): Rows[] {
  return Array.from({ length: B }, (_, b) =>
    rowsOf({ data: data.subarray(b * T * n, (b + 1) * T * n), shape: [T, n] }),
  );
}

function turned(rows: Rows): Rows {
  return rows[0].map((_, j) => rows.map((row) => row[j]));
}

function tensorOf(rows: Rows, shape: readonly number[]): Tensor {
  return { data: Float64Array.from(rows.flat()), shape };
}

const styles: readonly Omit<Form, 'precision'>[] = [
  { name: 'plain loops' },
  { name: 'sums backwards, slope as a product', dot: dots.reversed, slope: 'product', sums: 'forwards' },
  { name: 'pairwise sums, slope by cosh', dot: dots.pairwise, slope: 'cosh', sums: 'flat' },
  { name: 'compensated sums, divided at the end', dot: dots.compensated, mean: 'last' },
  {
    name: 'lanes, joined kernel, slope by exponentials',
    dot: dots.lanes,
    bias: 'joined',
    slope: 'exponentials',
  },
  { name: 'fused, bias first, times 1/B', dot: dots.fused, bias: 'first', mean: 'reciprocal' },
  { name: 'tanh by expm1, log-sum-exp without a shift', tanh: tanhs.expm1, loss: 'plain', slope: 'product' },
  { name: 'tanh by exponentials, its slope too', tanh: tanhs.exponentials, slope: 'exponentials' },
  { name: 'tanh as a continued fraction, slope by cosh', tanh: tanhs.fraction, slope: 'cosh', mean: 'layer' },
  {
    name: 'logarithm of the probability, divided at the end',
    loss: 'logarithm',
    mean: 'last',
    slope: 'cosh',
  },
];

/** Ten styles in single and in double precision, and two that only single precision has. */
export const honestForms: readonly Form[] = [
  ...styles.flatMap((style): Form[] => [
    { ...style, precision: 'float32' },
    { ...style, precision: 'float64' },
  ]),
  {
    name: 'double sums stored in single, slope by cosh',
    precision: 'float32',
    dot: dots.wide,
    slope: 'cosh',
  },
  { name: "Eigen's rational tanh, slope by cosh", precision: 'float32', tanh: tanhs.rational, slope: 'cosh' },
];
