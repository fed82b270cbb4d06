import { checkOptions } from '../../scratch/index';
import { isLayered, partAxes, type AnyProblem } from './problem';

type Names = Readonly<Record<string, true>>;

/** The fields of a problem about the simple RNN, or those of one of its fields: `upstream.`, `weights.`. */
function fieldsIn(field: string): Names {
  const names = Object.keys(partAxes).filter((name) => name.startsWith(field));
  return Object.fromEntries(names.map((name) => [name.slice(field.length).split('.')[0], true] as const));
}

const { initialState, ...common }: Names = { id: true, model: true, labels: true, ...fieldsIn('') };
const simple = { fields: { ...common, initialState }, upstream: fieldsIn('upstream.') };
const weights = fieldsIn('weights.');
const layered = {
  fields: { ...common, initialStates: true, targets: true },
  upstream: { logits: true, finalStates: true, sequences: true },
};

/** What a problem about the simple RNN may hold, but for its id. */
export const simpleFields = Object.keys(simple.fields).filter((name) => name !== 'id' && name !== 'model');
/** What a problem about a network of layers may hold, but for its id. */
export const layeredFields = Object.keys(layered.fields).filter((name) => name !== 'id');

/**
 * Refuses a misspelt field, which would otherwise be left out of the question without a word.
 *
 * @throws RangeError with the nearest field that exists
 */
export function checkProblemNames(problem: AnyProblem): void {
  const name = `problem ${JSON.stringify(problem.id)}`;
  const { fields, upstream } = isLayered(problem) ? layered : simple;
  checkOptions(problem, fields, name, 'field');
  if (problem.upstream !== undefined) checkOptions(problem.upstream, upstream, `${name}: upstream`, 'field');
  if (!isLayered(problem)) checkOptions(problem.weights, weights, `${name}: weights`, 'field');
}
