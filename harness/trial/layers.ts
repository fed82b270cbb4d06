import { silentProgress, type StartProgress } from '../base/progress';
import type { Implementation, LayeredProblem, Model } from '../base/problem';
import { precisionModels } from '../budget/index';
import { layerTitle } from '../diagnosis/index';
import {
  asEvaluation,
  equationsOf,
  makeRounding,
  roundedArithmetic,
  tensorsOfOutcome,
  type Network,
  type NetworkProblem,
} from '../equations/index';
import {
  distance,
  effectOf,
  effectOfRun,
  exactFault,
  faultNamed,
  faultsOf,
  runFault,
  sameRun,
  type EquationFault,
  type FaultyRun,
} from '../faults/equations/index';
import { plant } from '../faults/index';
import { makeLayeredProblem, type LayeredRecipe } from '../problems/index';
import { lookAt } from './look';
import { tryMistake, type Mistake } from './mistake';
import { concludeTrial, type TrialReport } from './report';
import { ScoreBook } from './score-book';

/** A side that runs networks of layers; its own answer is changed by what a fault changes, unless it can compute the faulty one itself. */
export interface LayersHost extends Implementation {
  plant?: (fault: Pick<EquationFault, 'runs'>, way: number) => Implementation;
}

export interface LayersTrialOptions {
  /** "lstm:4" */ readonly layers: string;
  readonly model: Model;
  /** sides that run the model, which faults are planted in, in turn */ readonly hosts: readonly LayersHost[];
  /** a float64 side that runs the model; default the first host */ readonly float64?: Implementation;
  readonly notRun?: TrialReport['notRun'];
  readonly seed: number;
  /** how often every fault is planted, and how often at one time step alone */ readonly seeds: number;
  readonly isWanted?: (name: string) => boolean;
  /** per cent caught below which the trial fails; default 100 */ readonly break?: number;
  readonly progress?: StartProgress;
}

const sizes = { batch: 3, timeSteps: 5 };
/** Problems that a fault can be planted in: masks and gradients from above in turn. */
const poolSize = 4;
/** A fault is planted where it changes some number by this share of the largest of its tensor. */
const strong = 1e-3;

/**
 * Puts the harness on trial for a network of layers: every mistake in one place of its equations is planted in right implementations, and
 * the harness is asked whether something is wrong, in which layer and step, which mistake it is, and on which side.
 */
export async function runLayersTrial(options: LayersTrialOptions): Promise<TrialReport> {
  const started = performance.now();
  const { model, seed, seeds, hosts, isWanted = () => true } = options;
  const pool = Array.from({ length: poolSize }, (_, i) =>
    withHead({
      id: `trial, seed ${seed + i}`,
      seed: seed + i,
      model,
      ...sizes,
      upstream: i % 2 === 0,
      mask: i % 2 === 1,
    }),
  );
  const faults = faultsOf(equationsOf(pool[0]).network).filter(({ name }) => isWanted(name));
  const trial = new LayersTrial(pool, options);
  const progress = (options.progress ?? silentProgress)('trial', faults.length);
  try {
    for (const [i, fault] of faults.entries()) {
      for (let k = 0; k < seeds; k++) {
        await trial.plant(fault, i + k);
        const single = fault.atStep?.((i + k) % sizes.timeSteps);
        if (single !== undefined) await trial.plant(single, i + k);
      }
      progress.step(fault.name);
    }
  } finally {
    progress.stop();
  }
  return concludeTrial({
    ...options,
    ...trial.book.found,
    shapes: 1,
    hosts: hosts.map(({ name }) => name),
    seconds: (performance.now() - started) / 1000,
  });
}

/** Without gradients at the logits: with them the equations have another form of the dense layer, and so other faults. */
function withHead(recipe: LayeredRecipe): LayeredProblem {
  const { upstream, ...rest } = makeLayeredProblem(recipe);
  if (upstream === undefined) return rest;
  const { finalStates, sequences } = upstream;
  return { ...rest, upstream: { ...(finalStates && { finalStates }), ...(sequences && { sequences }) } };
}

class LayersTrial {
  readonly book = new ScoreBook();
  private turn = 0;

