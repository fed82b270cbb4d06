import { createRandom, zeros, type Random, type Tensor } from '../../scratch/index';
import { memoize } from '../base/memoize';
import { largest } from '../base/magnitude';
import { budgetForNetwork, precisionModels } from '../budget/index';
import {
  evaluateNetwork,
  inputGradients,
  instrument,
  shapeOf,
  type Cell,
  type Network,
  type NetworkProblem,
} from '../equations/index';
import { atLevels, type Level, type ProbeSetting } from './probe-problem';

/**
 * The settings in which single weights of a cell show best. They are found by search, and nothing in the search knows any cell.
 *
 * The weights of a block of columns are seen in the forward pass, row by row, and in the backward pass, column by column. For every matrix,
 * block and pass the search looks for the setting in which a weight that is wrong by 1e-5 moves some number of the answer furthest
 * beyond its error budget,
 *
 *     score = max over the numbers of an example of |change| / allowed
 *
 * first among random settings, then by changing one level at a time. Change and budget are those of a small layer of that cell.
 *
 * @returns few settings, which together come close to the best score of every block
 */
export function probeSettings(cell: Cell, isBackward: boolean): readonly ProbeSetting[] {
  const known = settingsOf(cell);
  const settings = known.get(isBackward) ?? search(cell, isBackward);
  known.set(isBackward, settings);
  return settings;
}

const settingsOf = memoize<Cell, Map<boolean, readonly ProbeSetting[]>>(() => new Map());

/** Sizes of the small layer. */
const [features, units, classes] = [2, 3, 2];
const seed = 7;
const [firstSettings, rounds] = [400, 3];
/** The relative error of a weight that must be seen. */
const wrong = 1e-5;
/** A higher score than this gains nothing; below 1 the wrong weight is not seen. */
const good = 7;

/** The weights that one example should show in one pass; one of them stands for all. */
interface Target {
  readonly about: ProbeSetting['about'];
  readonly isBackward: boolean;
  /** layer, name and place */ readonly weight: readonly [layer: string, weight: string, at: number];
}

function targetsOf(cell: Cell, isBackward: boolean): Target[] {
  const targets = Object.entries(cell.weights).flatMap(([weight, { rows, columns }]) =>
    columns.flatMap((_, block): Target[] => {
      const at = (row: number, column: number): Target['weight'] => [
        'layer',
        weight,
        (row * columns.length + block) * units + column,
      ];
      if (rows === undefined) return [{ about: 'all', isBackward: false, weight: at(0, 0) }];
      const about = rows.includes('F') ? 'input' : 'unit';
      return [
        { about, isBackward: false, weight: at(0, 1) },
        ...(isBackward ? [{ about: 'unit', isBackward, weight: at(1, 0) } as const] : []),
      ];
    }),
  );
  return [...targets, { about: 'unit', isBackward: false, weight: ['head', 'kernel', 0] }];
}

interface Best {
  score: number;
  setting?: ProbeSetting;
}

function search(cell: Cell, isBackward: boolean): ProbeSetting[] {
  const random = createRandom(seed);
  const small = new SmallLayer(cell, isBackward, random);
  const targets = targetsOf(cell, isBackward);
  const best = new Map(targets.map((target): [Target, Best] => [target, { score: 0 }]));
  const consider = (settings: readonly ProbeSetting[]): void => {
    for (const about of ['unit', 'input', 'all'] as const) {
      const own = settings.filter((one) => one.about === about);
      const weak = [...best].filter(([target, { score }]) => target.about === about && score < good);
      if (own.length === 0 || weak.length === 0) continue;
      const scores = small.scores(
        own,
        weak.map(([target]) => target),
      );
      weak.forEach(([, found], k) => {
        scores[k].forEach((score, i) => {
          if (score > found.score) Object.assign(found, { score, setting: own[i] });
        });
      });
    }
  };
  consider(Array.from({ length: firstSettings }, () => randomSetting(cell, isBackward, random)));
  for (let round = 0; round < rounds; round++) {
    const weak = [...best.values()].filter(({ score }) => score < good);
    consider(settingsIn(weak).flatMap((setting) => [...changed(setting)]));
  }
  return covering(small, best);
}

function settingsIn(found: readonly Best[]): ProbeSetting[] {
  return [...new Set(found.flatMap(({ setting }) => setting ?? []))];
}

/** A few of the settings: together they show every target that can be shown, at 70 % of its best score or more, or as well as `good`. */
function covering(small: SmallLayer, best: ReadonlyMap<Target, Best>): ProbeSetting[] {
  const wanted = new Map([...best].filter(([, { score }]) => score > 1));
  const shown = settingsIn([...wanted.values()]).map((setting) => {
    const own = [...wanted.keys()].filter(({ about }) => about === setting.about);
    const scores = small.scores([setting], own);
    const isShown = (target: Target, k: number): boolean =>
      scores[k][0] >= Math.min(good, 0.7 * (wanted.get(target)?.score ?? 0));
    return { setting, targets: own.filter(isShown) };
  });
  const chosen: ProbeSetting[] = [];
  while (wanted.size > 0) {
    const gain = ({ targets }: { targets: readonly Target[] }): number =>
      targets.filter((target) => wanted.has(target)).length;
    const next = shown.reduce((one, other) => (gain(other) > gain(one) ? other : one));
    chosen.push(next.setting);
    for (const target of next.targets) wanted.delete(target);
  }
  return chosen;
}

/** Levels that are tried, first for what an example is about, then for everything else, which must not drown it. */
const levels = {
  before: [
    [0, 1, 32, 1024],
    [0, 1, 32],
  ],
  at: [
    [-100, -1, 0, 1, 100],
    [-100, 0, 100],
  ],
  after: [
    [0, 1],
    [0, 1],
  ],
} as const;
const inputLevels = [1, 32, 1024];

