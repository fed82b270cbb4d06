import { concatenated, transposed } from '../../base/tensor-moves';
import { mergedDirections, withAxes } from './graph-reader';
import type { Operation, Step } from './step';
import { flattened } from './layer-operations';
import { cut } from './positions';
import type { Constant } from './tensors';
import { axesOf, inWords, place, zeros, type Axis, type Pile, type Signal, type Value } from './values';

/** Operations that move numbers and compute none. */
export const axisOperations: Readonly<Record<string, Operation>> = {
  Slice(step) {
    const value = step.input(0);
    const [starts, ends] = [step.integers(1, 'starts'), step.integers(2, 'ends')];
    if (starts === undefined || ends === undefined) throw step.refuse('has no starts and ends');
    const axes = step.integers(3, 'axes') ?? starts.map((_, i) => i);
    const steps = step.integers(4, 'steps') ?? starts.map(() => 1);
    return axes.reduce<Value>(
      (from, axis, i) => cut(step, from, axis, starts[i], ends[i], steps[i]),
      value ?? zeros,
    );
  },
  Split(step) {
    const value = step.pile(step.number('axis', 0), 'splits', step.node.output.length);
    return value.parts.map((part): Pile => ({ ...value, parts: [part] }));
  },
  Transpose(step) {
    const value = step.input(0);
    if (value?.kind === 'zeros') return zeros;
    const rank =
      value?.kind === 'constant'
        ? value.shape.length
        : value?.kind === 'signal' || value?.kind === 'pile'
          ? axesOf(value).length
          : 0;
    const perm = step.integers(-1, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    if (rank === 0 || perm.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== rank)
      throw step.refuse(`has perm [${perm.join(', ')}] for ${inWords(value)}`);
    if (value?.kind === 'constant') return transposed(value, perm);
    const axes = axesOf(value as Signal);
    return withAxes(
      value as Signal,
      perm.map((axis) => axes[axis]),
    );
  },
  Unsqueeze(step) {
    const value = step.input(0);
    const axes = step.integers(1, 'axes');
    if (axes === undefined) throw step.refuse('has no axes');
    if (value?.kind === 'zeros' || value?.kind === 'sizes') return value;
    if (value?.kind === 'constant') {
      const shape = [...value.shape];
      for (const axis of axes) shape.splice(place(axis, value.shape.length + axes.length), 0, 1);
      return { ...value, shape };
    }
    if (value?.kind !== 'signal' || axes.length !== 1) throw step.refuse(`adds axes to ${inWords(value)}`);
    return { kind: 'pile', parts: [value], at: place(axes[0], value.axes.length + 1) };
  },
  Squeeze(step) {
    const value = step.input(0);
    const axes = step.integers(1, 'axes');
    if (value?.kind === 'zeros' || value?.kind === 'sizes') return value;
    if (value?.kind === 'constant') {
      const gone = axes?.map((axis) => place(axis, value.shape.length));
      return { ...value, shape: value.shape.filter((n, i) => !(gone?.includes(i) ?? n === 1)) };
    }
    if (value?.kind === 'pile' && value.parts.length === 1) {
      const [axis = value.at] = axes ?? [];
      if ((axes ?? [axis]).length === 1 && place(axis, axesOf(value).length) === value.at)
        return value.parts[0];
    }
    throw step.refuse(`takes axes [${axes?.join(', ') ?? 'of size 1'}] away from ${inWords(value)}`);
  },
  Concat(step) {
    const values = step.node.input.map((_, i) => step.input(i));
    const axis = step.number('axis', 0);
    if (values.every((value) => value?.kind === 'zeros')) return zeros;
    if (values.every((value): value is Constant => value?.kind === 'constant')) {
      const at = place(axis, values[0].shape.length);
      const isFit = values.every(
        ({ shape }) =>
          shape.length === values[0].shape.length &&
          shape.every((n, i) => i === at || n === values[0].shape[i]),
      );
      if (!isFit || at < 0) throw step.refuse('joins constants whose shapes do not fit');
      return step.constantWithin(concatenated(values, at));
    }
    if (values.every((value) => value?.kind === 'sizes' || value?.kind === 'constant')) {
      const items = values.flatMap((value) =>
        value.kind === 'sizes' ? value.items : Array.from(value.data),
      );
      if (items.length > 16) throw step.refuse(`makes a shape of ${items.length} axes`);
      return { kind: 'sizes', items };
    }
    if (values.every((value): value is Pile => value?.kind === 'pile')) {
      const parts = values.flatMap((value) => value.parts);
      const isSame = values.every(({ at }) => at === values[0].at);
      if (isSame && place(axis, axesOf(values[0]).length) === values[0].at && parts.length <= 64)
        return { ...values[0], parts };
    }
    if (values.every((value): value is Signal => value?.kind === 'signal')) {
      const merged =
        place(axis, values[0].axes.length) === values[0].axes.length - 1
          ? mergedDirections(values, 'concat')
          : undefined;
      if (merged !== undefined) return merged;
    }
    throw step.refuse(
      `joins ${values.map(inWords).join(' and ')}, where the two directions of a layer were expected`,
    );
  },
  Reshape,
};

/** Shapes that say the same in another way; the directions side by side; rows of all steps below each other, and back. */
function Reshape(step: Step): Value {
  const value = step.input(0);
  if (value?.kind === 'zeros' || value?.kind === 'sizes') return value;
  const given = step.shape(1);
  if (value?.kind === 'constant') {
    const shape = given.map((n, i) => (n === 0 ? value.shape[i] : n));
    const known = shape
      .filter((n): n is number => typeof n === 'number' && n >= 0)
      .reduce((a, b) => a * b, 1);
    const filled = shape.map((n) => (n === -1 ? value.data.length / known : n)) as number[];
    if (
      !filled.every((n) => Number.isSafeInteger(n) && n >= 0) ||
      filled.reduce((a, b) => a * b, 1) !== value.data.length
    )
      throw step.refuse(
        `gives ${inWords(value)} the shape [${given.map((n) => (typeof n === 'number' ? n : 'any')).join(', ')}]`,
      );
    return { ...value, shape: filled };
  }
  if (value === undefined) throw step.refuse('reads nothing');
  const axes = axesOf(value);
  const words = (list: readonly (number | Axis | undefined)[]): string =>
    list.map((n) => (typeof n === 'number' ? n : (n?.role ?? n?.size ?? 'any'))).join(', ');
  const refuse = () => step.refuse(`gives [${words(axes)}] the shape [${words(given)}]`);
  /** whether an entry of the new shape can be this axis */
  const is = (i: number, axis: Axis | undefined): boolean => {
    const n = given[i];
    if (typeof n !== 'number')
      return n === axis || (axis !== undefined && n.size !== null && n.size === axis.size);
    return n === -1 || n === 0 || axis?.size === null || n === axis?.size || (axis === undefined && n === 1);
  };
  if (value.kind === 'pile') {
    const { at, parts } = value;
    const [first] = parts;
    if (
      parts.length === 1 &&
      given.length === first.axes.length &&
      first.axes.every((axis, i) => is(i, axis))
    )
      return first;
    const merged =
      at === axes.length - 2 && given.length === axes.length - 1
        ? mergedDirections(parts, 'concat')
        : undefined;
    if (merged?.axes.every((axis, i) => is(i, axis)) !== true) throw refuse();
    return merged;
  }
  if (given.length === axes.length && value.axes.every((axis, i) => is(i, axis))) {
    // a size that the file leaves open elsewhere is said here
    value.axes.forEach((axis, i) => {
      const n = given[i];
      if (typeof n === 'number' && n > 0) axis.size ??= n;
    });
    return value;
  }
  if (given.length === 2 && axes.length === 3) {
    const [first, second, features] = value.axes;
    const whole = second.size === null || features.size === null ? null : second.size * features.size;
    const isFlat =
      typeof given[1] === 'number' &&
      given[1] !== features.size &&
      (given[1] === -1 || whole === null || given[1] === whole);
    if (isFlat) return flattened(step, value);
    if (!is(1, features)) throw refuse();
    return { ...value, axes: [{ size: null, parts: [first, second] }, features] };
  }
  const [rows, features] = value.axes as readonly (Axis | undefined)[];
  if (
    given.length === 3 &&
    rows?.parts !== undefined &&
    is(0, rows.parts[0]) &&
    is(1, rows.parts[1]) &&
    is(2, features)
  )
    return { ...value, axes: [...rows.parts, features!] };
  const one = given.findIndex((n) => n === 1);
  if (given.length === axes.length + 1 && one >= 0) return { kind: 'pile', parts: [value], at: one };
  throw refuse();
}
