import { createRandom } from '../../scratch/index';
import { largest } from '../base/magnitude';
import { ask, examine, referenceFor } from '../examine/index';
import {
  evaluationOf,
  expectedNames,
  mapParts,
  partOf,
  partsOf,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type LayeredProblem,
  type Model,
} from '../base/problem';
import { compareEvaluation, isFailing, tolerancesFor } from '../judge/index';
import {
  adversarialProblem,
  generatedLayered,
  makeLayeredProblem,
  type GeneratedOptions,
} from '../problems/index';

type SizedLayer = Extract<Model['layers'][number], { readonly units: number }>;

export interface SensitivityOptions {
  readonly cases: number;
  readonly seed: number;
  /** of every `stride` problems one is also judged with planted faults; default 10 */ readonly stride?: number;
  /** problems about a network of layers instead of the simple RNN: with this first layer of 1 to so many units, and a dense layer */
  readonly layer?: SizedLayer | undefined;
  readonly onProgress?: (done: number) => void;
}

/** How often a planted fault was found, by which means. */
export interface Found {
  /** problems in which the fault changes any number of the answer */ readonly planted: number;
  readonly byResults: number;
  readonly bySteps: number;
  readonly byProbe: number;
  readonly byAny: number;
  /** by |error| <= 1e-5 + 1e-5 |reference| */ readonly byPlainTolerance: number;
}

export interface Sensitivity {
  readonly implementation: string;
  readonly problems: number;
  /** a correct side judged wrong: problem, tensor, where */ readonly falseAlarms: readonly string[];
  /** judged right, also where single steps had to settle it */ readonly pass: number;
  /** ill-conditioned, and not to be settled */ readonly ill: number;
  /** median of allowed / (eps32 * largest |entry|) over the weight gradients of well-conditioned problems */
  readonly weightGradientBudget: number;
  /** largest share of its budget that any passing tensor used */ readonly largestShare: number;
  readonly oneWeight: Found;
  readonly scaledGradients: Found;
}

/** Gaussian weights over sqrt(fan-in), labels only. */
export const wellConditioned: GeneratedOptions = {
  kinds: ['gaussian'],
  scales: [0.3, 1],
  normalized: true,
  plain: true,
};

/**
 * Measures false alarms of the judge on a correct side over generated problems, adversarial ones included, and its sensitivity to two
 * small faults on well-conditioned ones. The same seed gives the same problems.
 */
export async function measureSensitivity(
  implementation: Implementation,
  options: SensitivityOptions,
): Promise<Sensitivity> {
  const { cases, seed, stride = 10, layer } = options;
  const plain =
    layer === undefined ? adversarialProblem : (own: number, i: number) => layeredProblem(layer, own, i);
  const clear =
    layer === undefined
      ? (own: number, i: number) => adversarialProblem(own, i, wellConditioned)
      : (own: number, i: number) => clearLayered(layer, own, i);
  const falseAlarms: string[] = [];
  const count = { pass: 0, ill: 0 };
  let largestShare = 0;
  for (let i = 0; i < cases; i++) {
    const problem = plain(seed, i);
    const { verdicts, status } = await examine(implementation, problem);
    for (const t of verdicts.flatMap(({ tensors }) => tensors)) {
      if (t.status === 'pass') largestShare = Math.max(largestShare, t.worst?.usedShare ?? 0);
      else if (isFailing(t))
        falseAlarms.push(
          `${problem.id}: ${t.tensor} ${t.status} ${t.reason ?? ''} ${JSON.stringify(t.worst)}`,
        );
    }
    if (status !== 'fail') count[status]++;
    if (i % 100 === 99) options.onProgress?.(i + 1);
  }
  const shares: number[] = [];
  const oneWeight = nothingFound();
  const scaledGradients = nothingFound();
  for (let i = 0; i < Math.ceil(cases / stride); i++) {
    const problem = clear(seed + 1, i);
    shares.push(...weightGradientShares(problem, implementation));
    await look(oneWeight, problem, implementation, oneWeightWrong(problem, i));
    await look(scaledGradients, problem, implementation, scaledBy(1 + 1e-6));
  }
  shares.sort((a, b) => a - b);
  return {
    implementation: implementation.name,
    problems: cases,
    falseAlarms,
    ...count,
    largestShare,
    weightGradientBudget: shares[shares.length >> 1],
    oneWeight,
    scaledGradients,
  };
}

function nothingFound(): { -readonly [K in keyof Found]: number } {
  return { planted: 0, byResults: 0, bySteps: 0, byProbe: 0, byAny: 0, byPlainTolerance: 0 };
}

