import {
  checkChoice,
  checkFlag,
  checkOptions,
  createRandom,
  describe,
  type LayerConfig,
  type OptionNames,
} from '../../scratch/index';
import { checkSeconds, type AnyCandidate } from '../sides/candidate/index';
import { parseAnySides, type AnySideName } from '../frameworks/index';
import type { SideSource } from '../sides/index';
import { checkTolerance, type FixedTolerance } from '../judge/index';
import type { AnyProblem, Model } from '../base/problem';
import { checkProblemNames } from '../base/problem-names';
import type { StartProgress } from '../base/progress';
import { modelOfLayers } from '../problems/index';
import type { VectorCase } from '../problems/vectors/index';
import type { Observer } from './observe';

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

const optionNames: OptionNames<ParityOptions> = {
  backends: true,
  python: true,
  requireNative: true,
  sides: true,
  only: true,
  seed: true,
  cases: true,
  vectors: true,
  candidate: true,
  tolerance: true,
  diagnoses: true,
  timeoutSeconds: true,
  problems: true,
  model: true,
  labels: true,
  power: true,
  observer: true,
  progress: true,
  flags: true,
  processes: true,
};

/** @throws RangeError for an option, or a field of a problem, that does not exist, with the nearest one, or a value that makes no sense */
export function checkParityOptions(options: ParityOptions): void {
  checkOptions(options, optionNames, 'runParity');
  checkTolerance(options.tolerance, 'runParity');
  if (options.seed !== undefined) createRandom(options.seed);
  const { backends, cases, diagnoses, model, only, processes, timeoutSeconds } = options;
  checkWhole(cases, 'cases', 'generated problems to run');
  checkWhole(diagnoses, 'diagnoses', 'failing problems of each side to diagnose');
  if (only !== undefined && typeof only !== 'string')
    throw new TypeError(`runParity: only is ${describe(only)}; pass a part of a case's id, as in 'edge/*'.`);
  if (processes !== undefined) checkChoice(processes, [1, 2], 'runParity: processes');
  if (timeoutSeconds !== undefined) checkSeconds(timeoutSeconds, 'runParity');
  checkArray(backends, 'backends', "['wasm', 'cpu']");
  checkArray(options.problems, 'problems', '[makeProblem({ seed: 1 })]');
  checkArray(options.vectors, 'vectors', "['torch.npz']");
  const kinds = new Set(options.vectors?.map((one) => (typeof one === 'string' ? 'file' : 'case')));
  if (
    kinds.size > 1 ||
    options.vectors?.some((one: unknown) => typeof one !== 'string' && !isCase(one)) === true
  )
    throw new TypeError(
      'runParity: vectors holds something else than files, or than cases; pass paths alone, or what loadVectors gives.',
    );
  checkArray(options.sides, 'sides', "[tfjsSide('wasm')]");
  if (model !== undefined && !Array.isArray((model as Partial<Model> | null)?.layers))
    throw new TypeError(
      "runParity: model has no array of layers; pass { layers: [{ layer: 'lstm', units: 8 }], loss: 'meanSquaredError' }.",
    );
  for (const name of ['labels', 'power'] as const) {
    const flag = options[name];
    if (flag !== undefined) checkFlag(flag, `runParity: ${name}`);
  }
  if (options.labels === false && model === undefined)
    throw new RangeError(
      'runParity: labels is false without model, and only problems about a model are made without labels; give a model, or leave labels out.',
    );
  if (backends !== undefined) parseAnySides(backends.join());
  // layers of formulas have been read already
  if (model?.layers.every(({ layer }) => layer !== 'cell') === true)
    modelOfLayers(model.layers as readonly LayerConfig[], 'runParity: model');
  options.problems?.forEach(checkProblemNames);
}

const isCase = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'problem' in value && 'expected' in value;

function checkWhole(value: number | undefined, name: string, what: string): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
    throw new RangeError(`runParity: ${name} is ${String(value)}; pass how many ${what}, 0 or more.`);
}

function checkArray(value: unknown, name: string, example: string): void {
  if (value !== undefined && !Array.isArray(value))
    throw new TypeError(`runParity: ${name} is ${describe(value)}; pass an array, for example ${example}.`);
}
