import { isLayered, type AnyProblem, type Evaluation, type Precision } from '../base/problem';
import { asEvaluation, equationsOf } from '../equations/index';
import { canShowFault, exactFault, faultNamed, faultsOf } from '../faults/equations/index';
import {
  askedForward,
  canShow,
  catalogue,
  faultIn,
  replay,
  formula,
  mapTensor,
  type Fault,
} from '../faults/index';

/** A fault that an input is asked to show. */
export interface NamedFault {
  /** unique among those of a problem's network */ readonly name: string;
  /** what is wrong: a sentence without its end */ readonly words: string;
}

/**
 * Mistakes that any problem of the trial would show, and so are not in its catalogue: they ask for negative inputs, or for examples that
 * differ, and for nothing else.
 */
const moreFaults: readonly Fault[] = [
  faultIn('weights-import', 'forward')(
    'sign/inputs-cut-at-zero',
    'negative inputs are taken for zero, as behind a ReLU',
    askedForward((problem) => ({ ...problem, inputs: mapTensor(problem.inputs, (x) => Math.max(x, 0)) })),
  ),
  faultIn('weights-import', 'backward')(
    'sign/inputs-cut-at-zero-for-kernel',
    'the gradient of the kernel is summed with negative inputs taken for zero',
    formula({ kernel: 'relu(x_t); dz_t' }),
  ),
  faultIn('memory', 'forward')(
    'batch/inputs-in-another-order',
    'the examples are read in a different order than their labels and initial states',
    askedForward((problem, { batch }) => {
      const { data, shape } = problem.inputs;
      const size = data.length / batch;
      const from = (i: number): number => data.length - size * (Math.floor(i / size) + 1) + (i % size);
      return { ...problem, inputs: { shape, data: data.map((_, i) => data[from(i)]) } };
    }),
  ),
];

/** What is only wrong beyond a limit: of a probability, of a logit. */
const limits = /^loss\/(clipped-probabilities|logarithm-of-softmax|softmax-without-shift)/;

/**
 * The faults that an input of the simple RNN is asked to show: the catalogue's and a few more. Left out are faults that need several calls or
 * another precision, and limits (of gradients, of probabilities) that no input can be said to reach, as they may be anywhere.
 */
export function faultsToShow(precision: Precision): Fault[] {
  return [...catalogue, ...moreFaults].filter(
    ({ family, name, calls, precision: only }) =>
      calls !== true &&
      family !== 'clipping-and-update-order' &&
      !limits.test(name) &&
      (only === undefined || only === precision),
  );
}

/** What problems about the network of this one are asked to show: the catalogue of the simple RNN, or what follows from the equations. */
export function faultsIn(problem: AnyProblem, precision: Precision): readonly NamedFault[] {
  return isLayered(problem) ? faultsOf(equationsOf(problem).network) : faultsToShow(precision);
}

/** The answers with the fault, in float64, in each way in which it can be run. */
export function wrongAnswers(fault: NamedFault, problem: AnyProblem): readonly Evaluation[] {
  if (!isLayered(problem)) return [replay(fault as Fault, problem)];
  const { network, problem: own } = equationsOf(problem);
  const runs = faultNamed(network, fault.name)?.runs(network, own) ?? [];
  return runs.map((run) => asEvaluation(problem, exactFault(run).whole()));
}

/** Whether the answer can differ at all, by exact replay. */
export function isAble(fault: NamedFault, problem: AnyProblem, precision: Precision): boolean {
  if (!isLayered(problem)) return canShow(fault as Fault, problem, precision);
  const { network, problem: own } = equationsOf(problem);
  const found = faultNamed(network, fault.name);
  return found !== undefined && canShowFault(network, own, found);
}
