import { losses, type LossNumbers } from '../losses/index';
import type { Matrix } from '../matrix';
import {
  countsIn,
  isZero,
  operations as table,
  outer,
  partsOf,
  sum,
  sizeOfTerm,
  tallyOf,
  type Uncertain,
} from '../operations/index';
import { capBound, capVariance, varianceOfRounding, type Charges } from '../rounding-model';
import type { Arithmetic } from './arithmetic';
import { sizeOfOuter } from './exact';
import { rearranging } from './rearranging';

/**
 * A number that was rounded once. Where the form of a program is unknown, its mean over the batch may divide last: gradients that arrive
 * from elsewhere are then multiplied by the batch before, and a gradient that a side shows was divided after it was used.
 */
export function roundedOnce(of: Uncertain, { model }: Charges): Uncertain {
  const k = varianceOfRounding(model);
  return {
    ...of,
    bound: of.bound.map((e, i) => capBound(e + model.unit * (Math.abs(of.value[i]) + e))),
    variance: of.variance.map((v, i) => capVariance(v + k * of.value[i] ** 2)),
  };
}

/** A number that is known exactly. */
export function certain(value: Matrix, rows: number): Uncertain {
  const none = new Float64Array(value.length);
  return { value, rows, columns: value.length / rows, bound: none, variance: none };
}

/** Float64 values, and for each what rounding may have done to it on the way: a bound and a variance. */
export function errorArithmetic(charges: Charges, operations = table): Arithmetic<Uncertain> {
  const { model } = charges;
  // a gate is called in the step forward, and again in what is derived from it; only what flushing may cost grows meanwhile
  const calls = new WeakMap<
    Uncertain,
    { readonly f: string; readonly floor: number; readonly made: Uncertain }
  >();
  const moved = rearranging<Uncertain>(
    ({ value, bound, variance }) => [value, bound, variance],
    ([value, bound, variance], rows, columns) => ({ value, rows, columns, bound, variance }),
  );
  return {
    given: (path, value, rows) =>
      model.forms !== undefined && path.startsWith('upstream.')
        ? roundedOnce(certain(value, rows), charges)
        : certain(value, rows),
    sum(terms, factor) {
      const [rows, columns] = sizeOfTerm(terms[0]);
      const parts = partsOf(terms);
      const tally = tallyOf(terms, charges);
      return {
        value: sum.value(terms, parts),
        rows,
        columns,
        bound: sum.bound(terms, charges, factor, tally),
        variance: sum.variance(terms, charges, factor, parts, tally),
      };
    },
    apply(name, operands, f) {
      const operation = operations[name];
      const before = name === 'call' ? calls.get(operands[0]) : undefined;
      const known = before?.f === f ? before : undefined;
      if (known?.floor === charges.floor) return known.made;
      const value = known?.made.value ?? operation.value(operands, f);
      const made = {
        value,
        rows: operands[0].rows,
        columns: operands[0].columns,
        bound: operation.bound(operands, value, charges, f),
        variance: operation.variance(operands, value, charges, f),
        ...(name === 'call' && { argument: operands[0].value }),
      };
      if (name === 'call') calls.set(operands[0], { f, floor: charges.floor, made });
      return made;
    },
    outer(shares) {
      const value = outer.value(shares);
      const counts = countsIn(shares);
      return {
        value,
        ...sizeOfOuter(shares),
        bound: outer.bound(shares, charges, counts),
        variance: outer.variance(shares, value, charges, counts),
      };
    },
    loss(name, logits, target) {
      const exact = losses[name].value(logits, target);
      const { bound, variance } = losses[name].errors(logits, target, charges);
      const both = (of: 'outputs' | 'dLogits'): Uncertain => ({
        value: exact[of],
        rows: logits.rows,
        columns: logits.columns,
        bound: bound[of],
        variance: variance[of],
      });
      const one = (of: LossNumbers): Matrix => Float64Array.of(of.loss);
      return {
        outputs: both('outputs'),
        dLogits: both('dLogits'),
        loss: { value: one(exact), rows: 1, columns: 1, bound: one(bound), variance: one(variance) },
      };
    },
    ...moved,
    // what is kept may be multiplied by 1, and be flushed to zero there; zero stays zero
    select: (live, real, kept) => {
      const bound = kept.bound.slice();
      const variance = kept.variance.slice();
      for (let i = 0; i < bound.length; i++) {
        if (isZero(kept, i)) continue;
        bound[i] += charges.floor;
        variance[i] += charges.floor ** 2;
      }
      return moved.select(live, real, { ...kept, bound, variance });
    },
  };
}
