import type { Machine } from '../machine';
import type { MachineProducts } from '../products';
import type { GateEntry } from '../parity-gate';
import type { BenchSize, Sweep } from '../size';
import type { Speedup, Spread } from '../statistics';
import type { Task } from '../task';

/** What one run of `bench` found: the JSON it writes, and what every report is made from. */
export interface BenchReport {
  readonly format: 'rnn-parity-bench';
  readonly version: 1;
  /** ISO 8601 */ readonly started: string;
  readonly finished: string;
  /** the arguments, so that it can be run again */ readonly command: readonly string[];
  readonly seed: number;
  readonly machine: Machine;
  /** what float32 products reach here; absent where no engine measures it */ readonly products?: MachineProducts;
  /** load, or others' share of the processors, above what allows quiet numbers */
  readonly warnings: readonly string[];
  /** the engine that speed-ups are over; absent when nothing was timed */ readonly baseline?: string;
  /** library to version, per engine that ran */
  readonly versions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** engines asked for that cannot run here, with the reason */
  readonly absent: readonly Absence[];
  readonly sizes: readonly SizeReport[];
  readonly sweeps: readonly SweepReport[];
  readonly endurance: readonly EnduranceReport[];
}

export interface Absence {
  readonly engine: string;
  readonly reason: string;
}

/** All engines at one size. */
export interface SizeReport {
  readonly size: BenchSize;
  readonly engines: readonly EngineReport[];
  readonly tasks: readonly TaskReport[];
}

/** One engine at one size, apart from its times. */
export interface EngineReport {
  readonly engine: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** loading its libraries, milliseconds */ readonly loadMilliseconds: number;
  /** resident bytes of its process with the libraries loaded and nothing built */ readonly loadedBytes: number;
  /** what was compared with scratch before timing */ readonly parity: readonly GateEntry[];
  /** `wrong`: not parity, so not timed; `slow`, `died`: what happened on the way */
  readonly failures: readonly EngineFailureNote[];
}

export interface EngineFailureNote {
  readonly kind: 'wrong' | 'slow' | 'failed';
  readonly during: Task | 'parity' | 'open';
  readonly message: string;
}

/** One task at one size, all engines interleaved. */
export interface TaskReport {
  readonly task: Task;
  readonly rounds: number;
  /** share of the machine's processor time that went to other processes meanwhile; absent where it cannot be measured */
  readonly othersShare?: number;
  readonly results: readonly TaskResult[];
}

export interface TaskResult {
  readonly engine: string;
  /** the first call, which may compile; milliseconds */ readonly firstMilliseconds: number;
  /** calls timed together in one round */ readonly callsPerRound: number;
  /** milliseconds per call, round by round; null where it was not measured */
  readonly milliseconds: readonly (number | null)[];
  readonly spread: Spread;
  /** over the baseline; absent where the baseline was not measured */ readonly speedup?: Speedup;
  /** before the first and after the last timed round */
  readonly memory: { readonly before: MemoryReading; readonly after: MemoryReading };
}

/** Resident bytes of an engine's process, and living tensors where its library counts them. */
export interface MemoryReading {
  readonly rssBytes: number;
  readonly tensors?: number;
}

/** One axis: the sizes' reports are among `sizes`, by name. */
export interface SweepReport extends Sweep {
  readonly base: BenchSize;
  readonly task: Task;
  /** names of the sizes, in the order of the values */ readonly sizes: readonly string[];
  readonly crossovers: readonly Crossover[];
}

/** Where the fastest engine changes along a sweep. */
export interface Crossover {
  /** the faster one below `at` */ readonly below: string;
  /** the faster one above `at` */ readonly above: string;
  /** where their lines meet, read between two measured values on log-log axes */ readonly at: number;
  /** the two measured values around it */ readonly between: readonly [number, number];
}

/** Memory of one engine over many training steps, and over many models built and released. */
export interface EnduranceReport {
  readonly engine: string;
  readonly size: BenchSize;
  readonly steps: EnduranceSeries;
  readonly cycles: EnduranceSeries;
  readonly failures: readonly EngineFailureNote[];
}

export interface EnduranceSeries {
  readonly task: Task;
  /** memory after so many calls; the first reading is after warm-up */
  readonly readings: readonly (MemoryReading & { readonly calls: number })[];
}
