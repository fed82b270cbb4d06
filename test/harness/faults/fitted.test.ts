import { expect } from 'chai';
import type { Tensor } from '../../../scratch/index';
import { simpleRnn, type Network, type NetworkProblem } from '../../../harness/equations/index';
import {
  exactFault,
  fittedFaults,
  rightOutcome,
  type FirstWrong,
} from '../../../harness/faults/equations/index';
import { generatedProblem, oneLayer } from '../equations/generated';

type Answer = ReadonlyMap<string, Tensor>;

const network = oneLayer(simpleRnn(), 2, 3);
const problem = generatedProblem(network, 5, { batch: 2, timeSteps: 3 });
const right = rightOutcome(network)(problem);
const matrices = ['gradients.rnn.kernel', 'gradients.rnn.recurrentKernel'];
const weights = [...matrices, 'gradients.rnn.bias'];

const mapped = ({ data, shape }: Tensor, change: (x: number, i: number) => number): Tensor => ({
  shape,
  data: data.map(change),
});
const changed = (names: readonly string[], change: (tensor: Tensor, name: string) => Tensor): Answer =>
  new Map([...right].map(([name, own]) => [name, names.includes(name) ? change(own, name) : own]));
const weightsWith = (
  layer: string,
  name: string,
  change: (x: number) => number,
): NetworkProblem['weights'] => ({
  ...problem.weights,
  [layer]: { ...problem.weights[layer], [name]: mapped(problem.weights[layer][name], change) },
});
const answerTo = (other: Partial<NetworkProblem>): Answer =>
  exactFault({ network, problem: { ...problem, ...other } }).whole();
const norm = Math.hypot(...weights.flatMap((name) => Array.from(right.get(name)!.data)));
const kernelAt: FirstWrong = { layer: 'rnn', phase: 'backward', quantity: 'gradients.kernel' };
const statesAt: FirstWrong = { layer: 'rnn', phase: 'forward', quantity: 'h' };
const lossAt: FirstWrong = { layer: 'head', phase: 'loss', quantity: 'loss' };

const cases: readonly (readonly [name: string, place: FirstWrong, answer: Answer])[] = [
  [
    '0.01 times the matrices of rnn is added to the gradient: weight decay, or L2',
    kernelAt,
    changed(matrices, (own, name) =>
      mapped(own, (x, i) => x + 0.01 * problem.weights['rnn'][name.split('.')[2]].data[i]),
    ),
  ],
  [
    'the gradient of the weights of rnn is clipped to ±0.02',
    kernelAt,
    changed(weights, (own) => mapped(own, (x) => Math.min(Math.max(x, -0.02), 0.02))),
  ],
  [
    'the gradient of the weights of rnn is clipped to the norm 0.05',
    kernelAt,
    changed(weights, (own) => mapped(own, (x) => (x * 0.05) / norm)),
  ],
  [
    'the gradient of the kernel of rnn is 0.7 times what it should be',
    kernelAt,
    changed(['gradients.rnn.kernel'], (own) => mapped(own, (x) => 0.7 * x)),
  ],
  ['rnn, 0.3 is added to z_t', statesAt, answerTo({ weights: weightsWith('rnn', 'bias', (x) => x + 0.3) })],
  [
    'rnn, the whole recurrentKernel is 1.5 times what it should be',
    statesAt,
    answerTo({ weights: weightsWith('rnn', 'recurrentKernel', (x) => 1.5 * x) }),
  ],
  [
    'rnn, each input is 2 times what it should be',
    statesAt,
    answerTo({ inputs: mapped(problem.inputs, (x) => 2 * x) }),
  ],
  ['the loss is 0.5 times what it should be', lossAt, changed(['loss'], (own) => mapped(own, (x) => x / 2))],
  [
    '0.1 times the sum of the squares of the kernel of rnn is added to the loss (L2)',
    lossAt,
    changed(['loss'], (own) =>
      mapped(own, (x) => x + 0.1 * problem.weights['rnn']['kernel'].data.reduce((sum, w) => sum + w * w, 0)),
    ),
  ],
];

/** Names of the fitted faults whose networks give an answer, forward and, where the mistake is there, backward. */
function namesOf(own: Network, asked: NetworkProblem, given: Answer, place: FirstWrong): string[] {
  const isNear = (made: Answer): boolean =>
    [...given].every(
      ([name, { data }]) =>
        (place.phase !== 'backward' && name.startsWith('gradients.')) ||
        data.every((x, i) => Math.abs(x - made.get(name)!.data[i]) <= 1e-11 * Math.max(1, Math.abs(x))),
    );
  return fittedFaults(own, asked, given, place).flatMap((alike) => {
    const found = alike.find((fault) =>
      fault.runs(own, asked).some((run) => isNear(exactFault(run).whole())),
    );
    return found === undefined ? [] : [found.name];
  });
}

describe('faults whose number is read off the answer', () => {
  for (const [name, place, answer] of cases)
    it(name, () => {
      expect(namesOf(network, problem, answer, place)).to.include(name);
    });

  it('fit none of their numbers to the answer of another mistake', () => {
    const odd = changed(matrices, (own) => mapped(own, (x) => x * x));
    expect(namesOf(network, problem, odd, kernelAt)).to.deep.equal([]);
  });

  it('a leaky unit', () => {
    const asked = generatedProblem(network, 6, { batch: 2, timeSteps: 1, labelled: false });
    const states = rightOutcome(network)(asked).get('states.rnn')!;
    const before = asked.initialStates!['rnn']['h'].data;
    const leaky = mapped(states, (x, i) => 0.75 * x + 0.25 * before[i]);
    const given = new Map([['states.rnn', leaky]]);
    expect(namesOf(network, asked, given, statesAt)).to.include(
      'rnn, h_t keeps 0.25 of h_(t-1) and takes the rest from the step: a leaky unit',
    );
  });
});
