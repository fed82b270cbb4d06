import { formatShape, indexOf, sizeOf, type Tensor } from '../../scratch/index';
import type { Axis } from '../base/problem';
import type { Place, TensorStatus, TensorVerdict, WorstElement } from './verdict';

/** One tensor that must be there: what it is, what it may differ by, what its axes count. */
export interface ExpectedTensor {
  readonly reference: Tensor;
  /** absolute error allowed: for every element alike, or for each of them, row-major */
  readonly allowed: number | Float64Array;
  readonly axes: readonly (string | Axis)[];
  /** where the tolerance comes from */ readonly tolerance: string;
}

/**
 * Compares one tensor with its reference, element by element.
 * Fails for NaN on either side, for infinities that are not the same on both, for a different shape, and for an error that is
 * not <= allowed (so that a NaN tolerance fails as well).
 */
export function compareTensor(
  implementation: string,
  caseId: string,
  name: string,
  expected: ExpectedTensor,
  given: Tensor,
): TensorVerdict {
  const { reference, allowed, axes } = expected;
  const elements = sizeOf(reference.shape);
  const base = { implementation, caseId, tensor: name, elements, tolerance: expected.tolerance };
  const sameShape =
    given.shape.length === reference.shape.length &&
    given.shape.every((size, i) => size === reference.shape[i]);
  if (!sameShape || given.data.length !== elements) {
    const found = given.data.length === sizeOf(given.shape) ? '' : ` with ${given.data.length} numbers`;
    const summed =
      countedBy(axes.at(0)) === 'example' && given.shape.join() === reference.shape.slice(1).join();
    const hint = summed ? ': one row for each example (was it summed over the batch?)' : '';
    const reason = `has shape ${formatShape(given.shape)}${found}, but ${formatShape(reference.shape)} was expected${hint}`;
    return { ...base, status: 'shape', reason, compared: 0, beyond: 0 };
  }
  let worst = -1;
  let worstShare = -1;
  let worstStatus: TensorStatus = 'pass';
  let beyond = 0;
  for (let i = 0; i < elements; i++) {
    const { status, share } = judge(
      reference.data[i],
      given.data[i],
      typeof allowed === 'number' ? allowed : allowed[i],
    );
    if (status !== 'pass') beyond++;
    if (share > worstShare) {
      worst = i;
      worstShare = share;
      worstStatus = status;
    }
  }
  if (worst < 0) {
    return {
      ...base,
      status: 'nothing',
      reason: 'holds no element: nothing was compared',
      compared: 0,
      beyond: 0,
    };
  }
  const element = describe(expected, given, worst);
  const reason = worstStatus === 'pass' ? {} : { reason: explain(worstStatus, beyond, elements) };
  return { ...base, status: worstStatus, ...reason, compared: elements, beyond, worst: element };
}

function judge(reference: number, given: number, allowed: number): { status: TensorStatus; share: number } {
  // NaN ranks above infinity, infinity above every finite excess.
  if (Number.isNaN(reference) || Number.isNaN(given))
    return { status: 'nan', share: Number.POSITIVE_INFINITY };
  if (!Number.isFinite(reference) || !Number.isFinite(given)) {
    return reference === given
      ? { status: 'pass', share: 0 }
      : { status: 'infinity', share: Number.MAX_VALUE };
  }
  const error = Math.abs(given - reference);
  return { status: error <= allowed ? 'pass' : 'differs', share: shareOf(error, allowed) };
}

/** error / allowed, with 0/0 = 0; beyond the tolerance it is always above 1, and stays a finite number. */
function shareOf(error: number, allowed: number): number {
  if (error === 0 && allowed >= 0) return 0;
  const share = error / allowed;
  if (error <= allowed) return Math.min(share, 1);
  return share > 1 && share < Number.MAX_VALUE / 2 ? share : Number.MAX_VALUE / 2;
}

