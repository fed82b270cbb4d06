import { partsOf, sizesOf, type Problem } from '../base/problem';

interface Trait {
  readonly words: string;
  readonly has: (problem: Problem) => boolean;
}

type Size = 'batch' | 'timeSteps' | 'features' | 'units' | 'classes';
const letters: readonly (readonly [letter: string, size: Size])[] = [
  ['B', 'batch'],
  ['T', 'timeSteps'],
  ['F', 'features'],
  ['U', 'units'],
  ['C', 'classes'],
];

const sizeTraits: readonly Trait[] = letters.flatMap(([letter, size]): Trait[] => {
  const of = (problem: Problem): number => sizesOf(problem)[size] ?? NaN;
  return [
    { words: `${letter} = 1`, has: (problem) => of(problem) === 1 },
    { words: `${letter} > 1`, has: (problem) => of(problem) > 1 },
    { words: `${letter} is odd`, has: (problem) => of(problem) % 2 === 1 },
    { words: `${letter} is even`, has: (problem) => of(problem) % 2 === 0 },
    { words: `${letter} is a multiple of 4`, has: (problem) => of(problem) % 4 === 0 },
    { words: `${letter} is no multiple of 4`, has: (problem) => of(problem) % 4 !== 0 && of(problem) > 0 },
  ];
});

const pairTraits: readonly Trait[] = letters.flatMap(([one, a], i) =>
  letters.slice(i + 1).flatMap(([other, b]): Trait[] => {
    const equal = (problem: Problem): boolean => sizesOf(problem)[a] === sizesOf(problem)[b];
    return [
      { words: `${one} = ${other}`, has: equal },
      { words: `${one} is not ${other}`, has: (problem) => !equal(problem) },
    ];
  }),
);

const partTraits: readonly Trait[] = [
  { words: 'steps are masked', has: ({ mask }) => mask?.data.includes(0) === true },
  { words: 'a mask is given', has: ({ mask }) => mask !== undefined },
  { words: 'no mask is given', has: ({ mask }) => mask === undefined },
  { words: 'an initial state is given', has: ({ initialState }) => initialState !== undefined },
  { words: 'no initial state is given', has: ({ initialState }) => initialState === undefined },
  { words: 'labels are given', has: ({ labels }) => labels !== undefined },
  { words: 'no labels are given', has: ({ labels }) => labels === undefined },
  { words: 'upstream gradients are given', has: ({ upstream }) => upstream !== undefined },
  { words: 'upstream.states is given', has: ({ upstream }) => upstream?.states !== undefined },
  { words: 'upstream.finalState is given', has: ({ upstream }) => upstream?.finalState !== undefined },
  { words: 'no upstream gradients are given', has: ({ upstream }) => upstream === undefined },
  { words: 'an input is exactly 0', has: ({ inputs }) => inputs.data.includes(0) },
  { words: 'there is an output layer', has: (problem) => partsOf(problem).includes('weights.outputKernel') },
];

/** `T > 16` where every failing problem is longer than every other; `T < 3` the other way round. */
function thresholds(failed: readonly Problem[], passed: readonly Problem[]): Trait[] {
  return letters.flatMap(([letter, size]): Trait[] => {
    const all = (problems: readonly Problem[]): number[] =>
      problems.map((problem) => sizesOf(problem)[size]).filter((n) => n !== undefined);
    const [bad, good] = [all(failed), all(passed)];
    if (bad.length === 0 || good.length === 0) return [];
    const [most, least] = [Math.max(...good), Math.min(...good)];
    const of = (problem: Problem): number => sizesOf(problem)[size] ?? NaN;
    return [
      { words: `${letter} > ${most}`, has: (problem) => of(problem) > most },
      { words: `${letter} < ${least}`, has: (problem) => of(problem) < least },
    ];
  });
}

/** Of fewer problems that pass, chance sets others apart. */
const fewestPassed = 3;

/**
 * What the failing problems of a side have in common and no other problem has: `B = 1`, `T > 16`, `steps are masked`, `F = U`. A
 * clause, or undefined where all problems fail, or nothing sets the failing ones apart.
 */
export function onlyWhere(failed: readonly Problem[], passed: readonly Problem[]): string | undefined {
  if (failed.length === 0 || passed.length < fewestPassed) return undefined;
  const traits = [...partTraits, ...sizeTraits, ...pairTraits, ...thresholds(failed, passed)];
  return traits.find(({ has }) => failed.every(has) && !passed.some(has))?.words;
}
