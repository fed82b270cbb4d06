import { layeredTables } from '../base/layered';
import { unitsOf, wordOf } from '../base/model';
import { isLayered, partsOf, sizesOf, type AnyProblem, type LayeredProblem } from '../base/problem';

/** A problem in outline: what its verdict may hang on. */
export interface Sketch {
  readonly batch: number;
  readonly timeSteps: number;
  /** absent where the first layer reads integers */ readonly features?: number | undefined;
  /** absent where there are several recurrent layers, or none */ readonly units?: number | undefined;
  readonly classes?: number | undefined;
  /** what it has besides inputs and weights: `mask`, `initialState`, `upstream.states` */
  readonly has: readonly string[];
  /** of a network of layers: `bidirectional lstm`, `dense` */ readonly layers?: readonly string[];
}

/** The outline of a problem. */
export function sketchOf(problem: AnyProblem): Sketch {
  const { labels, mask, upstream, inputs } = problem;
  const parts = isLayered(problem)
    ? { ...partsOfLayered(problem), targets: problem.targets }
    : {
        initialState: problem.initialState,
        'upstream.states': problem.upstream?.states,
        'upstream.finalState': problem.upstream?.finalState,
        'output layer': partsOf(problem).includes('weights.outputKernel') || undefined,
      };
  const all = {
    'masked steps': mask?.data.includes(0) === true || undefined,
    ...{ mask, labels, upstream },
    ...parts,
    'input of exactly 0': inputs.data.includes(0) || undefined,
  };
  const has = Object.entries(all).flatMap(([name, part]) => (part === undefined ? [] : [name]));
  if (!isLayered(problem)) return { ...sizesOf(problem), has };
  const { layers, features } = problem.model;
  const recurrent = layers.filter(({ layer }) => !/^(dense|embedding|timeDistributed)$/.test(layer));
  return {
    batch: inputs.shape[0],
    timeSteps: inputs.shape[1],
    features,
    units: recurrent.length === 1 ? unitsOf(recurrent[0]) : undefined,
    classes: layeredTables(problem).layers.at(-1)?.output.width,
    has: [...has, ...(recurrent.length > 1 ? ['second recurrent layer'] : [])],
    layers: layers.map(wordOf),
  };
}

function partsOfLayered({ initialStates }: LayeredProblem): Record<string, unknown> {
  return { initialState: initialStates?.find((states) => Object.keys(states).length > 0) };
}

type Trait = readonly [words: string, has: (sketch: Sketch) => boolean];

const letters = { B: 'batch', T: 'timeSteps', F: 'features', U: 'units', C: 'classes' } as const;
const sizes = Object.entries(letters).map(([letter, name]) => ({
  letter,
  of: (sketch: Sketch): number => sketch[name] ?? NaN,
}));

/** The sizes of a problem by their letters; undefined where it has none, or several. */
export function sizesByLetter(sketch: Sketch): Readonly<Record<keyof typeof letters, number | undefined>> {
  const { batch: B, timeSteps: T, features: F, units: U, classes: C } = sketch;
  return { B, T, F, U, C };
}

const oneOrMore = sizes.flatMap(({ letter, of }): Trait[] => [
  [`${letter} = 1`, (sketch) => of(sketch) === 1],
  [`${letter} > 1`, (sketch) => of(sketch) > 1],
]);

const multiples = sizes.flatMap(({ letter, of }): Trait[] => [
  [`${letter} odd`, (sketch) => of(sketch) % 2 === 1],
  [`${letter} even`, (sketch) => of(sketch) % 2 === 0],
  [`${letter} a multiple of 4`, (sketch) => of(sketch) % 4 === 0],
  [`${letter} no multiple of 4`, (sketch) => of(sketch) % 4 > 0],
]);

const pairs = sizes.flatMap(({ letter, of }, i) =>
  sizes.slice(i + 1).flatMap((other): Trait[] => [
    [`${letter} = ${other.letter}`, (sketch) => of(sketch) === other.of(sketch)],
    [`${letter} not equal to ${other.letter}`, (sketch) => Math.abs(of(sketch) - other.of(sketch)) > 0],
  ]),
);

const partWords: Readonly<Record<string, string>> = {
  labels: 'labels',
  targets: 'targets',
  'masked steps': 'masked steps',
  initialState: 'an initial state',
  upstream: 'gradients from above',
  'upstream.states': 'gradients for the states from above',
  'upstream.finalState': 'a gradient for the final state from above',
};

/** What any of the problems has, and some may lack: labels, a mask, layers. */
function partTraits(all: readonly Sketch[]): Trait[] {
  const partsIn = ({ has, layers = [] }: Sketch): string[] => [
    ...has,
    ...layers.map((own) => `${own} layer`),
  ];
  return [...new Set(all.flatMap(partsIn))].flatMap((part): Trait[] => {
    const words = partWords[part] ?? `${/^([aeiou]|lstm)/.test(part) ? 'an' : 'a'} ${part}`;
    return [
      [words, (sketch) => partsIn(sketch).includes(part)],
      [`no ${words.replace(/^an? /, '')}`, (sketch) => !partsIn(sketch).includes(part)],
    ];
  });
}

/** `T > 16` where every failing problem is longer than every other; `T < 3` the other way round. */
function thresholds(passing: readonly Sketch[]): Trait[] {
  return sizes.flatMap(({ letter, of }): Trait[] => {
    const good = passing.map(of).filter((n) => !Number.isNaN(n));
    if (good.length === 0) return [];
    const [most, least] = [Math.max(...good), Math.min(...good)];
    return [
      [`${letter} > ${most}`, (sketch) => of(sketch) > most],
      [`${letter} < ${least}`, (sketch) => of(sketch) < least],
    ];
  });
}

/** What all failing problems have, the simplest first, and how many of the others have it too. */
export function inCommon(
  failing: readonly Sketch[],
  passing: readonly Sketch[],
): { readonly words: string; readonly others: number }[] {
  return [
    ...oneOrMore,
    ...partTraits([...failing, ...passing]),
    ...multiples,
    ...pairs,
    ...thresholds(passing),
  ]
    .filter(([, has]) => failing.every(has))
    .map(([words, has]) => ({ words, others: passing.filter(has).length }));
}

/** Of fewer problems that pass, chance sets others apart. */
const fewestPassed = 3;

/**
 * What the failing problems of a side have in common and no other problem has: `B = 1`, `T > 16`, `masked steps`, `an lstm layer`.
 * Undefined where all problems fail, or nothing sets the failing ones apart.
 */
export function onlyWhere(failed: readonly AnyProblem[], passed: readonly AnyProblem[]): string | undefined {
  if (failed.length === 0 || passed.length < fewestPassed) return undefined;
  const found = inCommon(failed.map(sketchOf), passed.map(sketchOf)).filter(({ others }) => others === 0);
  return found.length === 0 ? undefined : withOtherSizes(found.map(({ words }) => words));
}

/** The simplest of what sets problems apart; where another size does it in the same words, nothing tells which of them it is. */
function withOtherSizes([first, ...more]: readonly string[]): string {
  const [, letter, rest] = /^([BTFUC]) ((?:no |a )?(?:multiple of 4|odd|even|= 1|> 1))$/.exec(first) ?? [];
  const isSame = (words: string): boolean => /^[BTFUC] /.test(words) && words.slice(2) === rest;
  const letters = [letter, ...more.filter(isSame).map(([own]) => own)];
  return letters.length < 2 ? first : `${letters.join(' or ')} ${rest}`;
}
