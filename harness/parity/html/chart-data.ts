import { sizeOf, type Tensor } from '../../../scratch/index';
import { partsOfLayers } from '../../base/model';
import { layerTitle } from '../../diagnosis/index';
import { equationsOf, instrument, isRecurrent } from '../../equations/index';
import { ask, referenceFor } from '../../examine/index';
import { precisionModelOf } from '../../budget/index';
import { problemForLocalJudgement, tolerancesFor, type FixedTolerance } from '../../judge/index';
import {
  expectedNames,
  expectedShape,
  isLayered,
  sizesOf,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
} from '../../base/problem';
import { ulpsBetween } from '../../base/ulps';
import type { Observation, Observer } from '../options';
import { badness, worstFirst } from '../text/failing';
import { heatMap, type HeatMap } from './heat-map';

/** What the page draws of one side, besides its report: small, however many numbers were compared. */
export interface SideCharts {
  readonly name: string;
  readonly forward: UlpHistogram;
  readonly backward: UlpHistogram;
  /** of the case that used most of its budget */ readonly heat?: SideHeat;
}

export interface SideHeat {
  readonly caseId: string;
  readonly maps: readonly HeatMap[];
  /** why there is no map of the backward pass */ readonly missing?: string;
}

/** Distances from the reference (rounded to the side's precision) in units in the last place. */
export interface UlpHistogram {
  /** counts of 0, 1, 2-3, 4-7, ...: bin k > 0 holds distances from 2^(k-1) */ readonly bins: number[];
  /** NaN on either side */ notNumbers: number;
}

/** Most maps of the forward pass, and of the backward pass. */
const mostMaps = 8;

/** Collects, while a run goes by, what the page of `--html` draws. */
export class ChartData implements Observer {
  readonly sides: SideCharts[] = [];
  private current: { name: string; forward: UlpHistogram; backward: UlpHistogram } | undefined;
  private worst: (Observation & { readonly rank: number }) | undefined;

  constructor(private readonly tolerance: FixedTolerance = {}) {}

  judged(observation: Observation): void {
    const { implementation, reference, answer, verdict, problem } = observation;
    this.current ??= {
      name: implementation.name,
      forward: { bins: [], notNumbers: 0 },
      backward: { bins: [], notNumbers: 0 },
    };
    for (const name of expectedNames(problem)) {
      const [given, expected] = [tensorOf(answer, name), tensorOf(reference, name)];
      if (given?.data.length !== expected?.data.length || given === undefined || expected === undefined)
        continue;
      count(
        this.current[name.startsWith('gradients.') ? 'backward' : 'forward'],
        given,
        expected,
        implementation,
      );
    }
    const rank = rankOf(observation, verdict.status === 'fail', problem);
    if (this.worst === undefined || rank > this.worst.rank) this.worst = { ...observation, rank };
  }

  async sideDone(implementation: Implementation): Promise<void> {
    const { current, worst } = this;
    this.current = undefined;
    this.worst = undefined;
    if (current === undefined) return;
    const heat = worst === undefined ? undefined : await this.heatOf(worst, implementation);
    this.sides.push({ ...current, ...(heat && { heat }) });
  }

  private async heatOf(worst: Observation, implementation: Implementation): Promise<SideHeat> {
    const { problem } = worst;
    const features = problem.inputs.shape.at(2) ?? 0;
    const forward = sequencesOf(problem).flatMap(([name, words]) => {
      const rows = [0, expectedShape(problem, name)[2]] as const;
      return this.map(`${words} (forward)`, 'unit', name, worst, implementation, rows) ?? [];
    });
    const backward = await this.backward(problem, implementation);
    // a side that answers no instrumented problem: its own gradients.inputs are drawn instead
    const fallback = (): HeatMap[] => {
      const title = 'gradients.inputs (backward)';
      const rows = [0, features] as const;
      return [this.map(title, 'feature', 'gradients.inputs', worst, implementation, rows) ?? []].flat();
    };
    const gradients = backward.length > 0 ? backward : fallback();
    return {
      caseId: problem.id,
      maps: [...forward.slice(0, mostMaps), ...gradients.slice(0, mostMaps)],
      ...(gradients.length === 0 && {
        missing: 'the answer holds no gradient with a time axis, so the backward pass has no map',
      }),
    };
  }

