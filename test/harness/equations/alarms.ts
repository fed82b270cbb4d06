import { emulateNetwork, estimateNetwork, type Estimate } from '../../../harness/equations/interpret';
import { instrument } from '../../../harness/equations/instrument';
import { judgeSteps } from '../../../harness/equations/judge-steps';
import type { Network, NetworkProblem } from '../../../harness/equations/network';
import type { RoundingModel } from '../../../harness/equations/rounding-model';
import type { Tensor } from '../../../scratch/index';

type Judged = ReadonlyMap<string, Estimate & { readonly given: Float64Array }>;
type Answer = ReadonlyMap<string, Tensor>;

/** The tensor that used most of what it is allowed, min(bound, 10 c σ); above 1 is an alarm. */
export interface Worst {
  readonly share: number;
  readonly at: string;
}

/** Above this, c rests on a single cause that sigma misses, and only the bound is held against anyone (as in harness/judge). */
const mostInflation = 30;

/** An answer judged by its results. */
export function worstOfResults(
  network: Network,
  problem: NetworkProblem,
  answer: Answer,
  model: RoundingModel,
): Worst {
  const estimates = estimateNetwork(network, problem, model);
  const withAnswer = (given: Answer): Judged =>
    new Map(
      [...estimates].map(([name, one]) => [
        name,
        { ...one, given: given.get(name)?.data ?? new Float64Array(one.value.length).fill(NaN) },
      ]),
    );
  return worst(withAnswer(answer), (k) => withAnswer(emulated(network, problem, model, k)));
}

/** An answer to the instrumented problem judged equation by equation. */
export function worstOfSteps(
  network: Network,
  problem: NetworkProblem,
  answer: Answer,
  model: RoundingModel,
): Worst {
  const asked = instrument(network, problem) ?? { network, problem };
  const judge = (given: Answer): Judged => judgeSteps(network, problem, given, model);
  return worst(judge(answer), (k) => judge(emulated(asked.network, asked.problem, model, k)));
}

/** Eight honest runs, as harness/budget makes them: they tell how far errors scatter beyond sigma. */
function emulated(network: Network, problem: NetworkProblem, model: RoundingModel, k: number): Answer {
  return emulateNetwork(network, problem, model.kappa, {
    order: (['sequential', 'reversedFused', 'lanes', 'double'] as const)[k % 4],
    joint: k % 3 === 1,
    flat: k % 2 === 1,
    form: k,
    noise: k === 0 ? 'high' : k === 1 ? 'low' : 'sums',
    seed: k,
  });
}

function worst(judged: Judged, run: (k: number) => Judged): Worst {
  let found: Worst = { share: 0, at: '' };
  const all = [...judged].map(([name, one]) => ({ name, one, share: shareOf(one, one.given, 1) }));
  // where errors are no longer small, sigma says nothing and the bound alone counts
  const linear = all.every(
    ({ name, one }) => !/^(states|logits)|\.h$/.test(name) || one.sigma.every((s) => s <= 1e-3),
  );
  let runs: Judged[] | undefined;
  for (const { name, one, share } of all) {
    let settled = share;
    if (!(share <= 1)) {
      runs ??= Array.from({ length: 8 }, (_, k) => run(k));
      const c = Math.max(1, ...runs.map((other) => scatter(other.get(name)) / 3));
      settled = shareOf(one, one.given, c > mostInflation || !linear ? Infinity : c);
    }
    if (!(settled <= found.share)) found = { share: settled, at: name };
  }
  return found;
}

function shareOf({ value, bound, sigma }: Estimate, given: Float64Array, c: number): number {
  let largest = 0;
  value.forEach((v, i) => {
    if (given[i] === v) return;
    const share = Math.abs(given[i] - v) / Math.min(bound[i], 10 * c * sigma[i]);
    if (!(share <= largest)) largest = share;
  });
  return largest;
}

/** Largest error of an emulated run, in sigmas. */
function scatter(one: (Estimate & { readonly given: Float64Array }) | undefined): number {
  let largest = 0;
  one?.value.forEach((v, i) => {
    const ratio = Math.abs(one.given[i] - v) / one.sigma[i];
    if (Number.isFinite(ratio)) largest = Math.max(largest, ratio);
  });
  return largest;
}
