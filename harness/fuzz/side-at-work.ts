import type { OpenSide, SideSource } from '../sides/index';
import { UsageError } from '../base/outcome';
import { isLayered, type AnyProblem, type Implementation } from '../base/problem';
import { diagnoseKept } from './diagnose-saved';
import { keepCase } from './save-case';
import { put, signatureOf, withFaultClass, type Finding } from './judge-problem';
import type { FuzzCase } from './series';
import { shrinkFailure } from './shrink';
import { sizesOfCase, type FailureGroup, type SideSummary } from './summary';
import { versionsOf } from './versions';

/** A side to run problems on, and how the command line names it. */
export interface FuzzSide {
  readonly source: SideSource;
  /** for --backends */ readonly backend?: string;
  /** for --candidate */ readonly candidate?: string;
}

interface SideOptions {
  readonly seed?: number;
  readonly out: string;
  readonly shrinkSeconds?: number;
  readonly signal?: AbortSignal;
}

/** One side, and the results of the problems that ran on it. */
export class SideAtWork {
  shrinkingMs = 0;
  private readonly count = { cases: 0, pass: 0, ill: 0, fail: 0, errors: 0, compared: 0 };
  private readonly left = new Map<string, number>();
  private readonly groups = new Map<string, FailureGroup>();
  private milliseconds = 0;
  private stopped: string | undefined;
  /** Ctrl-C ended the process of a candidate during a problem, which is not counted */ isCut = false;
  private noted: Promise<void> = Promise.resolve();
  private readonly open: OpenSide | undefined;

  constructor(
    readonly name: string,
    private readonly side: FuzzSide,
    open: OpenSide | string,
    private readonly options: SideOptions,
  ) {
    if (typeof open === 'string') this.stopped = open;
    else this.open = open;
  }

  /** whether it takes no more problems */
  get isDone(): boolean {
    return this.stopped !== undefined;
  }

  /** the layers that it declares, where it answers problems about these only */
  get declaredLayers(): readonly string[] | undefined {
    return this.open?.implementation.layered?.declared;
  }

  /** whether it may be asked while others compute */
  get isElsewhere(): boolean {
    return this.open?.isElsewhere === true;
  }

  private get mayRefuse(): boolean {
    return this.open?.candidate === true;
  }

  /** Runs a problem; several may be under way, and what they show is noted in the order in which they were given. */
  take(given: FuzzCase): Promise<void> {
    if (this.open === undefined || this.isDone) return this.noted;
    const reason = whyNot(this.open, given.problem);
    if (reason !== undefined) {
      this.leave(reason);
      return this.noted;
    }
    const { implementation } = this.open;
    const running = this.run(implementation, given);
    this.noted = this.noted.then(async () => this.keep(given, await running, implementation));
    return this.noted;
  }

  private async run(implementation: Implementation, given: FuzzCase): Promise<Finding> {
    const started = performance.now();
    const finding = await put(implementation, given.problem, this.mayRefuse);
    this.milliseconds += performance.now() - started;
    return finding;
  }

  private async keep(given: FuzzCase, finding: Finding, implementation: Implementation): Promise<void> {
    // it ended on a problem before this one
    if (this.isDone) return;
    if (finding.refused !== undefined) {
      this.leave(finding.refused);
      return;
    }
    // Ctrl-C reaches a candidate's process as well: its end is then not an error of the candidate
    if (finding.fatal && (await isStopped(this.options.signal))) {
      this.isCut = true;
      return;
    }
    const { status } = finding.verdict;
    this.count.cases++;
    this.count[status === 'error' ? 'errors' : status]++;
    this.count.compared += finding.compared;
    const signature = signatureOf(finding.verdict, given.problem);
    if (signature !== undefined) await this.note(signature, given, finding, implementation);
  }

  private leave(reason: string): void {
    this.left.set(reason, (this.left.get(reason) ?? 0) + 1);
  }

  private async note(
    signature: string,
    given: FuzzCase,
    plain: Finding,
    implementation: Implementation,
  ): Promise<void> {
    const known = this.groups.get(signature);
    if (known !== undefined) {
      this.groups.set(signature, { ...known, count: known.count + 1 });
    } else {
      const started = performance.now();
      const { shrinkSeconds = 20, signal, out, seed = 1 } = this.options;
      const seconds = plain.unanswered === true ? 0 : shrinkSeconds;
      const { mayRefuse } = this;
      const finding = await withFaultClass(implementation, plain);
      const shrunk = await shrinkFailure(implementation, given, finding, { seconds, signal, mayRefuse });
      const diagnosis = await diagnoseKept(implementation, shrunk.finding);
      const { backend, candidate } = this.side;
      const kept = await keepCase(out, shrunk, {
        id: given.id,
        side: {
          name: this.name,
          ...(backend !== undefined && { backend }),
          ...(candidate !== undefined && { candidate }),
        },
        versions: versionsOf([this.summary()]),
        seed,
        index: given.index,
        caseSeed: given.caseSeed,
        ...(given.networks && { networks: given.networks }),
        diagnosis,
      }).then(
        (file) => ({ file }),
        (error: unknown) => {
          // what was found is worth more than its file
          if (error instanceof UsageError) return { unsaved: error.message };
          throw error;
        },
      );
      this.shrinkingMs += performance.now() - started;
      const { kind, error } = finding.verdict;
      const { phase, tensor } = diagnosis ?? finding.verdict;
      this.groups.set(signature, {
        signature,
        ...(phase && { phase }),
        ...(tensor !== undefined && { tensor }),
        ...(diagnosis?.timeSteps && { timeSteps: diagnosis.timeSteps }),
        ...(diagnosis && { side: diagnosis.side }),
        ...(kind && { kind }),
        ...(error !== undefined && { error }),
        count: 1,
        first: given.index,
        sizes: sizesOfCase(shrunk.problem),
        ...kept,
      });
      if (shrunk.finding.fatal || shrunk.shrinking.ended === 'side ended')
        this.stopped = `stopped at number ${given.index}: ${shrunk.finding.verdict.error ?? 'its process ended'}`;
    }
  }

  summary(): SideSummary {
    const { version } = this.open ?? {};
    return {
      name: this.name,
      status: this.open === undefined ? 'not run' : 'ran',
      required: this.side.source.required,
      ...(this.stopped !== undefined && { reason: this.stopped }),
      ...(version !== undefined && { version }),
      ...this.count,
      left: Object.fromEntries(this.left),
      seconds: this.milliseconds / 1000,
      failures: [...this.groups.values()],
    };
  }

  dispose(): void {
    this.open?.implementation.dispose?.();
  }
}

/** Why a problem does not run on a side; undefined where it does. */
function whyNot({ masks, implementation }: OpenSide, problem: AnyProblem): string | undefined {
  if (masks === false && problem.mask !== undefined)
    return 'it does not declare masks: true, and the problem has a mask';
  const { layered } = implementation;
  if (!isLayered(problem))
    return layered?.declared !== undefined
      ? 'it declares layers, and answers problems about layers'
      : undefined;
  return layered === undefined ? 'it runs the simple RNN only' : layered.refuses?.(problem.model);
}

/** Whether the run was stopped, now or a moment later. */
async function isStopped(signal: AbortSignal | undefined): Promise<boolean> {
  if (signal === undefined) return false;
  if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 100));
  return signal.aborted;
}