  constructor(
    private readonly pool: readonly LayeredProblem[],
    private readonly options: LayersTrialOptions,
  ) {}

  async plant(fault: EquationFault, turn: number): Promise<void> {
    const effects = this.pool.map((given) => {
      const { network, problem } = equationsOf(given);
      return { given, effect: effectOf(network, problem, fault) };
    });
    const shown = effects.filter(({ effect }) => effect > strong);
    const most = effects.reduce((one, other) => (other.effect > one.effect ? other : one));
    const { given } = shown.length > 0 ? shown[turn % shown.length] : most;
    const { network, problem } = equationsOf(given);
    const runs = fault.runs(network, problem);
    if (runs.length === 0) return;
    // one way may change nothing where another one does: the step before the first is zeros, or the last one as index -1
    const changing = [...runs.keys()].filter((way) => effectOfRun(network, problem, runs[way]) > sameRun);
    const { hosts, float64 = hosts[0] } = this.options;
    const host = hosts[this.turn % hosts.length];
    const mistake = mistakeIn(given, fault, changing.length > 0 ? changing[this.turn % changing.length] : 0);
    this.turn++;
    if (changing.length > 0) {
      this.book.note(mistake, await tryMistake(mistake, given, host, float64));
      return;
    }
    const { isFailing, caught, diagnosis } = await lookAt(mistake.plantIn(host), given);
    const said = { isFailing, isBlamed: isFailing || caught.referee, kind: diagnosis?.kind };
    const { name } = mistake;
    this.book.noteHarmless('equivalents', { name, why: 'no problem of this trial shows it' }, said);
  }
}

/** @param way which of the faulty networks of the fault */
function mistakeIn(given: LayeredProblem, fault: EquationFault, way: number): Mistake {
  const { network, problem } = equationsOf(given);
  const { words, page, phase, layer, timeStep } = fault;
  const own = exactFault(fault.runs(network, problem)[way]).whole();
  const title = layer === undefined ? '' : layerTitle(network, layer);
  /** whether a fault, by its name, gives the same numbers as this one */
  const isEqual = (name: string): boolean =>
    name === fault.name ||
    (faultNamed(network, name)
      ?.runs(network, problem)
      .some((other) => distance(exactFault(other).whole(), own) <= sameRun) ??
      false);
  return {
    name: fault.name.replace(/at time step \d+$/, 'at one time step'),
    ...{ words, phase, singleStep: timeStep !== undefined },
    family: page.split('#')[1],
    plantIn: (host: LayersHost) => host.plant?.(fault, way) ?? plant({ runs: fault.runs }, host, way),
    isLocated: (found) =>
      found !== undefined &&
      found.tensor.startsWith(title) &&
      (timeStep === undefined || found.timeSteps?.join() === String(timeStep)),
    place: `${title}${timeStep === undefined ? '' : ` at step ${timeStep}`}`,
    isKind: ({ names }) => names.every(isEqual),
    isName: ({ names }) => names.some(isEqual),
  };
}

const orders = ['sequential', 'reversedFused', 'lanes', 'double', 'blocks'] as const;

/** The formulas themselves in emulated single precision, every rounding random; each answer rounds in another way. */
export function emulatedHost(): LayersHost {
  let k = 0;
  const hostOf = (
    faultyRun: (network: Network, problem: NetworkProblem) => FaultyRun | undefined,
  ): LayersHost => ({
    name: 'emulated',
    precision: 'float32',
    evaluate: () => {
      throw new Error('the emulated side runs networks of layers');
    },
    layered: {
      evaluate: (source) => {
        const { network, problem } = equationsOf(source);
        const rounding = makeRounding({
          ...{ order: orders[k % 5], joint: k % 3 === 1, flat: k % 2 === 1, noise: 'sums', seed: k++ },
        });
        const run = faultyRun(network, problem) ?? { network, problem };
        const outcome = runFault(run, roundedArithmetic(precisionModels.wasm.kappa, rounding));
        return asEvaluation(source, tensorsOfOutcome(outcome));
      },
    },
    plant: ({ runs }, way) => hostOf((network, problem) => runs(network, problem).at(way)),
  });
  return hostOf(() => undefined);
}
