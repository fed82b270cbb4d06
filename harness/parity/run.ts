import { SideUnavailableError, type OpenSide, type SideSource } from '../implementations/index';
import { UsageError } from '../outcome';
import { silentProgress } from '../progress';
import type { VectorCase } from '../vectors/index';
import { selectCases, type Cases } from './cases';
import { conclude } from './conclude';
import type { ParityOptions } from './options';
import { powerOf } from './power';
import type { ParityReport } from './report';
import { noFindings, SideRun } from './side-run';
import { backendSides, openCandidate, scratchSide } from './sides';

/**
 * Puts every case to every side and judges the answers against the scratch network (or against the vectors' numbers).
 *
 * @throws UsageError when an option, a vectors file or the candidate's module is wrong, or when no case is selected
 */
export async function runParity(options: ParityOptions = {}): Promise<ParityReport> {
  const seed = options.seed ?? 1;
  const cases = await selectCases(options, seed);
  const candidate = await openCandidate(options);
  const run = new Run(options, cases);
  let blindSpots: ParityReport['blindSpots'] = [];
  try {
    if (options.power !== false) {
      const power = await powerOf(cases, options, candidate);
      run.findings.warnings.push(...power.warnings);
      blindSpots = power.blindSpots;
    }
    if (cases.vectors.length > 0) await run.side(scratchSide(), false);
    for (const source of options.sides ?? backendSides(options)) await run.source(source);
    if (candidate !== undefined) {
      await run.side({ implementation: candidate, masks: candidate.masks, candidate: true }, true);
    }
  } finally {
    candidate?.dispose();
  }
  return conclude({
    seed,
    only: options.only ?? null,
    ...(options.vectors !== undefined && { vectors: options.vectors.map(sourceOf) }),
    ...(typeof options.candidate === 'string' && { candidate: options.candidate }),
    complete:
      options.only === undefined &&
      options.vectors === undefined &&
      options.problems === undefined &&
      (options.cases ?? 1) > 0,
    ...run.findings,
    blindSpots,
  });
}

function sourceOf(vectors: string | VectorCase): string {
  return typeof vectors === 'string' ? vectors : vectors.source;
}

/** Opens one side after the other and collects what is found. */
class Run {
  readonly findings = noFindings();

  constructor(
    private readonly options: ParityOptions,
    private readonly cases: Cases,
  ) {}

  async source(source: SideSource): Promise<void> {
    let side: OpenSide;
    try {
      side = await source.open();
    } catch (error) {
      if (!(error instanceof SideUnavailableError)) throw error;
      const { name, required } = source;
      this.findings.sides.push({ name, status: 'not run', required, reason: error.message });
      return;
    }
    await this.side(side, source.required);
    side.implementation.dispose?.();
  }

  async side(side: OpenSide, required: boolean): Promise<void> {
    const { name } = side.implementation;
    if (this.findings.sides.some((other) => other.name === name)) {
      throw new UsageError(
        `two sides are called ${JSON.stringify(name)}; give the candidate a name of its own.`,
      );
    }
    const version = side.version === undefined ? {} : { version: side.version };
    this.findings.sides.push({ name, status: 'ran', required, ...version });
    const { options, findings } = this;
    const start = options.progress ?? silentProgress;
    await new SideRun({ side, options, findings, start }).put(this.cases);
  }
}
