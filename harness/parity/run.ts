import { anySideSource } from '../frameworks/index';
import { candidateImplementation, loadCandidate } from '../sides/candidate/index';
import { isSideName, scratchImplementation, sideNames, usesLibrary } from '../sides/index';
import { UsageError } from '../base/outcome';
import { silentProgress } from '../base/progress';
import type { VectorCase } from '../problems/vectors/index';
import { selectCases, type Cases } from './cases';
import { noFindings, together, type Collected } from './collected';
import { singlePrecisionNames } from './compare-vectors';
import { conclude } from './conclude';
import { checkParityOptions, type ParityOptions } from './options';
import { powerOf } from './power';
import type { ParityReport } from './report';
import { runSide, runSource } from './run-side';
import { startSidesApart, type NamedSide, type SidesApart } from './second-process';

/**
 * Runs every case on every side and judges the answers against the scratch network (or against the vectors' numbers).
 *
 * @throws RangeError for an option that does not exist, UsageError when a vectors file or the candidate's module is wrong, or when no case is selected
 */
export async function runParity(options: ParityOptions = {}): Promise<ParityReport> {
  checkParityOptions(options);
  const { only, vectors, candidate: given, flags = [], seed = 1, timeoutSeconds } = options;
  const cases = await selectCases(options, seed);
  const candidate =
    typeof given === 'string'
      ? await loadCandidate(given, { timeoutSeconds })
      : given && candidateImplementation(given, { timeoutSeconds });
  const found: Collected[] = [];
  let blindSpots: ParityReport['blindSpots'] = [];
  const named = options.sides === undefined ? backendSides(options) : [];
  // the other core works while this process looks for what the cases cannot show
  const apart = startApart(named, options, cases);
  try {
    if (options.power !== false) {
      const power = powerOf(cases, options, candidate);
      found.push({ ...noFindings(), warnings: [...power.warnings] });
      blindSpots = power.blindSpots;
    }
    found.push({ ...noFindings(), notes: notesOn(cases.vectors) });
    // held to numbers from elsewhere, the scratch network is a side of its own
    if (cases.vectors.length > 0)
      found.push(await runSide({ implementation: scratchImplementation() }, false, cases, options));
    found.push(...(await runNamed(named, apart, options, cases)));
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
    ...{ seed, only: only ?? null },
    ...(vectors !== undefined && {
      vectors: vectors.map((one) => (typeof one === 'string' ? one : one.source)),
    }),
    ...(typeof given === 'string' && { candidate: given }),
    ...(flags.length > 0 && { flags }),
    complete:
      only === undefined &&
      vectors === undefined &&
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

function checkName(name: string, found: readonly Collected[]): void {
  if (!found.some(({ sides }) => sides.some((other) => other.name === name))) return;
  throw new UsageError(
    `two sides have the name ${JSON.stringify(name)}; give the candidate a different name.`,
  );
}

/** The backends that a run uses. */
function backendSides({ backends, candidate, vectors, requireNative = false }: ParityOptions): NamedSide[] {
  if (backends !== undefined) return backends.map((name) => ({ name, required: true }));
  if (candidate !== undefined && vectors === undefined) return [];
  return sideNames.map((name) => ({ name, required: requireNative && usesLibrary(name) }));
}

/** From this many problems on, another process saves more than it takes to start. */
const fewestApart = 40;

/** Starts the sides outside TensorFlow's library in a process of their own, where that saves time. */
function startApart(
  named: readonly NamedSide[],
  { processes, observer, tolerance, progress = silentProgress }: ParityOptions,
  cases: Cases,
): SidesApart | undefined {
  // a framework has a process of its own already
  const sides = named.filter(({ name }) => isSideName(name) && !usesLibrary(name));
  const isLong = cases.problems.length >= fewestApart && sides.length > 0 && sides.length < named.length;
  if (processes !== 2 || observer !== undefined || !isLong) return undefined;
  return startSidesApart({ sides, cases, tolerance }, progress);
}

/** The sides by name, in their order. */
async function runNamed(
  named: readonly NamedSide[],
  apart: SidesApart | undefined,
  options: ParityOptions,
  cases: Cases,
): Promise<Collected[]> {
  const { python } = options;
  const here = new Map<string, Collected>();
  for (const { name, required } of named)
    if (apart?.names.includes(name) !== true)
      here.set(name, await runSource(anySideSource(name, required, { python }), cases, options));
  const there = (await apart?.found) ?? [];
  return named.map(({ name }) => here.get(name) ?? there[apart?.names.indexOf(name) ?? 0]);
}
