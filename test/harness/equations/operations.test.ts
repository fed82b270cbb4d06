import { expect } from 'chai';
import * as fc from 'fast-check';
import { activations, activationOf } from '../../../harness/equations/activations/index';
import { exactArithmetic } from '../../../harness/equations/arithmetics/exact';
import { certain } from '../../../harness/equations/arithmetics/errors';
import { evaluate } from '../../../harness/equations/evaluate';
import type { Expression } from '../../../harness/equations/expression';
import { losses, type Target } from '../../../harness/equations/losses/index';
import {
  operations,
  outer,
  sum,
  type Operation,
  type Uncertain,
} from '../../../harness/equations/operations/index';
import { makeRounding } from '../../../harness/equations/rounding';
import type { RoundingModel } from '../../../harness/equations/rounding-model';
import { createRandom, type Random } from '../../../scratch/index';

const model: RoundingModel = {
  unit: 2 ** -24,
  tiny: 2 ** -126,
  kappa: { tanh: 3, sigmoid: 3, exp: 2, log: 2 },
  sides: 1,
  forms: { tanh: 0, slope: 8, unshifted: 0 },
};
const charges = { model, floor: model.tiny };
const orders = ['sequential', 'reversedFused', 'lanes', 'double', 'blocks'] as const;
const roundingOf = (k: number) =>
  makeRounding({
    order: orders[k % 5],
    joint: k % 2 === 1,
    flat: k % 3 === 1,
    form: k % 6,
    noise: k % 7 === 0 ? 'high' : 'functions',
    seed: k,
  });

/** A block whose numbers may be off by up to `bound`, and one that really is. */
interface Off {
  readonly exact: Uncertain;
  readonly actual: Uncertain;
}

/** @param size of the errors of what comes in, in units of u; 0 for numbers that are exact */
function off(random: Random, rows: number, columns: number, scale: number, size: number): Off {
  const value = Float64Array.from({ length: rows * columns }, () => Math.fround(scale * random.normal()));
  const largest = value.map(() => size * model.unit * scale * (0.5 + random.uniform()));
  const actual = value.map((v, i) => Math.fround(v + largest[i] * (2 * random.uniform() - 1)));
  // the numbers that are off are float32 as well
  const bound = largest.map((e, i) => Math.max(e, Math.abs(actual[i] - value[i])));
  const block = { rows, columns, bound, variance: bound.map((e) => (e * e) / 3) };
  return { exact: { ...block, value }, actual: { ...block, value: actual } };
}

/** What was seen of one rule: how much of the bound errors used, and their mean size in sigmas. */
class Seen {
  used = 0;
  private squares = 0;
  private count = 0;

  add(
    exact: ArrayLike<number>,
    actual: ArrayLike<number>,
    bound: ArrayLike<number>,
    variance: ArrayLike<number>,
  ): void {
    for (let i = 0; i < exact.length; i++) {
      const error = Math.abs(actual[i] - exact[i]);
      if (error > 0) this.used = Math.max(this.used, error / bound[i]);
      if (variance[i] > 1e-60) {
        this.squares += error ** 2 / variance[i];
        this.count++;
      }
    }
  }

  get sigmas(): number {
    return Math.sqrt(this.squares / this.count);
  }

  /** The laws that it breaks: an error beyond the bound, a bound that nothing comes near, a sigma of another size than the errors. */
  broken(name: string, within: readonly [number, number] = [0.3, 1.1], least = 0.25): string[] {
    return [
      ...(this.used <= 1 ? [] : [`${name}: an error is ${this.used.toFixed(3)} times the bound`]),
      ...(this.used >= least ? [] : [`${name}: errors use ${this.used.toFixed(3)} of the bound at most`]),
      ...(this.sigmas >= within[0] && this.sigmas <= within[1]
        ? []
        : [`${name}: errors are ${this.sigmas.toFixed(3)} sigmas in the mean`]),
    ];
  }
}