function randomSetting(cell: Cell, isBackward: boolean, random: Random): ProbeSetting {
  const one = (of: readonly number[]): number => of[random.integer(of.length)];
  const about = (['unit', 'unit', 'input', 'all'] as const)[random.integer(4)];
  const named = (names: readonly string[], make: (i: number) => Level): Record<string, Level> =>
    Object.fromEntries(names.map((name, i) => [name, make(i)]));
  const arrivesAt = random.integer(cell.carries.length);
  return {
    about,
    before: named(cell.carries, () => [one([0, 1, 32]), one([0, 0, 1, 32])]),
    at: named(blocksOf(cell), () => {
      const own = one([-100, 0, 1, 100]);
      return [own, one([own, -100])];
    }),
    input: about === 'input' ? one(inputLevels) : 0,
    after: named(cell.carries, (i) => (isBackward && i === arrivesAt ? [1, one([0, 0, 1])] : [0, 0])),
  };
}

/** Every setting that differs in one level. */
function* changed(setting: ProbeSetting): Generator<ProbeSetting> {
  for (const group of ['before', 'at', 'after'] as const)
    for (const [name, [own, others]] of Object.entries(setting[group])) {
      const to = (level: Level): ProbeSetting => ({
        ...setting,
        [group]: { ...setting[group], [name]: level },
      });
      for (const level of levels[group][0]) if (level !== own) yield to([level, others]);
      for (const level of levels[group][1])
        if (level !== others && setting.about !== 'all') yield to([own, level]);
    }
  if (setting.about === 'input')
    for (const input of inputLevels) if (input !== setting.input) yield { ...setting, input };
}

/** The pre-activations that additional inputs lead to, block by block: `z.f`. */
function blocksOf(cell: Cell): string[] {
  return inputGradients(cell).flatMap(({ gradient, part }) => {
    const quantity = gradient.slice(1);
    return (part ?? cell.axes.get(quantity) ?? []).map((block) => `${quantity}.${block}`);
  });
}

/** A layer of the cell with a dense layer on it, in which settings are tried. */
class SmallLayer {
  private readonly network: Network;
  private readonly weights: NetworkProblem['weights'];

  constructor(
    cell: Cell,
    private readonly isBackward: boolean,
    random: Random,
  ) {
    this.network = {
      features,
      layers: [{ name: 'layer', cell, units, reads: 'inputs' }],
      head: { classes, on: 'last', reads: 'layer', loss: 'softmax' },
    };
    // of about the same size, so that one weight stands for all
    const draw = (...shape: number[]): Tensor => {
      const { data } = zeros(...shape);
      const size = (): number => (0.2 + 0.1 * random.uniform()) * (random.integer(2) === 0 ? 1 : -1);
      return { data: data.map(() => Math.fround(size())), shape };
    };
    this.weights = {
      layer: Object.fromEntries(
        Object.entries(cell.weights).map(([name, shape]) => [
          name,
          draw(...shapeOf(shape, { features, units })),
        ]),
      ),
      head: { kernel: draw(units, classes), bias: draw(classes) },
    };
  }

  /**
   * The score of every setting for each target. A setting scores 0 where the budget of some tensor is above a thousandth of its largest
   * number: its numbers mean little.
   */
  scores(settings: readonly ProbeSetting[], targets: readonly Target[]): number[][] {
    const wider = instrument(this.network, { inputs: zeros(1, 1, features), weights: this.weights });
    if (wider === undefined) return targets.map(() => settings.map(() => 0));
    const examples = settings.map((setting) => ({ layer: 'layer', setting, own: 0 }));
    const { network, problem } = atLevels(wider, examples, this.isBackward);
    const budget = budgetForNetwork(network, problem, precisionModels.any);
    const tensors = [...budget.estimates]
      .filter(([name]) => /^(states|final|logits)|^gradients\.(inputs$|\w+\.initial)/.test(name))
      .map(([name, { value }]) => ({ name, value, allowed: budget.allowed(name, false) }));
    const isClear = settings.map((_, i) =>
      tensors.every(({ value, allowed }) => {
        const row = (of: Float64Array): Float64Array => {
          const width = of.length / settings.length;
          return of.subarray(i * width, (i + 1) * width);
        };
        return largest(row(allowed)) <= 1e-4 + 1e-3 * largest(row(value));
      }),
    );
    const { upstream, ...forward } = problem;
    return targets.map(({ weight, isBackward }) => {
      const asked = isBackward && upstream !== undefined ? problem : forward;
      const answer = evaluateNetwork(network, withWrong(asked, weight));
      const scores = settings.map(() => 0);
      for (const { name, value, allowed } of tensors) {
        const given = answer.get(name);
        if (name.startsWith('gradients.') !== isBackward || given === undefined) continue;
        const width = value.length / settings.length;
        value.forEach((right, i) => {
          const of = Math.floor(i / width);
          if (isClear[of]) scores[of] = Math.max(scores[of], Math.abs(given.data[i] - right) / allowed[i]);
        });
      }
      return scores;
    });
  }
}

function withWrong(problem: NetworkProblem, [layer, name, at]: Target['weight']): NetworkProblem {
  const { weights } = problem;
  const { data, shape } = weights[layer][name];
  const changedData = data.map((w, i) => (i === at ? w * (1 + wrong) : w));
  return {
    ...problem,
    weights: { ...weights, [layer]: { ...weights[layer], [name]: { data: changedData, shape } } },
  };
}
