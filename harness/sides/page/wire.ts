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
  /** it gave no answer in time, also when it was asked again alone */ readonly unanswered?: boolean;
}

/** A page's answer with its engine, device and browser, or what it threw. */
export type Answered =
  | { readonly id: number; readonly answer: Evaluation; readonly version: string }
  | (Thrown & { readonly id: number });

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

const packed = (problem: AnyProblem): object => ({ id: problem.id, ...fieldsOf(problem, pack) });

export function writeAsked({ id, side, problem }: Asked): string {
  return JSON.stringify({ id, side, problem: packed(problem) });
}

export function writeProblem(problem: AnyProblem): string {
  return JSON.stringify(packed(problem));
}

export function readWritten(text: string): AnyProblem {
  return JSON.parse(text, revive) as AnyProblem;
}

export function readAsked(text: string): Asked {
  return JSON.parse(text, revive) as Asked;
}

/**
 * @param problem that was asked: its answer has these tensors and no others
 * @param version of the engine, its device, and the browser
 */
export function writeAnswered({ id, problem }: Asked, answered: Evaluation | Thrown, version = ''): string {
  if ('message' in answered) {
    const { message, trace, unanswered } = answered;
    return JSON.stringify({ id, message, trace, unanswered });
  }
  const tensors = expectedNames(problem).flatMap((name) => {
    const tensor = tensorOf(answered, name);
    return tensor === undefined ? [] : [[name, pack(tensor)]];
  });
  return JSON.stringify({ id, version, tensors: Object.fromEntries(tensors) as unknown });
}

/**
 * @param problemOf what was asked under that number
 * @throws Error where it is no answer of a page to anything that was asked
 */
export function readAnswered(text: string, problemOf: (id: number) => AnyProblem | undefined): Answered {
  const found = JSON.parse(text, revive) as Readonly<Record<string, unknown>> & {
    readonly tensors?: Readonly<Record<string, Tensor>>;
  };
  const problem = typeof found.id === 'number' ? problemOf(found.id) : undefined;
  if (typeof found.id !== 'number' || problem === undefined)
    throw new Error(`the page sent an answer to problem ${String(found.id)}, which was not asked`);
  const { id, tensors, message, trace, version, unanswered } = found;
  if (tensors === undefined)
    return {
      ...{ id, message: String(message), trace: typeof trace === 'string' ? trace : '' },
      ...(unanswered === true && { unanswered }),
    };
  const known = expectedNames(problem).filter((name) => Object.hasOwn(tensors, name));
  const answer = evaluationOf(new Map(known.map((name) => [name, tensors[name]])));
  return { id, answer, version: typeof version === 'string' ? version.slice(0, 500) : '' };
}