/** The layer with 1 to `units` units, and a dense layer on it. */
function modelOf(layer: SizedLayer, seed: number, index: number): Model {
  const random = createRandom(seed * 1000 + index);
  const units = 1 + random.integer(layer.units);
  return {
    features: 1 + random.integer(8),
    layers: [
      { ...layer, units },
      { layer: 'dense', units: 3 },
    ],
  };
}

function layeredProblem(layer: SizedLayer, seed: number, index: number): LayeredProblem {
  return generatedLayered(modelOf(layer, seed, index), seed, index);
}

/** Gaussian weights over sqrt(fan-in), labels only, as `wellConditioned`. */
function clearLayered(layer: SizedLayer, seed: number, index: number): LayeredProblem {
  const random = createRandom(seed * 1000 + index);
  return makeLayeredProblem({
    id: `clear/${index}`,
    seed: seed * 100_000 + index,
    model: modelOf(layer, seed, index),
    batch: 1 + random.integer(5),
    timeSteps: 1 + random.integer(12),
    scale: [0.3, 1][index % 2],
  });
}

/** What a fault does to a side: to the problem that it solves, or to its answer. */
interface Fault {
  readonly before?: <P extends AnyProblem>(problem: P) => P;
  readonly after?: (problem: AnyProblem, answer: Evaluation) => Evaluation;
}

/** Plants the fault in the side, and counts by which means it is found, where it changes anything. */
async function look(
  found: ReturnType<typeof nothingFound>,
  problem: AnyProblem,
  side: Implementation,
  { before = (given) => given, after = (_, answer) => answer }: Fault,
): Promise<void> {
  const { layered } = side;
  const faulty: Implementation = {
    ...side,
    evaluate: async (given) => after(given, await side.evaluate(before(given))),
    ...(layered && {
      layered: {
        ...layered,
        evaluate: async (given: LayeredProblem) => after(given, await layered.evaluate(before(given))),
      },
    }),
  };
  const { answer: given } = await ask(faulty, problem);
  if (sameGradients(problem, given, (await ask(side, problem)).answer)) return;
  const { results, steps, probe } = await examine(faulty, problem);
  const [byResults, bySteps, byProbe] = [results, steps, probe].map(
    (view) => view?.verdict.status === 'fail',
  );
  const plain = { absolute: 1e-5, relative: 1e-5 };
  const reference = referenceFor(problem);
  const byPlain = compareEvaluation(problem, reference, given, side, { tolerance: plain }).status === 'fail';
  found.planted++;
  found.byResults += Number(byResults);
  found.bySteps += Number(bySteps);
  found.byProbe += Number(byProbe);
  found.byAny += Number(byResults || bySteps || byProbe);
  found.byPlainTolerance += Number(byPlain);
}

/** One recurrent weight, of the first layer, chosen by the number of the problem, times 1 + 1e-5. */
function oneWeightWrong(problem: AnyProblem, index: number): Fault {
  const names = partsOf(problem).filter((part) => /^weights\.(layer1\.)?\w*recurrentKernel$/i.test(part));
  const random = createRandom(index);
  const name = names[random.integer(names.length)];
  const at = random.integer(partOf(problem, name)?.data.length ?? 0);
  return {
    before: (given) =>
      mapParts(given, (own, part) => {
        const wrong = Math.fround(own.data[at] * (1 + 1e-5));
        return part === name ? { data: own.data.with(at, wrong), shape: own.shape } : own;
      }),
  };
}

function scaledBy(factor: number): Fault {
  return {
    after: (problem, answer) =>
      evaluationOf(
        new Map(
          expectedNames(problem).flatMap((name) => {
            const tensor = tensorOf(answer, name);
            if (tensor === undefined) return [];
            const { data, shape } = tensor;
            return [
              [name, isGradient(name) ? { data: data.map((x) => Math.fround(x * factor)), shape } : tensor],
            ];
          }),
        ),
      ),
  };
}

function isGradient(name: string): boolean {
  return name.startsWith('gradients.');
}

function sameGradients(problem: AnyProblem, a: Evaluation, b: Evaluation): boolean {
  return expectedNames(problem)
    .filter(isGradient)
    .every((name) => tensorOf(a, name)?.data.every((x, i) => x === tensorOf(b, name)?.data[i]));
}

function weightGradientShares(problem: AnyProblem, side: Implementation): number[] {
  const reference = referenceFor(problem);
  const { budget } = tolerancesFor(problem, reference, side);
  return expectedNames(problem)
    .filter((name) => isGradient(name) && /kernel$/i.test(name))
    .flatMap((name) => {
      const most = largest(tensorOf(reference, name)?.data);
      if (most === 0 || budget === undefined) return [];
      return Array.from(budget.allowed(name, false), (e) => e / most / 2 ** -23);
    });
}
