import { checkFlag, checkOptions, checkSize, shown, type OptionNames } from '../../../scratch/index';
import { recently } from '../../base/memoize';
import { makeProblem, type ProblemRecipe } from '../../problems/index';
import type { Problem } from '../../base/problem';

export interface QuickSuiteOptions {
  /** sizes that every problem keeps, for a layer of fixed sizes; default: B4 T20 F3 U16 C5, and problems of further sizes */
  readonly sizes?: Partial<Pick<ProblemRecipe, 'batch' | 'timeSteps' | 'features' | 'units' | 'classes'>>;
  /** of all numbers; default 1 */ readonly seed?: number;
  /** whether problems have labels, and with them an output layer and a loss; default true */ readonly labels?: boolean;
  /** whether a masked problem is among them; default false */ readonly masks?: boolean;
}

const optionNames: OptionNames<QuickSuiteOptions> = { sizes: true, seed: true, labels: true, masks: true };
const sizeNames: OptionNames<NonNullable<QuickSuiteOptions['sizes']>> = {
  batch: true,
  timeSteps: true,
  features: true,
  units: true,
  classes: true,
};

const usual = { batch: 4, timeSteps: 20, features: 3, units: 16, classes: 5 };

/** Each problem has a seed of its own, 100,000 apart; those are at most 2^53. */
const mostSeed = 9e10;

/**
 * A few problems without symmetries that are checked in a moment: gradients from labels and from above, with and without initial
 * state, almost linear to nearly saturated; one step alone, and sizes that all differ, unless the sizes are given.
 *
 * @throws RangeError for an option or a size that does not exist
 */
export function quickSuite(options: QuickSuiteOptions = {}): Problem[] {
  checkSuite(options);
  const { sizes = {}, seed = 1, labels = true, masks = false } = options;
  const free = options.sizes === undefined;
  const base = {
    ...usual,
    ...sizes,
    scale: 1,
    labels,
    upstreamStates: true,
    upstreamFinalState: true,
    initialState: true,
    mask: false,
  };
  const recipes: Readonly<Record<string, Partial<ProblemRecipe>>> = {
    everything: {},
    'no-initial-state': {
      initialState: false,
      scale: 0.3,
      upstreamStates: !labels,
      upstreamFinalState: false,
    },
    'nearly-saturated': { scale: 1.7, upstreamFinalState: false },
    ...(free && {
      'one-step': { timeSteps: 1 },
      'no-two-sizes-alike': { batch: 2, timeSteps: 7, features: 5, units: 6, classes: 3 },
    }),
    ...(masks && { mask: { mask: true } }),
  };
  return Object.entries(recipes).map(([name, recipe], i) =>
    makeProblem({ ...base, ...recipe, id: `quick/${name}`, seed: seed * 100_000 + 80_000 + i }),
  );
}

function checkSuite(options: QuickSuiteOptions): void {
  checkOptions(options, optionNames, 'quickSuite');
  if (options.sizes !== undefined) checkOptions(options.sizes, sizeNames, 'quickSuite: sizes', 'size');
  const { sizes = {}, seed = 1, labels = true } = options;
  for (const [name, size] of Object.entries(sizes)) checkSize(`quickSuite: ${name}`, size);
  checkFlag(labels, 'quickSuite: labels');
  if (!(Number.isSafeInteger(seed) && seed >= 0 && seed <= mostSeed))
    throw new RangeError(
      `quickSuite: the seed is ${shown(seed)}; a whole number from 0 to ${mostSeed} was expected.`,
    );
}

const lastSuites = recently<readonly Problem[]>(3);

/**
 * `quickSuite` for candidates, which are given copies: the tests of a user's project ask for the same suite several times, and what is
 * derived from a problem (its answer, its budgets) is derived once.
 */
export function sharedQuickSuite(options: QuickSuiteOptions): readonly Problem[] {
  checkSuite(options);
  return lastSuites(JSON.stringify(options), () => quickSuite(options));
}

/**
 * Whether the quick suite shows every fault that can be made at its sizes, whatever the seed, so that nothing need be looked for in a
 * test of a moment: proven in test/harness/coverage.
 */
export function showsEverything({ sizes = {} }: QuickSuiteOptions): boolean {
  const least = { batch: 4, timeSteps: 5, features: 2, units: 3, classes: 3 };
  return (Object.keys(least) as (keyof typeof least)[]).every(
    (name) => (sizes[name] ?? usual[name]) >= least[name],
  );
}
