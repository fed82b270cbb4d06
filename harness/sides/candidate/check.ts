import { resembles } from '../../../scratch/index';
import { isBackendByName, isBackendFlag } from '../../base/framework-names';
import { UsageError } from '../../base/outcome';
import { checkVisible } from '../../base/visible-text';
import { layerNames } from '../../base/model';
import { tensorNames, type ModelLayer, type Precision } from '../../base/problem';
import { candidateNames, type AnyCandidate, type Candidate } from './define';

/** What is known of a candidate before it evaluates anything. */
export interface CandidateDeclaration {
  readonly name: string;
  readonly precision: Precision;
  readonly omits: readonly string[];
  readonly masks: boolean;
  /** the layers that it can run; absent where it answers problems about the simple RNN */ readonly layers?: readonly string[];
}

/**
 * The candidate in a loaded module: its default export or its export named `candidate` (CommonJS: `module.exports`,
 * or a property of it).
 *
 * @throws UsageError when it is missing
 */
export function candidateOf(module: unknown, where: string): AnyCandidate {
  const places = [module, get(module, 'default'), get(get(module, 'default'), 'default')];
  for (const place of places) {
    for (const found of [get(place, 'candidate'), place]) {
      if (typeof get(found, 'evaluate') === 'function') return found as AnyCandidate;
    }
  }
  const names = typeof module === 'object' && module !== null ? Object.keys(module).join(', ') : '';
  throw new UsageError(
    `${where} exports ${names === '' ? 'nothing' : names}, but no candidate; export default (or as \`candidate\`) an object { name, precision, evaluate(problem) }.`,
  );
}

/** Checks name, precision, omits and masks. A candidate may have fields of its own, but none that is a misspelt one. Throws UsageError. */
export function checkCandidate(candidate: AnyCandidate, where: string): CandidateDeclaration {
  for (const field in candidate) {
    if (Object.hasOwn(candidateNames, field)) continue;
    const meant = resembles(field, Object.keys(candidateNames));
    if (meant !== undefined)
      throw new UsageError(
        `${where}: there is no field ${field}; the nearest is ${meant}, so correct the name, or give the field a name that does not resemble it.`,
      );
  }
  const { name, precision, omits, masks, layers } = candidate as Partial<
    Record<keyof Candidate | 'layers', unknown>
  >;
  if (typeof (candidate as Partial<Candidate>).evaluate !== 'function') {
    throw new UsageError(`${where}: evaluate is not a function; give evaluate(problem) { ... }.`);
  }
  if (typeof name !== 'string' || name.trim() === '') {
    throw new UsageError(`${where}: name is ${show(name)}; a name for the reports was expected.`);
  }
  checkName(name, where);
  if (precision !== 'float32' && precision !== 'float64') {
    throw new UsageError(
      `${where}: precision is ${show(precision)}; "float32" or "float64" was expected, because tolerances depend on it.`,
    );
  }
  if (masks !== undefined && typeof masks !== 'boolean') {
    throw new UsageError(`${where}: masks is ${show(masks)}; true or false was expected.`);
  }
  return {
    name,
    precision,
    omits: checkOmits(omits, where, layers === undefined ? tensorNames : layeredNames),
    masks: masks ?? false,
    ...(layers !== undefined && { layers: checkLayers(layers, where) }),
  };
}

/** Words that reports say of sides. */
const verdictWords = ['both', 'undecided', 'reference'];

function checkName(name: string, where: string): void {
  checkVisible(name, `${where}: name`);
  if (name !== name.trim())
    throw new UsageError(
      `${where}: name is ${JSON.stringify(name)}, with a space at its start or end, which readers cannot see; leave it out.`,
    );
  const plain = name.normalize('NFKC').toLowerCase();
  if (plain === 'scratch' || plain.startsWith('tfjs:') || isBackendByName(plain) || isBackendFlag(plain))
    throw new UsageError(
      `${where}: name is ${JSON.stringify(name)}, that of a side of rnn-parity, with which reports and error bounds would confuse it; choose another name.`,
    );
  if (verdictWords.includes(plain))
    throw new UsageError(
      `${where}: name is ${JSON.stringify(name)}, a word that reports say of sides ("${plain} is wrong"); choose another name.`,
    );
}

/** `cell`: a user's own */
const declarable: readonly ModelLayer['layer'][] = [...layerNames, 'cell'];

function checkLayers(layers: unknown, where: string): string[] {
  const known: readonly unknown[] = declarable;
  const given = Array.isArray(layers) ? Array.from(layers as unknown[]) : [];
  if (given.length > 0 && given.every((layer) => known.includes(layer))) return layers as string[];
  throw new UsageError(
    `${where}: layers is ${show(layers)}; an array of some of ${declarable.join(', ')} was expected.`,
  );
}

/** What an answer about layers is made of. */
const layeredNames = [
  'sequences',
  'finalStates',
  'logits',
  'outputs',
  'loss',
  'gradients.inputs',
  'gradients.weights',
  'gradients.initialStates',
] as const;

function checkOmits(omits: unknown, where: string, names: readonly string[]): string[] {
  if (omits === undefined) return [];
  if (!Array.isArray(omits)) {
    throw new UsageError(`${where}: omits is ${show(omits)}; an array of names was expected, as ["logits"].`);
  }
  return omits.flatMap((name: unknown) => {
    const full = names.filter(
      (known) =>
        known === name ||
        known === `gradients.${String(name)}` ||
        (name === 'gradients' && known.includes('.')),
    );
    if (typeof name === 'string' && full.length > 0) return full;
    throw new UsageError(
      `${where}: omits holds ${show(name)}, which names no tensor; the names are ${names.join(', ')}, and gradients for all of those.`,
    );
  });
}

function get(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return (value as Record<string, unknown>)[key];
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'function' ? 'a function' : JSON.stringify(value).slice(0, 80);
}
