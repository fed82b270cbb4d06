import type { MergeMode, RecurrentConfig } from '../../../scratch/index';
import type { StoredTensor } from '../assemble';
import type { Size, Source } from '../description';
import type { Constant } from './tensors';

/** An axis of a tensor inside the graph. What it is may become known later, when an operation reads it. */
export interface Axis {
  role?: 'batch' | 'time' | 'features';
  size: Size;
  /** two axes as one: time and batch, in the order in which they lie */ readonly parts?: readonly [
    Axis,
    Axis,
  ];
}

/** An LSTM, GRU or RNN operation: which layers it becomes follows from what is read of it. */
export interface Recurrent {
  readonly name: string;
  readonly kind: string;
  readonly config: RecurrentConfig;
  /** by direction: kernel, recurrentKernel, bias */
  readonly weights: readonly Readonly<Record<string, StoredTensor>>[];
  readonly reads: Source;
  readonly initialStates?: readonly Source[];
  /** `all:concat`: every step, both directions side by side; `final:none` */ readonly asked: Set<string>;
}

/** Where the numbers of a signal come from. */
export type From =
  | { readonly source: Source }
  /** one direction of an operation: every step, or one of its final states */
  | { readonly recurrent: Recurrent; readonly what: 'all' | 'h' | 'c'; readonly direction: number }
  /** both directions */
  | { readonly recurrent: Recurrent; readonly what: 'all' | 'h'; readonly merge: MergeMode };

/** What a layer gives, or an input. */
export interface Signal {
  readonly kind: 'signal';
  readonly from: From;
  readonly axes: readonly Axis[];
  /** whether the time runs against that of `from` */ readonly flipped?: boolean;
  /** whether a Cast cut off the fractions of `from` */ readonly isWhole?: boolean;
}

/** Signals side by side along an axis of its own: directions, layers, or a single one with an axis of size 1. */
export interface Pile {
  readonly kind: 'pile';
  readonly parts: readonly Signal[];
  /** which axis that is */ readonly at: number;
}

/** Sizes of axes, as the operation Shape gives them. */
export interface Sizes {
  readonly kind: 'sizes';
  readonly items: readonly (number | Axis)[];
}

/** Zeros of whatever shape: initial states. */
export interface Zeros {
  readonly kind: 'zeros';
}

export type Value = Constant | Signal | Pile | Sizes | Zeros;

/** All axes of a signal or a pile; that of a pile is undefined. */
export const axesOf = (value: Signal | Pile): (Axis | undefined)[] =>
  value.kind === 'signal'
    ? [...value.axes]
    : [...value.parts[0].axes].toSpliced(value.at, 0, undefined as never);

/** What a value is, for messages. */
export function inWords(value: Value | undefined): string {
  switch (value?.kind) {
    case undefined:
      return 'nothing';
    case 'constant':
      return `a constant [${value.shape.join(', ')}]`;
    case 'signal':
      return `what a layer gives [${value.axes.map(({ role, size }) => role ?? size ?? 'any').join(', ')}]`;
    case 'pile':
      return `${value.parts.length} tensors in one`;
    case 'sizes':
      return 'the sizes of a tensor';
    case 'zeros':
      return 'zeros';
  }
}

/** -1 is the last axis. */
export const place = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const zeros: Zeros = { kind: 'zeros' };