/** Plain formulas of every operation, to compare with. */
const plain: Readonly<Record<string, (values: readonly number[], f: string) => number>> = {
  product: ([a, b, c]) => a * b * c,
  blend: ([g, a, b]) => b + g * (a - b),
  call: ([z], f) => plainFunctions[f](z),
  slope: ([w], f) => plainSlopes[f](w),
};
const plainFunctions: Readonly<Record<string, (z: number) => number>> = {
  tanh: (z) => (Math.exp(2 * z) - 1) / (Math.exp(2 * z) + 1),
  σ: (z) => 1 / (1 + Math.exp(-z)),
  hardSigmoid: (z) => (z < -2.5 ? 0 : z > 2.5 ? 1 : z / 5 + 0.5),
  hardSigmoid6: (z) => (z < -3 ? 0 : z > 3 ? 1 : (z + 3) / 6),
  relu: (z) => (z > 0 ? z : 0),
  linear: (z) => z,
};
const plainSlopes: Readonly<Record<string, (w: number) => number>> = {
  tanh: (y) => 1 - y * y,
  σ: (y) => y - y * y,
  hardSigmoid: (z) => (Math.abs(z) <= 2.5 ? 1 / 5 : 0),
  hardSigmoid6: (z) => (Math.abs(z) < 3 ? 1 / 6 : 0),
  relu: (z) => (z > 0 ? 1 : 0),
  linear: () => 1,
};

/** Every law that an operation that works element by element breaks; none where its rules agree with each other and with arithmetic. */
function brokenLaws(name: keyof typeof operations, operation: Operation, f = ''): string[] {
  const broken = new Set<string>();
  const seen = new Seen();
  const own = new Seen(); // operands without errors: only the operation itself rounds
  const operands = { product: 3, blend: 3, call: 1, slope: 1 }[name];
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(0, 4, 1000), (seed, size) => {
      const random = createRandom(seed);
      const made = Array.from({ length: operands }, () => off(random, 2, 8, 1, size));
      const exact = made.map((one) => squeezed(name, f, one.exact));
      const actual = made.map((one) => squeezed(name, f, one.actual));
      const value = operation.value(exact, f);
      const expected = value.map((_, i) =>
        plain[name](
          exact.map((one) => one.value[i]),
          f,
        ),
      );
      value.forEach((v, i) => {
        if (!(Math.abs(v - expected[i]) <= 1e-14))
          broken.add(`value: ${v} where the formula gives ${expected[i]}`);
      });
      const result = operation.rounded(actual, model.kappa, roundingOf(seed), f);
      const bound = operation.bound(exact, value, charges, f);
      const variance = operation.variance(exact, value, charges, f);
      seen.add(value, result, bound, variance);
      if (size === 0) own.add(value, result, bound, variance);
      for (const law of derivativeLaws(operation, exact, f, random)) broken.add(law);
    }),
    { seed: 7, numRuns: 250 },
  );
  // functions without roundings (relu, linear) only pass errors on; kinks allow a whole jump
  return [
    ...broken,
    ...seen.broken(`${name} ${f}`, name === 'slope' ? [0, 1.1] : [0.3, 1.1]),
    ...(name === 'slope' || ['relu', 'linear'].includes(f)
      ? []
      : own.broken(`${name} ${f} alone`, [0.2, 1.2], 0)),
  ];
}

/** Slopes of tanh and σ are computed from a result, which lies in their range. */
function squeezed(name: string, f: string, block: Uncertain): Uncertain {
  if (name !== 'slope' || activationOf(f).slope.from === 'argument') return block;
  return {
    ...block,
    value: block.value.map((v) => Math.fround(f === 'tanh' ? Math.tanh(v) : 0.5 + 0.5 * Math.tanh(v))),
  };
}

/** Tangents against differences of values, adjoints against tangents: Σ adjoint · rate = d · tangent. */
function derivativeLaws(
  operation: Operation,
  blocks: readonly Uncertain[],
  f: string,
  random: Random,
): string[] {
  const { tangent, adjoint } = operation;
  if (tangent === undefined || adjoint === undefined) return [];
  const moving = blocks.map((block) => ({ ...block, rate: block.value.map(() => random.normal()) }));
  const rates = tangent(moving, f);
  const step = 1e-6;
  const moved = (by: number): Float64Array =>
    operation.value(
      moving.map(({ value, rate, ...rest }) => ({ ...rest, value: value.map((v, i) => v + by * rate[i]) })),
      f,
    );
  const [ahead, behind] = [moved(step), moved(-step)];
  const broken: string[] = [];
  const nearKink = (i: number): boolean =>
    [-3, -2.5, 0, 2.5, 3].some((kink) => Math.abs(blocks[0].value[i] - kink) < 1e-5);
  rates.forEach((rate, i) => {
    if (
      !nearKink(i) &&
      !(Math.abs(rate - (ahead[i] - behind[i]) / (2 * step)) <= 1e-8 * (1 + Math.abs(rate)))
    )
      broken.push('tangent: no derivative of the value');
  });
  const quantity = (name: string): Expression => ({ op: 'quantity', name, when: 'now', axis: ['U'] });
  const names = blocks.map((_, i) => quantity(`v${i}`));
  const expression: Expression = { op: 'call', f, of: names, axis: ['U'] };
  const d = blocks[0].value.map(() => random.normal());
  const { rows, columns } = blocks[0];
  const gradients = adjoint(expression, names, quantity('d')).map((gradient) =>
    evaluate(exactArithmetic(), gradient, {
      rows,
      sizes: { features: columns, units: columns },
      quantity: (name) => ({ rows, columns, value: name === 'd' ? d : blocks[Number(name.slice(1))].value }),
      arriving: () => ({ terms: [] }),
      weight: () => expect.fail('no weight'),
      vector: () => expect.fail('no vector'),
    }),
  );
  rates.forEach((rate, i) => {
    const sent = gradients.reduce((total, { value }, k) => total + value[i] * moving[k].rate[i], 0);
    if (!(Math.abs(sent - d[i] * rate) <= 1e-12 * (1 + Math.abs(d[i] * rate))))
      broken.push('adjoint: no transpose of the tangent');
  });
  return broken;
}

