import { isFrameworkName } from '../base/framework-names';
import { formatLayers } from '../base/layers-text';
import { isLayered, sizesOf, type AnyProblem, type Phase, type ProblemSizes } from '../base/problem';
import { exitCodes, type ExitCode } from '../base/outcome';
import type { Networks } from '../problems/index';
import type { Shard } from './series';
import type { Versions } from './versions';

export const summaryFormat = 'rnn-parity-fuzz/1';

/** The sizes of a problem; of a layered one its layers, as `--layers` has them. */
export type CaseSizes =
  | ProblemSizes
  | {
      readonly batch: number;
      readonly timeSteps: number;
      /** absent where the network reads integers */ readonly features?: number;
      readonly layers: string;
    };

export function sizesOfCase(problem: AnyProblem): CaseSizes {
  if (!isLayered(problem)) return sizesOf(problem);
  const { inputs, model } = problem;
  const [batch, timeSteps, features] = inputs.shape as readonly (number | undefined)[] as [
    number,
    number,
    number?,
  ];
  return {
    batch,
    timeSteps,
    ...(features !== undefined && { features }),
    layers: formatLayers(model.layers),
  };
}

/** Failures of one side that look alike: same phase, same tensor, seen in the same view. */
export interface FailureGroup {
  /** `backward: dPreActivations (results)`, or the error, numbers aside */ readonly signature: string;
  /** where the mistake of the first begins: the first quantity that is wrong although its inputs are right */ readonly phase?: Phase;
  readonly tensor?: string;
  /** the steps of the shrunk problem whose own equation is wrong, counted from 0; absent where no step is wrong or the steps cannot be seen */
  readonly timeSteps?: readonly number[];
  /** the side at fault, according to the referees: `scratch`, the side's name, `both` or `undecided` */ readonly side?: string;
  /** fault classes that the first looks like */ readonly kind?: readonly string[];
  readonly error?: string;
  /** number of problems that failed in this way */ readonly count: number;
  /** the first of them in the series */ readonly first: number;
  /** what the first was shrunk to */ readonly sizes: CaseSizes;
  /** its case file; absent where it could not be written */ readonly file?: string;
  /** why it could not be written */ readonly unsaved?: string;
}

/** The results of the problems that ran on one side. */
export interface SideSummary {
  readonly name: string;
  readonly status: 'ran' | 'not run';
  /** when it did not run: exit code 3 */ readonly required: boolean;
  /** why it did not run, or stopped early */ readonly reason?: string;
  readonly version?: string;
  /** problems that ran on it: pass + ill + fail + errors */ readonly cases: number;
  readonly pass: number;
  /** ill-conditioned: neither right nor wrong */ readonly ill: number;
  readonly fail: number;
  /** it threw */ readonly errors: number;
  /** problems that did not run on it, by the reason */ readonly left: Readonly<Record<string, number>>;
  /** numbers compared */ readonly compared: number;
  /** seconds spent on it, shrinking aside */ readonly seconds: number;
  readonly failures: readonly FailureGroup[];
}

/** What one shard did. */
export interface ShardSummary extends Shard {
  /** number of problems of the series that the shard took */ readonly cases: number;
  readonly seconds: number;
  /** Ctrl-C ended it early */ readonly interrupted: boolean;
}

export interface FuzzSummary {
  readonly format: typeof summaryFormat;
  readonly versions: Versions;
  readonly seed: number;
  /** length of the series: a number of problems, or seconds for each shard */
  readonly plan: { readonly cases: number } | { readonly seconds: number };
  readonly candidate?: string;
  /** the networks that the problems are about; absent for the simple RNN */ readonly networks?: Networks;
  readonly shards: readonly ShardSummary[];
  readonly sides: readonly SideSummary[];
  readonly verdict: 'parity' | 'mismatch' | 'error' | 'backend not run' | 'interrupted';
  /** what is wrong with the run itself: nothing was shown */ readonly faults: readonly string[];
  readonly exitCode: ExitCode;
}

/** What was found; the conclusion is drawn from it alone. */
export type FuzzFindings = Omit<FuzzSummary, 'format' | 'verdict' | 'faults' | 'exitCode'>;

/** As for `parity`: an error outranks a mismatch, that a required side that did not run, and that an interruption. */
export function conclude(findings: FuzzFindings): FuzzSummary {
  const { sides, shards } = findings;
  const faults = faultsOf(findings);
  const interrupted = shards.some((shard) => shard.interrupted);
  const verdict = sides.some(({ errors }) => errors > 0)
    ? 'error'
    : sides.some(({ fail }) => fail > 0)
      ? 'mismatch'
      : sides.some((side) => side.required && isAbsent(side))
        ? 'backend not run'
        : interrupted
          ? 'interrupted'
          : faults.length > 0
            ? 'error'
            : 'parity';
  const exitCode = {
    parity: exitCodes.parity,
    mismatch: exitCodes.mismatch,
    error: exitCodes.usage,
    'backend not run': exitCodes.backendNotRun,
    interrupted: exitCodes.interrupted,
  }[verdict];
  return { format: summaryFormat, ...findings, verdict, faults, exitCode };
}

/** Whether it could not be opened, or is a framework that has none of what the problems ask for. */
export const isAbsent = ({ name, status, cases, errors, left }: SideSummary): boolean =>
  status === 'not run' ||
  (isFrameworkName(name) && cases === 0 && errors === 0 && Object.keys(left).length > 0);

/** A run that shows nothing proves nothing, and every problem must be accounted for. */
function faultsOf({ sides, shards }: FuzzFindings): string[] {
  const taken = shards.reduce((sum, { cases }) => sum + cases, 0);
  const ran = sides.filter(({ status }) => status === 'ran');
  const faults: string[] = [];
  if (ran.length === 0) faults.push('no side ran: nothing was compared');
  for (const { name, cases, pass, ill, fail, errors, left: reasons } of ran) {
    const left = Object.values(reasons).reduce((sum, n) => sum + n, 0);
    if (pass === 0 && fail === 0 && errors === 0)
      faults.push(
        `${name}: of ${taken} problems none could show anything (${ill} ill-conditioned, ${left} not run on it)`,
      );
    const cut = errors > 0 || shards.some(({ interrupted }) => interrupted);
    if (pass + ill + fail + errors !== cases || (!cut && cases + left !== taken))
      faults.push(
        `${name}: ${taken} problems were taken, but ${cases} ran on it and ${left} were left out: not all are accounted for`,
      );
  }
  return faults;
}
