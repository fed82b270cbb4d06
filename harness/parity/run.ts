import { anySideSource } from '../frameworks/index';
import { isSideName, usesLibrary } from '../sides/index';
import { UsageError } from '../base/outcome';
import { silentProgress } from '../base/progress';
import type { VectorCase } from '../problems/vectors/index';
import { selectCases, type Cases } from './cases';
import { singlePrecisionNames } from './compare-vectors';
import { conclude } from './conclude';
import { checkParityOptions, type ParityOptions } from './options';
import { powerOf } from './power';
import type { ParityReport } from './report';
import { noFindings, together, type Collected } from './collected';
import { runSide, runSource } from './run-side';
import { backendSides, openCandidate, scratchSide } from './sides';
import { startSidesApart, type SidesApart } from './second-process';

/**
 * Runs every case on every side and judges the answers against the scratch network (or against the vectors' numbers).
 *
 * @throws RangeError for an option that does not exist, UsageError when a vectors file or the candidate's module is wrong, or when no case is selected
 */
export async function runParity(options: ParityOptions = {}): Promise<ParityReport> {
  checkParityOptions(options);
  const seed = options.seed ?? 1;
  const cases = await selectCases(options, seed);
  const candidate = await openCandidate(options);
  const found: Collected[] = [];
  let blindSpots: ParityReport['blindSpots'] = [];
  // the other core works while this process looks for what the cases cannot show
  const apart = options.sides === undefined ? startApart(options, cases) : undefined;
  try {
    if (options.power !== false) {
      const power = powerOf(cases, options, candidate);
      found.push({ ...noFindings(), warnings: [...power.warnings] });
      blindSpots = power.blindSpots;
    }
    found.push({ ...noFindings(), notes: notesOn(cases.vectors) });
    if (cases.vectors.length > 0) found.push(await runSide(scratchSide(), false, cases, options));
    if (options.sides === undefined) found.push(...(await runNamedSides(options, cases, apart)));
    for (const source of options.sides ?? []) found.push(await runSource(source, cases, options));
    if (candidate !== undefined) {
      checkName(candidate.name, found);
      const side = { implementation: candidate, masks: candidate.masks, candidate: true };
      found.push(await runSide(side, true, cases, options));
    }
  } finally {
    candidate?.dispose();
    apart?.dispose();
  }
  return conclude({
    seed,
    only: options.only ?? null,
    ...(options.vectors !== undefined && { vectors: options.vectors.map(sourceOf) }),
    ...(typeof options.candidate === 'string' && { candidate: options.candidate }),
    ...(options.flags !== undefined && options.flags.length > 0 && { flags: options.flags }),
    complete:
      options.only === undefined &&
      options.vectors === undefined &&
      options.problems === undefined &&
      (options.cases ?? 1) > 0,
    ...together(found),
    blindSpots,
  });
}

/** Which files hold numbers that were computed in single precision. */
function notesOn(vectors: readonly VectorCase[]): string[] {
  const single = vectors.filter(({ expected }) => singlePrecisionNames(expected).size > 0);
  return [...new Set(single.map(({ source }) => source))].map((source) => {
    const cases = single.filter((vector) => vector.source === source).length;
    return `${source}: the expected numbers of ${cases} ${cases === 1 ? 'case are' : 'cases are'} float32, so their own rounding is allowed for as well; float64 numbers would show smaller mistakes`;
  });
}

function sourceOf(vectors: string | VectorCase): string {
  return typeof vectors === 'string' ? vectors : vectors.source;
}

function checkName(name: string, found: readonly Collected[]): void {
  if (!found.some(({ sides }) => sides.some((other) => other.name === name))) return;
  throw new UsageError(
    `two sides have the name ${JSON.stringify(name)}; give the candidate a different name.`,
  );
}

/** From this many problems on, another process saves more than it takes to start. */
const fewestApart = 40;

/** Starts the sides outside TensorFlow's library in a process of their own, where that saves time. */
function startApart(options: ParityOptions, cases: Cases): SidesApart | undefined {
  const sides = backendSides(options);
  // a framework has a process of its own already
  const apart = sides.filter(({ name }) => isSideName(name) && !usesLibrary(name));
  const pays =
    options.processes === 2 &&
    options.observer === undefined &&
    cases.problems.length >= fewestApart &&
    apart.length > 0 &&
    apart.length < sides.length;
  if (!pays) return undefined;
  const { tolerance, progress = silentProgress } = options;
  return startSidesApart({ sides: apart, cases, tolerance }, progress);
}

/** The sides by name, in their order. */
async function runNamedSides(
  options: ParityOptions,
  cases: Cases,
  apart: SidesApart | undefined,
): Promise<Collected[]> {
  const { python } = options;
  const sides = backendSides(options);
  const found = new Map<string, Collected>();
  for (const { name, required } of sides)
    if (apart?.names.includes(name) !== true)
      found.set(name, await runSource(anySideSource(name, required, { python }), cases, options));
  (await apart?.found)?.forEach((one, i) => found.set(apart?.names[i] ?? '', one));
  return sides.map(({ name }) => found.get(name) ?? noFindings());
}