describe('rules of the operations', () => {
  for (const name of ['product', 'blend'] as const)
    it(`${name}: value, tangent, adjoint, bound and sigma`, () => {
      expect(brokenLaws(name, operations[name])).to.deep.equal([]);
    });
  for (const { symbol } of activations)
    for (const name of ['call', 'slope'] as const)
      it(`${name} of ${symbol}: value, tangent, adjoint, bound and sigma`, () => {
        const broken = brokenLaws(name, operations[name], symbol);
        // nothing is rounded, and nothing moves, in the slope of a straight line
        const still = name === 'slope' && ['relu', 'linear', 'hardSigmoid', 'hardSigmoid6'].includes(symbol);
        expect(still ? broken.filter((law) => !/errors use|NaN/.test(law)) : broken).to.deep.equal([]);
      });

  it('sum: bound and sigma, with and without matrices, as a factor', () => {
    for (const products of [0, 1, 2])
      for (const factor of [false, true]) {
        const seen = new Seen();
        for (let seed = 0; seed < 120; seed++) {
          const random = createRandom(seed);
          const size = [0, 4, 1000][seed % 3];
          const blocks = [off(random, 3, 5, 1, size), off(random, 3, 5, 0.5, size)];
          const lefts = Array.from({ length: products }, () => off(random, 3, 7, 1, size));
          const weights = lefts.map((_, k) => off(random, k === 0 ? 7 : 5, k === 0 ? 5 : 7, 0.5, 0));
          const terms = (which: 'exact' | 'actual') => [
            ...lefts.map(
              (left, k) =>
                ({ sign: 1, left: left[which], weight: weights[k].exact, transposed: k === 1 }) as const,
            ),
            ...blocks.map((block, k) => ({ sign: k === 0 ? 1 : -1, of: block[which] }) as const),
          ];
          const exact = terms('exact');
          seen.add(
            sum.value(exact),
            sum.rounded(terms('actual'), roundingOf(seed)),
            sum.bound(exact, charges, factor),
            sum.variance(exact, charges, factor),
          );
        }
        expect(seen.broken(`${products} products, factor ${factor}`)).to.deep.equal([]);
      }
  });

  it('outer: bound and sigma, with and without a left side', () => {
    for (const withLeft of [false, true]) {
      const seen = new Seen();
      for (let seed = 0; seed < 120; seed++) {
        const random = createRandom(seed);
        const size = [0, 4, 1000][seed % 3];
        const steps = Array.from({ length: 6 }, () => ({
          left: off(random, 3, 4, 1, size),
          right: off(random, 3, 5, 1, size),
        }));
        const shares = (which: 'exact' | 'actual') =>
          steps.map(({ left, right }) => ({ ...(withLeft && { left: left[which] }), right: right[which] }));
        const exact = shares('exact');
        const value = outer.value(exact);
        seen.add(
          value,
          outer.rounded(shares('actual'), roundingOf(seed)),
          outer.bound(exact, charges),
          outer.variance(exact, value, charges),
        );
      }
      expect(seen.broken(`with left ${withLeft}`)).to.deep.equal([]);
    }
  });

  it('sum and outer: terms that are zero, or below the last place of the others, round nothing', () => {
    const seen = { sum: new Seen(), outer: new Seen() };
    /** Three numbers of four are certainly zero, or for every second seed too small to change what they are added to. */
    const thinned = (random: Random, made: Off, by: number): Off => {
      const isThin = made.exact.value.map(() => Number(random.integer(4) > 0));
      const thin = (block: Uncertain): Uncertain => ({
        ...block,
        value: block.value.map((v, i) => (isThin[i] === 1 ? by * v : v)),
        bound: block.bound.map((e, i) => (isThin[i] === 1 ? by * e : e)),
        variance: block.variance.map((v, i) => (isThin[i] === 1 ? by * by * v : v)),
      });
      return { exact: thin(made.exact), actual: thin(made.actual) };
    };
    for (let seed = 0; seed < 120; seed++) {
      const random = createRandom(seed);
      const by = [0, 2 ** -40][seed % 2];
      const left = thinned(random, off(random, 3, 12, 1, [0, 4][seed % 2]), by);
      const weight = thinned(random, off(random, 12, 5, 0.5, 0), by).exact;
      const block = thinned(random, off(random, 3, 5, 0.5, 4), by);
      const terms = (which: 'exact' | 'actual') =>
        [
          { sign: 1, left: left[which], weight, transposed: false },
          { sign: -1, of: block[which] },
        ] as const;
      seen.sum.add(
        sum.value(terms('exact')),
        sum.rounded(terms('actual'), roundingOf(seed)),
        sum.bound(terms('exact'), charges),
        sum.variance(terms('exact'), charges),
      );
      const right = thinned(random, off(random, 3, 5, 1, 4), 0);
      const other = thinned(random, off(random, 3, 12, 1, 4), 0);
      const shares = (which: 'exact' | 'actual') => [
        { left: left[which], right: right[which] },
        { left: other[which], right: block[which] },
      ];
      const exact = shares('exact');
      const value = outer.value(exact);
      seen.outer.add(
        value,
        outer.rounded(shares('actual'), roundingOf(seed)),
        outer.bound(exact, charges),
        outer.variance(exact, value, charges),
      );
    }
    for (const one of ['sum', 'outer'] as const) expect(seen[one].broken(one, [0.2, 1.1])).to.deep.equal([]);
    // one product of forty is not zero: one rounding, and no more where the others are far below its last place
    for (const rest of [0, 2 ** -60]) {
      const none = new Float64Array(40);
      const row = {
        value: none.map((_, i) => (i === 7 ? 3 : rest)),
        rows: 1,
        columns: 40,
        bound: none,
        variance: none,
      };
      const ones = { ...row, value: none.map(() => 1.1), rows: 40, columns: 1 };
      const terms = [{ sign: 1, left: row, weight: ones, transposed: false }] as const;
      expect(sum.bound(terms, charges)[0]).to.be.closeTo(3.3 * model.unit, 1e-6 * model.unit);
      expect(Math.sqrt(3 * sum.variance(terms, charges)[0])).to.be.closeTo(
        3.3 * model.unit,
        1e-6 * model.unit,
      );
    }
    const alone = certain(
      Float64Array.from({ length: 40 }, (_, i) => (i === 7 ? 3 : 0)),
      40,
    );
    const shares = [{ left: alone, right: certain(new Float64Array(40).fill(1.1), 40) }];
    const units = [
      outer.bound(shares, charges)[0],
      Math.sqrt(3 * outer.variance(shares, outer.value(shares), charges)[0]),
    ].map((error) => error / model.unit);
    // the bound has a rounding more, of the mean over the batch
    expect(units[0]).to.be.closeTo(6.6, 1e-5);
    expect(units[1]).to.be.closeTo(3.3, 1e-5);
    // what is lost below the last place of a larger term costs itself: a quarter of u each
    const lost = model.unit / 4;
    const sequential = makeRounding({ order: 'sequential' });
    const exactly = (...value: number[]) => certain(Float64Array.from(value), 1);
    const row = exactly(1, ...Array.from({ length: 40 }, () => lost));
    const ones = certain(
      row.value.map(() => 1),
      41,
    );
    const product = [{ sign: 1, left: row, weight: ones, transposed: false }] as const;
    const blocks = [1, lost, lost].map((value) => ({ sign: 1, of: exactly(value) }) as const);
    for (const [terms, times, most] of [
      [product, 40, 11],
      [blocks, 2, 0.5],
    ] as const) {
      const error = sum.value(terms)[0] - sum.rounded(terms, sequential)[0];
      expect(error).to.equal(times * lost);
      expect(sum.bound(terms, charges)[0] / model.unit).to.be.within(error / model.unit, most + 1e-3);
    }
    expect(Math.sqrt(sum.variance(blocks, charges)[0])).to.be.closeTo(2 * lost, 1e-6 * lost);
  });

  for (const terms of ['positive', 'cancelling'] as const)
    it(`sum and outer: sigma is the size of their own roundings where terms are ${terms}`, () => {
      const seen = { sum: new Seen(), outer: new Seen() };
      const n = 40;
      for (let seed = 0; seed < 60; seed++) {
        const random = createRandom(seed);
        const sizes = Array.from({ length: n / 2 }, () => Math.fround(1 + random.uniform()));
        const value = new Float64Array(n);
        // in no order; where they cancel, each size is there once with each sign
        for (let i = 0; i < n; i++)
          value[(i * 17) % n] = terms === 'cancelling' && i >= n / 2 ? -sizes[i - n / 2] : sizes[i % (n / 2)];
        const none = new Float64Array(n);
        const row = { value, rows: 1, columns: n, bound: none, variance: none };
        const column = { ...row, rows: n, columns: 1 };
        const factor = Math.fround(1 + random.uniform());
        const ones = { ...column, value: value.map(() => factor) };
        const rounding = makeRounding({ order: orders[seed % 3], flat: true });
        const products = [{ sign: 1, left: row, weight: ones, transposed: false }] as const;
        seen.sum.add(
          sum.value(products),
          sum.rounded(products, rounding),
          sum.bound(products, charges),
          sum.variance(products, charges),
        );
        const shares = [{ left: ones, right: column }];
        const gradient = outer.value(shares);
        seen.outer.add(
          gradient,
          outer.rounded(shares, rounding),
          outer.bound(shares, charges),
          outer.variance(shares, gradient, charges),
        );
      }
      for (const one of ['sum', 'outer'] as const)
        expect(seen[one].broken(one, [0.2, 1.3], 0)).to.deep.equal([]);
    });

  for (const [name, loss] of Object.entries(losses))
    it(`${name}: gradient, tangent, bound and sigma of outputs, loss and dLogits`, () => {
      const seen = { outputs: new Seen(), loss: new Seen(), dLogits: new Seen() };
      for (let seed = 0; seed < 150; seed++) {
        const random = createRandom(seed);
        const logits = off(random, 4, 3, [0.3, 3, 30][seed % 3], [0, 4, 100][seed % 2]);
        const target: Target = {
          ...(loss.targets === 'labels'
            ? { labels: Array.from({ length: 4 }, () => random.integer(3)) }
            : { values: Float64Array.from({ length: 12 }, () => random.integer(3) / 2) }),
          ...(seed % 5 === 0 && { live: Uint8Array.of(1, 0, 1, 1) }),
        };
        const exact = loss.value(logits.exact, target);
        const actual = loss.rounded(logits.actual, target, model.kappa, roundingOf(seed));
        const { bound, variance } = loss.errors(logits.exact, target, charges);
        seen.outputs.add(exact.outputs, actual.outputs, bound.outputs, variance.outputs);
        seen.dLogits.add(exact.dLogits, actual.dLogits, bound.dLogits, variance.dLogits);
        seen.loss.add([exact.loss], [actual.loss], [bound.loss], [variance.loss]);
        // dLogits · rate is the rate of the loss, and the loss moves by it
        const rate = logits.exact.value.map(() => random.normal());
        const dot = exact.dLogits.reduce((total, d, i) => total + d * rate[i], 0);
        expect(loss.tangent({ ...logits.exact, rate }, target)).to.be.closeTo(
          dot,
          1e-12 * (1 + Math.abs(dot)),
        );
        const at = (by: number): number =>
          loss.value({ ...logits.exact, value: logits.exact.value.map((y, i) => y + by * rate[i]) }, target)
            .loss;
        expect((at(1e-5) - at(-1e-5)) / 2e-5).to.be.closeTo(dot, 1e-6 * (1 + Math.abs(dot)));
      }
      const within = [0.15, 1.2] as const;
      expect(Object.entries(seen).flatMap(([what, one]) => one.broken(what, within, 0.1))).to.deep.equal([]);
    });
});

