import { recently } from '../base/memoize';
import { UsageError } from '../base/outcome';
import { isLayered, type LayeredProblem, type Problem } from '../base/problem';
import { defineCell, equationsOf } from '../equations/index';
import { loadVectors, type VectorCase } from '../problems/vectors/index';
import type { ParityOptions } from './options';
import { isSelected } from './select';
import { generatedLayered, layeredSuite, notebookVectors } from '../problems/index';
import { defaultGenerated, digitBatches, suiteProblems } from '../problems/digits/index';
import { trainingChecks, type TrainingCheck } from '../judge/index';

/** What a run asks of its sides. */
export interface Cases {
  readonly problems: readonly Problem[];
  /** about networks of layers */ readonly layered: readonly LayeredProblem[];
  readonly vectors: readonly VectorCase[];
  readonly training: readonly TrainingCheck[];
}

/** Problems about the network of `--layers`. */
const defaultOfModel = 50;

const none: Cases = { problems: [], layered: [], vectors: [], training: [] };

/** The tests of a user's project ask about the same network several times; what is derived from a problem is derived once. */
const lastLayered = recently<readonly LayeredProblem[]>(3);

/**
 * The suite, or the vectors or problems that stand in its place; chosen by `only`.
 *
 * @throws UsageError when nothing is left, or a vectors file is wrong; EquationError when a cell's formula cannot be read
 */
export async function selectCases(options: ParityOptions, seed: number): Promise<Cases> {
  const { only } = options;
  const isWanted = (id: string): boolean => isSelected(id, only);
  if (options.vectors !== undefined) {
    const files = options.vectors.filter((item) => typeof item === 'string');
    const vectors = files.length > 0 ? await loadVectors(files) : (options.vectors as readonly VectorCase[]);
    const wanted = vectors.filter(({ id }) => isWanted(id));
    for (const { problem, source, id } of wanted)
      if (isLayered(problem)) checkEquations(problem, `${source}: case ${JSON.stringify(id)}: problem`);
    return checkSome({ ...none, vectors: wanted }, only);
  }
  const { model } = options;
  if (model !== undefined) {
    // formulas that cannot be read are an error before any side is asked
    for (const layer of model.layers) if (layer.layer === 'cell') defineCell(layer.cell);
    const count = options.cases ?? defaultOfModel;
    const layered = lastLayered(JSON.stringify([model, seed, count, options.labels]), () => {
      // a copy: the caller may change the description afterwards
      const own = structuredClone(model);
      return Array.from({ length: count }, (_, i) => generatedLayered(own, seed, i, options));
    });
    const wanted = layered.filter(({ id }) => isWanted(id));
    if (wanted.length > 0) checkEquations(wanted[0], '--layers');
    return checkSome({ ...none, layered: wanted }, only);
  }
  if (options.problems !== undefined) {
    const wanted = options.problems.filter(({ id }) => isWanted(id));
    const problems = wanted.filter((problem) => !isLayered(problem));
    return checkSome({ ...none, problems, layered: wanted.filter(isLayered) }, only);
  }
  return checkSome(
    {
      problems: await suiteProblems(seed, options.cases ?? defaultGenerated, isWanted),
      layered: layeredSuite(seed).filter(({ id }) => isWanted(id)),
      vectors: [notebookVectors()].filter(({ id }) => isWanted(id)),
      training: await trainingChecks(seed, isWanted, digitBatches),
    },
    only,
  );
}

/**
 * A network that the judge has no equations for is an error before any side is asked.
 *
 * @param where how messages call the problem
 */
function checkEquations(problem: LayeredProblem, where: string): void {
  try {
    equationsOf(problem);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`${where}: ${error.message}.`, { cause: error });
  }
}

function checkSome(cases: Cases, only: string | undefined): Cases {
  const { problems, layered, vectors, training } = cases;
  if (problems.length + layered.length + vectors.length + training.length > 0) return cases;
  throw new UsageError(
    only === undefined
      ? 'there is no case to run: nothing would be compared; give vectors or problems that hold cases.'
      : `no case matches --only ${JSON.stringify(only)}; ids look like generated/017, edge/one-step, digits/keras-weights, layers/lstm, step/adam-first (a part of an id is enough, * and ? are wildcards).`,
  );
}