  /** dz_t is seen through the instrumented problem, whose new inputs' gradients it is: one map for every gate of the first layer. */
  private async backward(problem: AnyProblem, implementation: Implementation): Promise<HeatMap[]> {
    const asked = problemForLocalJudgement(problem);
    if (asked.inputs.shape.join() === problem.inputs.shape.join()) return [];
    try {
      const { answer } = await ask(implementation, asked);
      const seen = { problem: asked, reference: referenceFor(asked), answer };
      return shownGradients(problem).flatMap(
        ({ words, from, width }) =>
          this.map(`${words} (backward)`, 'unit', 'gradients.inputs', seen, implementation, [
            from,
            from + width,
          ]) ?? [],
      );
    } catch {
      return [];
    }
  }

  private map(
    title: string,
    rowAxis: string,
    name: string,
    { problem, reference, answer }: { problem: AnyProblem; reference: Evaluation; answer: Evaluation },
    side: Implementation,
    [first, end]: readonly [number, number],
  ): HeatMap | undefined {
    const [given, expected] = [tensorOf(answer, name), tensorOf(reference, name)];
    if (given === undefined || expected === undefined || given.shape.join() !== expected.shape.join())
      return undefined;
    const tolerances = tolerancesFor(problem, reference, side, this.tolerance);
    const error = expected.data.map((x, i) => (x === given.data[i] ? 0 : Math.abs(given.data[i] - x)));
    const beyond = (allowed: number | Float64Array): boolean =>
      error.some((e, i) => !(e <= (typeof allowed === 'number' ? allowed : allowed[i])));
    let allowed = tolerances.allowed(name);
    // as the judge does: emulated runs are only worth their time where the plain budget does not suffice
    if (beyond(allowed) && tolerances.budget !== undefined) allowed = tolerances.budget.allowed(name, true);
    const [batch, timeSteps, all] = expected.shape;
    const slice = (data: Float64Array): Float64Array =>
      data.filter((_, i) => i % all >= first && i % all < end);
    return heatMap(title, rowAxis, slice(error), typeof allowed === 'number' ? allowed : slice(allowed), [
      batch,
      timeSteps,
      end - first,
    ]);
  }
}

/** The states of every step that an answer may hold, and what they are called: of every layer, in the order of its walk. */
function sequencesOf(problem: AnyProblem): [name: string, words: string][] {
  if (!isLayered(problem)) return [['states', 'states']];
  return partsOfLayers(problem.model).flatMap(({ name, words, outputs }) =>
    outputs.map((output): [string, string] => [
      `sequences.${name}.${output}`,
      `${words}, ${output}${output.startsWith('backward') ? ', in the order of its walk' : ''}`,
    ]),
  );
}

/** Which of the new inputs of the instrumented problem have which gradient. */
function shownGradients(problem: AnyProblem): { words: string; from: number; width: number }[] {
  if (!isLayered(problem)) {
    const { features, units } = sizesOf(problem);
    return [{ words: 'dz, gradient of the pre-activations', from: features, width: units }];
  }
  const { network, problem: numbers } = equationsOf(problem);
  return (instrument(network, numbers)?.probes ?? []).flatMap(({ layer, gradient, part, from, width }) => {
    const words = `${layerTitle(network, layer)}, ${gradient}`;
    const own = network.layers.find(({ name }) => name === layer);
    const whole = own !== undefined && isRecurrent(own) ? own.cell.axes.get(gradient.slice(1)) : undefined;
    const gates = part ?? whole ?? [];
    if (part === undefined && gates.length < 2) return [{ words, from, width }];
    const units = width / gates.length;
    return gates.map((gate, i) => ({ words: `${words}[${gate}]`, from: from + i * units, width: units }));
  });
}

/** A failing case before one that passes; a case too small to look at is taken only where there is no larger one. */
function rankOf({ verdict }: Observation, isFailing: boolean, problem: AnyProblem): number {
  const judged = verdict.tensors.filter(({ status }) => status !== 'ill' && status !== 'omitted');
  const worst = worstFirst(judged).at(0);
  const rank = worst === undefined ? 0 : badness(worst);
  const units = isLayered(problem) ? Infinity : sizesOf(problem).units;
  return isFailing || (problem.inputs.shape[1] >= 4 && units >= 3) ? rank : rank - 2;
}

function count(histogram: UlpHistogram, given: Tensor, expected: Tensor, side: Implementation): void {
  const { precision } = precisionModelOf(side);
  for (let i = 0; i < sizeOf(expected.shape); i++) {
    const ulps = ulpsBetween(given.data[i], expected.data[i], precision);
    if (Number.isNaN(ulps)) histogram.notNumbers++;
    else {
      const bin = ulps === 0 ? 0 : 1 + Math.floor(Math.log2(ulps));
      while (histogram.bins.length <= bin) histogram.bins.push(0);
      histogram.bins[bin]++;
    }
  }
}
