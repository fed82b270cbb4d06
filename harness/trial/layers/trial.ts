import type { Tensor } from '../../../scratch/index';
import { silentProgress, type StartProgress } from '../../base/progress';
import type { LayeredProblem, Model } from '../../base/problem';
import { version } from '../../base/version';
import { precisionModels } from '../../budget/index';
import {
  diagnoseLayers,
  layerTitle,
  sideAtFaultInLayers,
  type LayersDiagnosis,
} from '../../diagnosis/layers/index';
import { equationsOf, type Network, type NetworkProblem } from '../../equations/index';
import {
  distance,
  effectOf,
  exactFault,
  faultNamed,
  faultsOf,
  sameRun,
  type EquationFault,
  type FaultyRun,
} from '../../faults/equations/index';
import { makeLayeredProblem, type LayeredRecipe } from '../../problems/index';
import type { LayersHost } from './hosts';
import { layersScore, layersTrialFormat, type LayersTrialReport, type LayersTrialRow } from './report';

export interface LayersTrialOptions {
  /** "lstm:4" */ readonly layers: string;
  readonly model: Model;
  readonly hosts: readonly LayersHost[];
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
export function runLayersTrial(options: LayersTrialOptions): LayersTrialReport {
  const started = performance.now();
  const { model, seed, seeds, hosts, layers, isWanted = () => true, break: threshold = 100 } = options;
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
  const { network } = equationsOf(pool[0]);
  const faults = faultsOf(network).filter(({ name }) => isWanted(name));
  const book = new LayersBook(pool, hosts);
  const progress = (options.progress ?? silentProgress)('trial', faults.length);
  try {
    faults.forEach((fault, i) => {
      for (let k = 0; k < seeds; k++) {
        book.plant(fault, i + k);
        const step = (i + k) % sizes.timeSteps;
        if (fault.atStep !== undefined) book.plant(fault.atStep(step), i + k);
      }
      progress.step(fault.name);
    });
  } finally {
    progress.stop();
  }
  const { rows, equivalents, misses } = book;
  const score = layersScore(rows, equivalents);
  const wrong = score.wrongNames + score.wrongSides + score.equivalentsBlamed;
  return {
    format: layersTrialFormat,
    version,
    ...{ layers, seed, seeds, rows, equivalents, score },
    hosts: hosts.map(({ name }) => name),
    misses: misses.slice(0, 200),
    seconds: (performance.now() - started) / 1000,
    break: threshold,
    exitCode: score.caught >= threshold && wrong === 0 ? 0 : 1,
  };
}

/** Without gradients at the logits: with them the equations have another form of the dense layer, and so other faults. */
function withHead(recipe: LayeredRecipe): LayeredProblem {
  const { upstream, ...rest } = makeLayeredProblem(recipe);
  if (upstream === undefined) return rest;
  const { finalStates, sequences } = upstream;
  return { ...rest, upstream: { ...(finalStates && { finalStates }), ...(sequences && { sequences }) } };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class LayersBook {
  readonly misses: string[] = [];
  private readonly counts = new Map<string, Writable<LayersTrialRow>>();
  private readonly harmless = new Map<string, Writable<LayersTrialReport['equivalents'][number]>>();
  private turn = 0;

  constructor(
    private readonly pool: readonly LayeredProblem[],
    private readonly hosts: readonly LayersHost[],
  ) {}

  get rows(): LayersTrialRow[] {
    return [...this.counts.values()];
  }

  get equivalents(): LayersTrialReport['equivalents'] {
    return [...this.harmless.values()];
  }

  plant(fault: EquationFault, turn: number): void {
    const effects = this.pool.map((given) => {
      const { network, problem } = equationsOf(given);
      return { given, effect: effectOf(network, problem, fault) };
    });
    const shown = effects.filter(({ effect }) => effect > strong);
    const most = effects.reduce((one, other) => (other.effect > one.effect ? other : one));
    const { given, effect } = shown.length > 0 ? shown[turn % shown.length] : most;
    const { network, problem } = equationsOf(given);
    const runs = fault.runs(network, problem);
    if (runs.length === 0) return;
    const way = this.turn % runs.length;
    const host = this.hosts[this.turn++ % this.hosts.length];
    const { answer, shown: inner } = host.plant(given, fault, way);
    const found = diagnoseLayers(network, problem, answer, {
      model: host.model,
      ...(inner && { shown: inner }),
    });
    if (effect <= sameRun) {
      const row = this.harmless.get(fault.name) ?? { name: fault.name, planted: 0, blamed: 0 };
      this.harmless.set(fault.name, row);
      row.planted++;
      row.blamed += Number(found !== undefined);
      return;
    }
    const where = `${fault.name} on ${host.name}, ${given.id}`;
    const row = this.rowOf(fault);
    row.planted++;
    if (found === undefined)
      this.misses.push(`${where}: not caught, changes the answer by ${effect.toExponential(1)}`);
    else this.note(row, fault, found, { where, network, isEqual: equalTo(network, problem, runs[way]) });
    // the same fault on a float64 side, and the host's right answer
    const right: Pick<EquationFault, 'runs'> = { runs: (own, asked) => [{ network: own, problem: asked }] };
    const sides = [
      [host.name, answer, rightAnswer(network, problem)],
      ['scratch', host.plant(given, right, 0).answer, exactFault(runs[way]).whole()],
    ] as const;
    for (const [wanted, own, reference] of sides) {
      const side = sideAtFaultInLayers(network, problem, [
        { name: host.name, model: host.model, answer: own },
        { name: 'scratch', model: precisionModels.float64, answer: reference },
      ]);
      if (side === wanted) row.side++;
      else if (side !== 'undecided') row.wrongSide++;
      if (side !== wanted) this.misses.push(`${where}: side ${side} instead of ${wanted}`);
    }
  }

  private note(
    row: Writable<LayersTrialRow>,
    fault: EquationFault,
    { kind, layer, timeSteps, text }: LayersDiagnosis,
    { where, network, isEqual }: { where: string; network: Network; isEqual: (name: string) => boolean },
  ): void {
    row.caught++;
    const isPlace = fault.layer === undefined || layer === layerTitle(network, fault.layer);
    const isStep =
      fault.timeStep === undefined || (timeSteps?.length === 1 && timeSteps[0] === fault.timeStep);
    if (isPlace && isStep) row.located++;
    else this.misses.push(`${where}: located at ${text}`);
    if (kind === undefined) {
      this.misses.push(`${where}: no name`);
      return;
    }
    const others = kind.names.filter((name) => name !== fault.name);
    if (others.every(isEqual)) {
      row.named++;
      if (kind.names.length > 1) row.together++;
    } else if (others.length === kind.names.length) row.wrongName++;
    if (!others.every(isEqual)) this.misses.push(`${where}: called ${kind.names.join('; ')}`);
  }

  private rowOf(fault: EquationFault): Writable<LayersTrialRow> {
    const { words, page, phase, layer, timeStep } = fault;
    const singleStep = timeStep !== undefined;
    const name = fault.name.replace(/at time step \d+$/, 'at one time step');
    const row = this.counts.get(name) ?? {
      ...{ name, words, page, phase, singleStep, planted: 0, caught: 0, located: 0, named: 0, together: 0 },
      ...{ wrongName: 0, side: 0, wrongSide: 0, ...(layer !== undefined && { layer }) },
    };
    this.counts.set(name, row);
    return row;
  }
}

const rightAnswer = (network: Network, problem: NetworkProblem): ReadonlyMap<string, Tensor> =>
  exactFault({ network, problem }).whole();

/** Whether a fault, by its name, gives the same numbers as this one. */
function equalTo(network: Network, problem: NetworkProblem, run: FaultyRun): (name: string) => boolean {
  const own = exactFault(run).whole();
  return (name) =>
    faultNamed(network, name)
      ?.runs(network, problem)
      .some((other) => distance(exactFault(other).whole(), own) <= sameRun) ?? false;
}
