import { UsageError } from '../base/outcome';
import type { Problem } from '../base/problem';
import { loadVectors, type VectorCase } from '../problems/vectors/index';
import type { ParityOptions } from './options';
import { isSelected } from './select';
import { notebookVectors } from '../problems/index';
import { defaultGenerated, digitBatches, suiteProblems } from '../problems/digits/index';
import { trainingChecks, type TrainingCheck } from '../judge/index';

/** What a run asks of its sides. */
export interface Cases {
  readonly problems: readonly Problem[];
  readonly vectors: readonly VectorCase[];
  readonly training: readonly TrainingCheck[];
}

/**
 * The suite, or the vectors or problems that stand in its place; chosen by `only`.
 *
 * @throws UsageError when nothing is left, or a vectors file is wrong
 */
export async function selectCases(options: ParityOptions, seed: number): Promise<Cases> {
  const { only } = options;
  const isWanted = (id: string): boolean => isSelected(id, only);
  if (options.vectors !== undefined) {
    const vectors = await givenVectors(options.vectors);
    return checkSome({ problems: [], vectors: vectors.filter(({ id }) => isWanted(id)), training: [] }, only);
  }
  if (options.problems !== undefined) {
    const problems = options.problems.filter(({ id }) => isWanted(id));
    return checkSome({ problems, vectors: [], training: [] }, only);
  }
  return checkSome(
    {
      problems: await suiteProblems(seed, options.cases ?? defaultGenerated, isWanted),
      vectors: [notebookVectors()].filter(({ id }) => isWanted(id)),
      training: await trainingChecks(seed, isWanted, digitBatches),
    },
    only,
  );
}

async function givenVectors(
  vectors: readonly string[] | readonly VectorCase[],
): Promise<readonly VectorCase[]> {
  const files = vectors.filter((item) => typeof item === 'string');
  return files.length > 0 ? loadVectors(files) : (vectors as readonly VectorCase[]);
}

function checkSome(cases: Cases, only: string | undefined): Cases {
  if (cases.problems.length + cases.vectors.length + cases.training.length > 0) return cases;
  throw new UsageError(
    only === undefined
      ? 'there is no case to run: nothing would be compared; give vectors or problems that hold cases.'
      : `no case matches --only ${JSON.stringify(only)}; ids look like generated/017, edge/one-step, digits/keras-weights, step/adam-first (a part of an id is enough, * and ? are wildcards).`,
  );
}
