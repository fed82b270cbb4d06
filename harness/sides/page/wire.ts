import { makeTensor, type Tensor } from '../../../scratch/index';
import {
  evaluationOf,
  expectedNames,
  fieldsOf,
  tensorOf,
  type AnyProblem,
  type Evaluation,
} from '../../base/problem';

/** A problem on its way to a page. */
export interface Asked {
  readonly id: number;
  /** `browser:webgl` */ readonly side: string;
  readonly problem: AnyProblem;
}

/** What a side of a page threw. */
export interface Thrown {
  readonly message: string;
  readonly trace: string;
}

/** A page's answer, or what it threw. */
export type Answered =
  { readonly id: number; readonly answer: Evaluation } | (Thrown & { readonly id: number });

/** JSON holds no NaN, no infinities and no -0, so the numbers travel as the bits of float64, in base64. */
interface Packed {
  readonly bits: string;
  readonly shape: readonly number[];
}

function pack({ data, shape }: Tensor): Packed {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { bits: btoa(text), shape };
}

function unpack({ bits, shape }: Packed): Tensor {
  const bytes = Uint8Array.from(atob(bits), (character) => character.charCodeAt(0));
  return makeTensor(new Float64Array(bytes.buffer), shape);
}

const isPacked = (value: unknown): value is Packed =>
  typeof value === 'object' && value !== null && 'bits' in value && 'shape' in value;

const revive = (_key: string, value: unknown): unknown => (isPacked(value) ? unpack(value) : value);

export function writeAsked({ id, side, problem }: Asked): string {
  return JSON.stringify({ id, side, problem: { id: problem.id, ...fieldsOf(problem, pack) } });
}

export function readAsked(text: string): Asked {
  return JSON.parse(text, revive) as Asked;
}

/** @param problem that was asked: its answer has these tensors and no others */
export function writeAnswered({ id, problem }: Asked, answered: Evaluation | Thrown): string {
  if ('message' in answered) return JSON.stringify({ id, ...answered });
  const tensors = expectedNames(problem).flatMap((name) => {
    const tensor = tensorOf(answered, name);
    return tensor === undefined ? [] : [[name, pack(tensor)]];
  });
  return JSON.stringify({ id, tensors: Object.fromEntries(tensors) as unknown });
}

/**
 * @param problemOf what was asked under that number
 * @throws Error where it is no answer of a page to anything that was asked
 */
export function readAnswered(text: string, problemOf: (id: number) => AnyProblem | undefined): Answered {
  const found = JSON.parse(text, revive) as {
    readonly id?: unknown;
    readonly tensors?: Readonly<Record<string, Tensor>>;
    readonly message?: unknown;
    readonly trace?: unknown;
  };
  const problem = typeof found.id === 'number' ? problemOf(found.id) : undefined;
  if (typeof found.id !== 'number' || problem === undefined)
    throw new Error(`the page sent an answer to problem ${String(found.id)}, which was not asked`);
  const { id, tensors } = found;
  if (tensors === undefined)
    return { id, message: String(found.message), trace: typeof found.trace === 'string' ? found.trace : '' };
  const known = expectedNames(problem).filter((name) => Object.hasOwn(tensors, name));
  return { id, answer: evaluationOf(new Map(known.map((name) => [name, tensors[name]]))) };
}
