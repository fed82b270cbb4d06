import type { OptimizerConfig, Tensor } from '../../../scratch/index';
import { biasCorrectionError } from '../../base/bias-correction';
import { normOf } from '../../faults/updates/index';

/** One array for each weight, by its name: `kernel`; of a network of layers `layer2.kernel`. */
export type NumbersOf<N extends string> = Readonly<Record<N, Float64Array>>;

/** Weights and memory after an update, by the names N of the weights. */
export interface UpdatedNumbers<N extends string> {
  readonly weights: NumbersOf<N>;
  /** `velocity`, or `m` and `v` */ readonly slots: Readonly<Record<string, NumbersOf<N>>>;
}

/** Where an update starts. */
export interface UpdateStart<N extends string> {
  readonly weights: Readonly<Record<N, Tensor>>;
  readonly state: {
    /** updates done before */ readonly step: number;
    readonly slots: Readonly<Record<string, Readonly<Record<N, Tensor>>>>;
  };
}

/** New weights and memory, from gradients that are off by `shift` and then clipped to that norm. */
export type UpdateRule<N extends string> = (
  shift: NumbersOf<N>,
  clipNorm: number | undefined,
) => UpdatedNumbers<N>;

/** Where the new number is without any error, and how far from there it may be. */
export interface Reach {
  readonly centre: Float64Array;
  readonly allowed: Float64Array;
}

export interface ReachOptions<N extends string> {
  readonly optimizer: OptimizerConfig;
  readonly clipNorm?: number | undefined;
  readonly start: UpdateStart<N>;
  readonly gradients: NumbersOf<N>;
  /** what each gradient may be off */ readonly errors: NumbersOf<N>;
  /** half the distance from 1 to the next number of the precision */ readonly unit: number;
}

/** Where inside the interval that a gradient may lie in the update rule is evaluated, as a share of its half width. */
const probes = [-1, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1];

/** How far the new weights and the memory can be off when the gradients are off by at most their errors: `weights.kernel`, `m.bias`, ... */
export function updateReach<N extends string>(
  rule: UpdateRule<N>,
  options: ReachOptions<N>,
): Map<string, Reach> {
  const { start, gradients, errors, unit, clipNorm } = options;
  const names = Object.keys(gradients) as N[];
  const shifted = (share: number, norm = clipNorm): Map<string, Float64Array> =>
    grouped(
      rule(
        eachOf(names, (name) => errors[name].map((e) => share * e)),
        norm,
      ),
    );
  const centre = shifted(0);
  const others = probes.map((share) => shifted(share));
  const factorError = clippingError(options);
  const stretched =
    clipNorm === undefined || factorError === 0
      ? []
      : [1 - factorError, 1 + factorError].map((factor) => shifted(0, factor * clipNorm));
  const correction = biasCorrectionError(options.optimizer, start.state.step + 1);
  return new Map(
    [...centre].map(([tensor, values]) => {
      const [group, name] = splitName<N>(tensor);
      const before = start.weights[name].data;
      const gradient = gradients[name];
      const [near, scaled] = [others, stretched].map((all) =>
        all.map((other) => other.get(tensor) ?? values),
      );
      const allowed = values.map((value, i) => {
        const farthest = (all: readonly Float64Array[]): number =>
          all.reduce((max, other) => Math.max(max, Math.abs(other[i] - value)), 0);
        const spread = farthest(near) + farthest(scaled);
        // a few roundings of the result, of the terms it is made of, and of what Adam divides by
        const moved = group === 'weights' ? Math.abs(value - before[i]) : Math.abs(value);
        const terms = group === 'weights' ? Math.abs(before[i]) : slotTerms(start, group, name, gradient, i);
        const rounding = unit * (2 * Math.abs(value) + 4 * terms + (8 + correction) * moved);
        return 1.1 * spread + rounding + 2 ** -120;
      });
      return [tensor, { centre: values, allowed }];
    }),
  );
}

/** `m` and `layer2.kernel` of `m.layer2.kernel`. */
export function splitName<N extends string>(tensor: string): [group: string, name: N] {
  const dot = tensor.indexOf('.');
  return [tensor.slice(0, dot), tensor.slice(dot + 1) as N];
}

export function eachOf<N extends string, T>(
  names: readonly N[],
  make: (name: N) => T,
): Readonly<Record<N, T>> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<N, T>;
}

/**
 * Relative error of the factor clipNorm / |g|, which all gradients share: at most |E| / |g|, and a few roundings of the norm. None
 * where the norm is below clipNorm for certain.
 */
function clippingError<N extends string>({ clipNorm, gradients, errors, unit }: ReachOptions<N>): number {
  if (clipNorm === undefined) return 0;
  const names = Object.keys(gradients) as N[];
  const [norm, error] = [normOf(gradients, names), normOf(errors, names)];
  return norm + error < clipNorm ? 0 : error / norm + 8 * unit;
}

/** Size of the two terms that a slot's new value is the sum of. */
function slotTerms<N extends string>(
  start: UpdateStart<N>,
  slot: string,
  name: N,
  gradient: Float64Array,
  i: number,
): number {
  const old: Readonly<Partial<Record<string, Readonly<Record<N, Tensor>>>>> = start.state.slots;
  const g = slot === 'v' ? gradient[i] ** 2 : Math.abs(gradient[i]);
  return Math.abs(old[slot]?.[name].data[i] ?? 0) + g;
}

function grouped<N extends string>({ weights, slots }: UpdatedNumbers<N>): Map<string, Float64Array> {
  return new Map(
    Object.entries({ ...slots, weights }).flatMap(([group, numbers]) =>
      Object.entries<Float64Array>(numbers).map(([name, data]) => [`${group}.${name}`, data] as const),
    ),
  );
}
