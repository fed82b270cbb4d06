import type { Precision } from '../base/problem';
import { emulatedUnit, type RoundingModel } from '../equations/index';

/** How one implementation rounds: the constants of the error analysis (docs/tolerance.md, "Constants"). */
export interface PrecisionModel extends RoundingModel {
  /** `wasm`, `cpu`, `tensorflow`, `any`, `float64` */ readonly name: string;
  readonly precision: Precision;
}

const single = { precision: 'float32', unit: 2 ** -24, tiny: 2 ** -126, sides: 1 } as const;

/**
 * Measured by exhaustive sweeps per octave (`rnn-parity trial --function-errors NAME --stride 1`): tanh on [2^-13, 9.2], exp on [-87, 0], log on [1, 64];
 * largest errors in units of u |f|: cpu 1.00 / 1.00 / 1.00, wasm 2.83 / 1.00 / 1.32, tensorflow 6.14 / 1.99 / 4.36.
 */
export const precisionModels = {
  cpu: { ...single, name: 'cpu', kappa: { tanh: 1.05, sigmoid: 1.05, exp: 1.05, log: 1.05 } },
  wasm: { ...single, name: 'wasm', kappa: { tanh: 3, sigmoid: 5, exp: 1.05, log: 1.5 } },
  tensorflow: { ...single, name: 'tensorflow', kappa: { tanh: 6.5, sigmoid: 9, exp: 2.2, log: 4.6 } },
  /**
   * A graphics card, by the accuracy tables of WGSL (section 15.7.4) and GLSL ES 3.00 (section 4.5.1), and not by measuring one: + - * are
   * correctly rounded, a quotient errs by 2.5 ULP, e^x by 3 + 2|x| ULP, log by 3 ULP, and by 2^-21 on [0.5, 2]; 1 ULP is at most 2 u |f|.
   * docs/tolerance.md, "Graphics cards", derives tanh = (1 - e) / (1 + e), e = e^(-2|x|), and sigmoid from them.
   */
  gpu: {
    ...single,
    name: 'gpu',
    kappa: { tanh: 12, sigmoid: 13, exp: 6, log: 6 },
    card: { tanh: 3, exponent: 4, log: 8, quotient: 4 },
  },
  /** the same with significands of 11 bits: textures in half precision */
  half: {
    ...single,
    ...{ name: 'half', unit: 2 ** -11, tiny: 2 ** -14 },
    kappa: { tanh: 12, sigmoid: 13, exp: 6, log: 6 },
    card: { tanh: 3, exponent: 4, log: 8, quotient: 4 },
  },
  /** an implementation in single precision that was never measured */
  any: { ...single, name: 'any', kappa: { tanh: 8, sigmoid: 10, exp: 3, log: 6 } },
  /** V8's tanh reached 2.7 u |f| on random samples; C libraries stay below one unit in the last place, at most 2 u |f| */
  float64: {
    name: 'float64',
    precision: 'float64',
    unit: 2 ** -53,
    // not 2^-1022: a variance, the square of an error, must not underflow
    tiny: 2 ** -500,
    kappa: { tanh: 4, sigmoid: 4, exp: 3, log: 3 },
    sides: 2,
  },
} as const satisfies Record<string, PrecisionModel>;

/** Doubles cut to 45 bits: the emulation that stands for double precision. */
export const shortDouble: PrecisionModel = {
  ...precisionModels.float64,
  unit: emulatedUnit.double45,
  sides: 1,
};

/**
 * The model of the same precision that also allows for the other customary forms; undefined where the form is known, because the
 * library's kernels were read and measured.
 */
export function withCustomaryForms(model: PrecisionModel): PrecisionModel | undefined {
  return model === precisionModels.any
    ? anyForm
    : model === precisionModels.float64
      ? anyDoubleForm
      : undefined;
}

const anyForm: PrecisionModel = { ...precisionModels.any, forms: { tanh: 5, slope: 8, unshifted: 80 } };
const anyDoubleForm: PrecisionModel = {
  ...precisionModels.float64,
  forms: { tanh: 5, slope: 8, unshifted: 600 },
};

const modelOfBackend: Readonly<Record<string, PrecisionModel | undefined>> = {
  cpu: precisionModels.cpu,
  wasm: precisionModels.wasm,
  tensorflow: precisionModels.tensorflow,
  webgl: precisionModels.gpu,
  webgpu: precisionModels.gpu,
  half: precisionModels.half,
};

/** The model of an implementation, by its name (`tfjs:wasm`) and precision. */
export function precisionModelOf(implementation: {
  readonly name: string;
  readonly precision: Precision;
}): PrecisionModel {
  if (implementation.precision === 'float64') return precisionModels.float64;
  if (implementation.name === 'graph') return precisionModels.tensorflow;
  // hand-written gradients, and a browser's flags, run the same kernels
  const [, backend = ''] = /^(?:tfjs|browser):(\w+)(?::|$)/.exec(implementation.name) ?? [];
  return modelOfBackend[backend] ?? precisionModels.any;
}