function describe(expected: ExpectedTensor, given: Tensor, flat: number): WorstElement {
  const { reference, allowed, axes } = expected;
  const index = indexOf(flat, reference.shape);
  const bound = typeof allowed === 'number' ? allowed : allowed[flat];
  const { error, usedShare } = judgeElement(reference.data[flat], given.data[flat], bound);
  return {
    index,
    at: placeAt(axes, reference.shape, flat),
    reference: reference.data[flat],
    given: given.data[flat],
    error,
    allowed: bound,
    usedShare,
  };
}

/** Where the number of that index is, by what the axes count. */
export function placeAt(axes: readonly (string | Axis)[], shape: readonly number[], flat: number): Place {
  return Object.fromEntries(
    indexOf(flat, shape).flatMap((at, axis) => placeOn(axes.at(axis) ?? `axis${axis}`, at)),
  );
}

const countedBy = (axis: string | Axis | undefined): string | undefined =>
  typeof axis === 'object' ? axis.counts : axis;

/** A place along an axis; where gates lie side by side, the gate and the place in its block. */
function placeOn(axis: string | Axis, at: number): (readonly [string, number | string])[] {
  if (typeof axis === 'string') return axis === '' ? [] : [[axis, at]];
  const { counts, size, gates } = axis;
  if (gates === undefined) return [[counts, at]];
  const width = size / gates.length;
  return [
    ['gate', gates[Math.floor(at / width)]],
    [counts, at % width],
  ];
}

/** The status of one element, its error, and the share of the allowed error that it used. */
export function judgeElement(
  reference: number,
  given: number,
  allowed: number,
): Pick<TensorVerdict, 'status'> & Pick<WorstElement, 'error' | 'usedShare'> {
  const error = reference === given ? 0 : Math.abs(given - reference);
  const usedShare = Number.isFinite(error) ? shareOf(error, allowed) : error;
  return { status: judge(reference, given, allowed).status, error, usedShare };
}

function explain(status: TensorStatus, beyond: number, elements: number): string {
  const count = `${beyond} of ${elements} element${elements === 1 ? '' : 's'}`;
  if (status === 'nan') return `NaN is never equal to anything; ${count} fail`;
  if (status === 'infinity') return `an infinity is compared with a different value; ${count} fail`;
  return `${count} beyond the tolerance`;
}

/**
 * Compares named tensors: every expected one must be there, and no other.
 *
 * @param expected what must be there
 * @param given what the side answered
 * @param compare how two tensors are compared; default by their tolerances
 * @param omits names declared beforehand not to be given; they are counted, and still compared when given after all
 */
export function compareTensors(
  implementation: string,
  caseId: string,
  expected: ReadonlyMap<string, ExpectedTensor>,
  given: ReadonlyMap<string, Tensor>,
  omits: ReadonlySet<string> = new Set(),
  compare: typeof compareTensor = compareTensor,
): TensorVerdict[] {
  const verdicts: TensorVerdict[] = [];
  for (const [name, item] of expected) {
    const tensor = given.get(name);
    if (tensor !== undefined) {
      verdicts.push(compare(implementation, caseId, name, item, tensor));
      continue;
    }
    const omitted = omits.has(name);
    verdicts.push({
      implementation,
      caseId,
      tensor: name,
      status: omitted ? 'omitted' : 'missing',
      reason: omitted
        ? 'declared beforehand as not given'
        : `is missing; give it, or declare it: omits: ["${name}"]`,
      elements: sizeOf(item.reference.shape),
      compared: 0,
      beyond: 0,
    });
  }
  for (const name of given.keys()) {
    if (expected.has(name)) continue;
    verdicts.push({
      implementation,
      caseId,
      tensor: name,
      status: 'extra',
      reason: `was not asked for; this case asks for ${[...expected.keys()].join(', ') || 'nothing'}`,
      elements: 0,
      compared: 0,
      beyond: 0,
    });
  }
  return verdicts;
}
