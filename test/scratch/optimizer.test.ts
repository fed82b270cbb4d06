import { expect } from 'chai';
import {
  clipByGlobalNorm,
  createOptimizer,
  globalNorm,
  resolveOptimizer,
  type OptimizerConfig,
} from '../../scratch/index';

/** w after `steps` updates from 1 with the constant gradient g. */
function constant(config: OptimizerConfig, g: number, steps: number): number {
  const weight = Float64Array.of(1);
  const optimizer = createOptimizer(config);
  for (let i = 0; i < steps; i++) optimizer.update([weight], [Float64Array.of(g)]);
  return weight[0];
}

describe('scratch/optimizer: closed forms for a constant gradient', () => {
  const [g, n, m, learningRate] = [0.3, 9, 0.8, 0.05];
  // velocity after k updates: g · (1 - m^k) / (1 - m); its sum over k = 1..n
  const covered = (g / (1 - m)) * (n - (m * (1 - m ** n)) / (1 - m));

  it('plain SGD covers n · learningRate · g', () =>
    expect(constant({ name: 'sgd', learningRate }, g, n)).to.be.closeTo(1 - n * learningRate * g, 1e-15));

  it('momentum covers the sum of a geometric velocity', () =>
    expect(constant({ name: 'sgd', learningRate, momentum: m }, g, n)).to.be.closeTo(
      1 - learningRate * covered,
      1e-15,
    ));

  it('Nesterov looks one step ahead: g + momentum · velocity', () =>
    expect(constant({ name: 'sgd', learningRate, momentum: m, nesterov: true }, g, n)).to.be.closeTo(
      1 - learningRate * (n * g + m * covered),
      1e-15,
    ));

  it("Adam's bias correction makes every step learningRate · g / (|g| + epsilon) in tfjs's form", () => {
    const adam = { name: 'adam', learningRate, epsilon: 0.1 } as const;
    expect(constant(adam, g, n)).to.be.closeTo(1 - (n * learningRate * g) / (g + 0.1), 1e-14);
    // Keras's epsilon weighs 1 / sqrt(1 - beta2^k) more at update k
    let total = 0;
    for (let k = 1; k <= n; k++) total += g / (g + 0.1 / Math.sqrt(1 - 0.999 ** k));
    expect(constant({ ...adam, form: 'keras' }, g, n)).to.be.closeTo(1 - learningRate * total, 1e-14);
  });

  it('goes on from a copy of its memory, bit for bit', () => {
    for (const config of [
      { name: 'adam' },
      { name: 'sgd', momentum: 0.9, nesterov: true },
      { name: 'sgd' },
    ] as OptimizerConfig[]) {
      const run = (
        optimizer: ReturnType<typeof createOptimizer>,
        weight: Float64Array,
        from: number,
        to: number,
      ) => {
        for (let i = from; i < to; i++)
          optimizer.update([weight], [Float64Array.of(Math.sin(i), Math.cos(i))]);
      };
      const whole = Float64Array.of(1, 2);
      run(createOptimizer(config), whole, 0, 20);
      const halves = Float64Array.of(1, 2);
      const first = createOptimizer(config);
      run(first, halves, 0, 7);
      const second = createOptimizer(first.config, { step: first.step, slots: first.slots });
      run(first, Float64Array.of(0, 0), 7, 9); // does not reach into the copy
      run(second, halves, 7, 20);
      expect(halves).to.deep.equal(whole);
      expect(second.step).to.equal(20);
    }
  });

  it('fills in the defaults', () => {
    expect(resolveOptimizer({})).to.deep.equal({
      name: 'sgd',
      learningRate: 0.01,
      momentum: 0,
      nesterov: false,
    });
    expect(resolveOptimizer({ optimizer: 'adam' })).to.deep.equal({
      name: 'adam',
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      form: 'tfjs',
    });
    const both = resolveOptimizer({ optimizer: { name: 'sgd', learningRate: 1 }, learningRate: 2 });
    expect(both.learningRate).to.equal(2);
  });

  const bad: [string, unknown, RegExp][] = [
    ['an unknown name', { optimizer: 'rmsprop' }, /the name is rmsprop; there are sgd and adam/],
    [
      'a negative learning rate',
      { learningRate: -1 },
      /learningRate is -1; it must be a number in \[0, Infinity\)/,
    ],
    ['a learning rate of NaN', { learningRate: NaN }, /learningRate is NaN/],
    ['a momentum of 1', { optimizer: { name: 'sgd', momentum: 1 } }, /momentum is 1/],
    ['a beta2 of 1', { optimizer: { name: 'adam', beta2: 1 } }, /beta2 is 1/],
    ['a negative epsilon', { optimizer: { name: 'adam', epsilon: -1 } }, /epsilon is -1/],
    ['an unknown form', { optimizer: { name: 'adam', form: 'torch' } }, /form is torch/],
  ];
  for (const [what, options, message] of bad) {
    it(`refuses ${what}`, () =>
      expect(() => resolveOptimizer(options as never)).to.throw(RangeError, message));
  }

  it('refuses the memory of another rule', () => {
    expect(() => createOptimizer({ name: 'adam' }, { step: 1, slots: { velocity: [] } })).to.throw(
      /slots \[velocity\]; after 1 updates this optimizer has \[m, v\]/,
    );
    expect(() => createOptimizer({ name: 'sgd' }, { step: -1, slots: {} })).to.throw(/step -1/);
  });
});

describe('scratch/clip', () => {
  it('scales all tensors by one factor when their joint norm exceeds the limit, and returns the norm before', () => {
    const tensors = [Float64Array.of(3, 0), Float64Array.of(4)];
    expect(globalNorm(tensors)).to.equal(5);
    expect(clipByGlobalNorm(tensors, 2.5)).to.equal(5);
    expect(tensors.map((t) => Array.from(t))).to.deep.equal([[1.5, 0], [2]]);
  });

  it('leaves gradients alone that are within the limit', () => {
    const tensors = [Float64Array.of(3, 4)];
    for (const limit of [5, 10, Infinity]) {
      expect(clipByGlobalNorm(tensors, limit)).to.equal(5);
      expect(Array.from(tensors[0])).to.deep.equal([3, 4]);
    }
  });

  for (const clipNorm of [0, -1, NaN]) {
    it(`refuses the limit ${clipNorm}`, () =>
      expect(() => clipByGlobalNorm([], clipNorm)).to.throw(/it must be a positive number/));
  }
});
