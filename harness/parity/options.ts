import {
  checkChoice,
  checkFlag,
  checkOptions,
  createRandom,
  describe,
  type LayerConfig,
} from '../../scratch/index';
import { checkSeconds, type AnyCandidate } from '../sides/candidate/index';
import { parseAnySides, type AnySideName } from '../frameworks/index';
import type { SideSource } from '../sides/index';
import { checkTolerance, type CaseVerdict, type FixedTolerance } from '../judge/index';
import type { AnyProblem, Evaluation, Implementation, Model } from '../base/problem';
import { checkProblemNames } from '../base/problem-names';
import type { StartProgress } from '../base/progress';
import { modelOfLayers } from '../problems/index';
import type { VectorCase } from '../problems/vectors/index';

export interface ParityOptions {
  /**
   * backends to run the twin on, each of which must run; default: all that this machine has, or none when a candidate is given (which
   * runs instead of the twin) unless there are vectors
   */
  readonly backends?: readonly AnySideName[] | undefined;
  /** of the backends keras, torch and onnxruntime: the Python in which they are installed; default python3 of the PATH */
  readonly python?: string | undefined;
  /** NATIVE_REQUIRED=1: the sides in TensorFlow's library must run whenever backends run */ readonly requireNative?: boolean;
  /** the sides themselves, instead of `backends` */ readonly sides?: readonly SideSource[];
  /** part of a case's id, or a pattern with * and ? */ readonly only?: string | undefined;
  /** seed of all random numbers; default 1 */ readonly seed?: number | undefined;
  /** number of generated problems; default 200 */ readonly cases?: number | undefined;
  /** files, or cases: these run instead of the suite */
  readonly vectors?: readonly string[] | readonly VectorCase[] | undefined;
  /** a module's path, or a candidate at hand */ readonly candidate?: string | AnyCandidate | undefined;
  /** replaces the derived tolerances; only results are then compared, because steps and weight probes have derived ones */
  readonly tolerance?: FixedTolerance | undefined;
  /** failed problems of each side that are diagnosed, the worst first; default 3 */ readonly diagnoses?:
    number | undefined;
  /** time limit of a candidate for each problem; default 30 */ readonly timeoutSeconds?: number | undefined;
  /** these run instead of the suite */ readonly problems?: readonly AnyProblem[] | undefined;
  /** problems about this network run instead of the suite: 50, or as many as `cases` */ readonly model?:
    Model | undefined;
  /** false: problems about `model` have no loss, and gradients arrive from above alone; default true */
  readonly labels?: boolean | undefined;
  /** look, before comparing, for what the cases cannot show; default true */ readonly power?:
    boolean | undefined;
  /** sees every answer with all its numbers */ readonly observer?: Observer | undefined;
  readonly progress?: StartProgress | undefined;
  /** what the command that runs one case again needs besides, as in ['--layers', 'lstm:8'] */ readonly flags?:
    readonly string[] | undefined;
  /**
   * 2: where the run is long enough, the sides outside TensorFlow's library work in a process of their own, so that two cores are busy;
   * an observer sees one process only. Default 1
   */
  readonly processes?: 1 | 2 | undefined;
}

/** One answer as it was judged, with every number of it: a report keeps the verdict only. */
export interface Observation {
  readonly implementation: Implementation;
  /** the problem that was solved: rounded to float32 for a float32 side */ readonly problem: AnyProblem;
  /** the float64 reference's answer to it */ readonly reference: Evaluation;
  readonly answer: Evaluation;
  readonly verdict: CaseVerdict;
}

/** Looks on while a run goes by, to draw what a report has no room for. */
export interface Observer {
  /** after the results of every problem */ judged(observation: Observation): void;
  /** when a side has answered all its cases and can still be asked more */
  sideDone(implementation: Implementation): Promise<void>;
}

type Checks = {
  readonly [K in keyof ParityOptions]-?: true | ((value: Exclude<ParityOptions[K], undefined>) => void);
};

/** Every option, and what its value must be where the compiler's word is not enough. */
const checks: Checks = {
  backends: (backends) => {
    checkArray(backends, 'backends', "['wasm', 'cpu']");
    parseAnySides(backends.join());
  },
  python: true,
  requireNative: true,
  sides: (sides) => checkArray(sides, 'sides', "[tfjsSide('wasm')]"),
  only: (only: unknown) => {
    if (typeof only !== 'string')
      throw new TypeError(
        `runParity: only is ${describe(only)}; pass a part of a case's id, as in 'edge/*'.`,
      );
  },
  seed: createRandom,
  cases: (cases) => checkWhole(cases, 'cases', 'generated problems to run'),
  vectors: checkVectors,
  candidate: true,
  tolerance: (tolerance) => checkTolerance(tolerance, 'runParity'),
  diagnoses: (most) => checkWhole(most, 'diagnoses', 'failing problems of each side to diagnose'),
  timeoutSeconds: (seconds) => checkSeconds(seconds, 'runParity'),
  problems: (problems) => {
    checkArray(problems, 'problems', '[makeProblem({ seed: 1 })]');
    problems.forEach(checkProblemNames);
  },
  model: (model: Partial<Model> | null) => {
    const { layers } = model ?? {};
    if (!Array.isArray(layers))
      throw new TypeError(
        "runParity: model has no array of layers; pass { layers: [{ layer: 'lstm', units: 8 }], loss: 'meanSquaredError' }.",
      );
    // layers of formulas have been read already
    if (layers.every(({ layer }: Model['layers'][number]) => layer !== 'cell'))
      modelOfLayers(layers as LayerConfig[], 'runParity: model');
  },
  labels: (labels) => checkFlag(labels, 'runParity: labels'),
  power: (power) => checkFlag(power, 'runParity: power'),
  observer: true,
  progress: true,
  flags: true,
  processes: (processes) => checkChoice(processes, [1, 2], 'runParity: processes'),
};

/** @throws RangeError for an option, or a field of a problem, that does not exist, with the nearest one, or a value that makes no sense */
export function checkParityOptions(options: ParityOptions): void {
  checkOptions(options, checks, 'runParity');
  for (const [name, check] of Object.entries<true | ((value: never) => void)>(checks)) {
    const value = options[name as keyof ParityOptions];
    if (value !== undefined && check !== true) check(value as never);
  }
  if (options.labels === false && options.model === undefined)
    throw new RangeError(
      'runParity: labels is false without model, and only problems about a model are made without labels; give a model, or leave labels out.',
    );
}

function checkVectors(vectors: readonly unknown[]): void {
  checkArray(vectors, 'vectors', "['torch.npz']");
  const isFile = (one: unknown): boolean => typeof one === 'string';
  const isCase = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'problem' in one && 'expected' in one;
  if (!vectors.every(isFile) && !vectors.every(isCase))
    throw new TypeError(
      'runParity: vectors holds something else than files, or than cases; pass paths alone, or what loadVectors gives.',
    );
}

function checkWhole(value: number, name: string, what: string): void {
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw new RangeError(`runParity: ${name} is ${String(value)}; pass how many ${what}, 0 or more.`);
}

function checkArray(value: unknown, name: string, example: string): void {
  if (!Array.isArray(value))
    throw new TypeError(`runParity: ${name} is ${describe(value)}; pass an array, for example ${example}.`);
}