describe('a wrong rule in the table of operations is noticed by the laws', () => {
  const { product, blend, call, slope } = operations;
  const scale = (by: number) => (matrix: Float64Array) => matrix.map((x) => x * by);
  const planted: readonly (readonly [
    what: string,
    name: keyof typeof operations,
    faulty: Operation,
    f?: string,
  ])[] = [
    [
      'product: a factor is left out',
      'product',
      { ...product, value: ([a, b]) => product.value([a, b], '') },
    ],
    [
      'product: the rate of one factor only',
      'product',
      { ...product, tangent: ([a, b]) => product.tangent?.([a, b], '') ?? a.rate },
    ],
    [
      'product: a gradient without the other factor',
      'product',
      {
        ...product,
        adjoint: (of, [a, b, c], d) => [...(product.adjoint?.(of, [a, b, c], d).slice(0, 2) ?? []), d],
      },
    ],
    [
      'product: roundings of one multiplication',
      'product',
      {
        ...product,
        bound: (o, _, c) => product.bound(o.slice(0, 2), product.value(o.slice(0, 2), ''), c, ''),
      },
    ],
    [
      'product: no inherited error',
      'product',
      {
        ...product,
        bound: (o, v, c) =>
          product.bound(
            o.map((x) => ({ ...x, bound: x.bound.map(() => 0) })),
            v,
            c,
            '',
          ),
      },
    ],
    [
      'product: no inherited variance',
      'product',
      {
        ...product,
        variance: (o, v, c) =>
          product.variance(
            o.map((x) => ({ ...x, variance: x.bound.map(() => 0) })),
            v,
            c,
            '',
          ),
      },
    ],
    [
      'product: a bound a hundred times too wide',
      'product',
      { ...product, bound: (...all) => scale(100)(product.bound(...all)) },
    ],
    [
      'blend: the two sides exchanged',
      'blend',
      { ...blend, value: ([g, a, b], f) => blend.value([g, b, a], f) },
    ],
    [
      "blend: the gate's gradient negated",
      'blend',
      { ...blend, adjoint: (of, [g, a, b], d) => blend.adjoint?.(of, [g, b, a], d) ?? [] },
    ],
    [
      "blend: the gate's error is forgotten",
      'blend',
      {
        ...blend,
        bound: ([g, a, b], v, c, f) => blend.bound([{ ...g, bound: g.bound.map(() => 0) }, a, b], v, c, f),
      },
    ],
    ['blend: half of the bound', 'blend', { ...blend, bound: (...all) => scale(0.5)(blend.bound(...all)) }],
    [
      'tanh: κ is forgotten',
      'call',
      {
        ...call,
        bound: (o, v, c, f) =>
          call.bound(o, v, { ...c, model: { ...c.model, kappa: { ...c.model.kappa, tanh: 0 } } }, f),
      },
      'tanh',
    ],
    [
      'tanh: the slope at the far end of the interval',
      'call',
      {
        ...call,
        bound: (o, v, c, f) => call.bound(o, v, c, f).map((e, i) => e - 2 * o[0].bound[i] * v[i] ** 2),
      },
      'tanh',
    ],
    [
      'σ: sigma four times too large',
      'call',
      { ...call, variance: (...all) => scale(16)(call.variance(...all)) },
      'σ',
    ],
    [
      'hard sigmoid: the slope of the other definition',
      'call',
      { ...call, tangent: (o) => call.tangent?.(o, 'hardSigmoid6') ?? o[0].rate },
      'hardSigmoid',
    ],
    ['relu: no kink', 'call', { ...call, value: (o) => call.value(o, 'linear') }, 'relu'],
    ['tanh′: 1 + y²', 'slope', { ...slope, value: (o) => o[0].value.map((y) => 1 + y * y) }, 'tanh'],
    [
      'tanh′: a tenth of the bound',
      'slope',
      { ...slope, bound: (...all) => scale(0.1)(slope.bound(...all)) },
      'tanh',
    ],
    [
      'σ′: inherits nothing',
      'slope',
      {
        ...slope,
        bound: (o, v, c, f) =>
          slope.bound(
            o.map((x) => ({ ...x, bound: x.bound.map(() => 0) })),
            v,
            c,
            f,
          ),
      },
      'σ',
    ],
    [
      'hard sigmoid′: no jump at the kink',
      'slope',
      {
        ...slope,
        bound: (o, v, c, f) =>
          slope.bound(
            o.map((x) => ({ ...x, bound: x.bound.map(() => 0) })),
            v,
            c,
            f,
          ),
      },
      'hardSigmoid',
    ],
  ];
  for (const [what, name, faulty, f] of planted)
    it(what, () => {
      expect(brokenLaws(name, faulty, f)).to.not.be.empty;
    });
});
