import { viewNames } from '../examine/index';
import { describeBlindSpot, findBlindSpots, type Asked } from '../coverage/index';
import type { Candidate } from '../sides/candidate/index';
import { expectedNames, tensorOf, type AnyProblem } from '../base/problem';
import type { VectorCase } from '../problems/vectors/index';
import type { Cases } from './cases';
import type { ParityOptions } from './options';

/**
 * Looks, before any side is asked, for what the cases cannot show. Where there are problems these count, in all the ways in which they
 * run on a side; vectors by themselves are held to the numbers of the file, and only these count.
 *
 * @returns blind spots, and the same in words for the report
 */
export function powerOf(
  cases: Cases,
  options: ParityOptions,
  candidate?: Pick<Candidate, 'precision' | 'masks'>,
) {
  const { tolerance } = options;
  const isOwn = options.model !== undefined || options.problems !== undefined;
  // the networks of the suite have all that is looked for here: a test says so
  const problems = [
    ...cases.problems.filter(({ mask }) => mask === undefined || isMaskPut(options, candidate)),
    ...(isOwn ? cases.layered : []),
  ];
  const asked = problems.length > 0 ? problems.map((problem) => ({ problem })) : cases.vectors.map(askedBy);
  const fixed = tolerance?.absolute !== undefined || tolerance?.relative !== undefined;
  const blindSpots = findBlindSpots(asked, {
    precision: isAlone(options, candidate) ? (candidate?.precision ?? 'float32') : 'float32',
    tolerance,
    views: problems.length === 0 || fixed ? ['results'] : viewNames,
    parts: options.vectors !== undefined || options.problems !== undefined,
  });
  const many = asked.length > 1;
  return { blindSpots, warnings: blindSpots.map((spot) => describeBlindSpot(spot, many)) };
}

function askedBy({ id, problem, expected, tolerance }: VectorCase): Asked<AnyProblem> {
  const names = expectedNames(problem).filter((name) => tensorOf(expected, name) !== undefined);
  return { problem: { ...problem, id }, names, tolerance };
}

/** Whether the candidate is the only side: the twin runs the same cases with vectors, or where it is asked for. */
function isAlone({ sides, backends, vectors }: ParityOptions, candidate?: object): boolean {
  return candidate !== undefined && vectors === undefined && (sides?.length ?? backends?.length ?? 0) === 0;
}

function isMaskPut(options: ParityOptions, candidate?: Pick<Candidate, 'masks'>): boolean {
  return !isAlone(options, candidate) || candidate?.masks === true;
}
