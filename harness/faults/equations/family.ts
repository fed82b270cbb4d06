import type { Tensor } from '../../../scratch/index';
import type { EquationFault } from './fault';
import type { About, Change } from './pass-fault';

/** Tensors by name. */
export type Answer = ReadonlyMap<string, Tensor>;

/** Mistakes that differ by a number alone. */
export interface Family {
  readonly about: About;
  readonly words: (number: string) => string;
  readonly change: (number: number) => Change;
  /** the number with which the network is right */ readonly right: number;
  /** what the number may be, where the answer shows it; default: it is fitted */
  readonly read?: (given: Answer) => readonly number[];
}

/** Where the first wrong number of an answer is. */
export interface FirstWrong {
  readonly layer?: string;
  readonly phase: EquationFault['phase'];
  /** `h`, `dz[f]`, `gradients.kernel` */ readonly quantity: string;
}

/** "is 0.5 times what it should be" */
export const isTimes = (n: string): string => `is ${n} times what it should be`;

/** Thresholds that people write, tried where the answer does not show the one that was taken. */
export const customary: readonly number[] = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 50, 100];

export const clipped = (x: number, most: number): number => Math.min(Math.max(x, -most), most);

export const largest = (tensor: Tensor | undefined): number =>
  tensor?.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0) ?? NaN;

export const timesOf = ({ data, shape }: Tensor, n: number): Tensor => ({
  shape,
  data: data.map((x) => n * x),
});
