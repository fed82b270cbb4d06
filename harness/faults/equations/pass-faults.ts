import { zeros, type Tensor } from '../../../scratch/index';
import {
  cellSizes,
  isRecurrent,
  outputWidth,
  shapeOf,
  type Arithmetic,
  type Block,
  type Layer,
  type Merge,
  type Network,
  type NetworkProblem,
  type Outcome,
} from '../../equations/index';
import type { EquationFault, FaultyRun } from './fault';

type Run = Omit<FaultyRun, 'network' | 'problem'> & Partial<Pick<FaultyRun, 'network' | 'problem'>>;
/** The faulty run; undefined where the problem has nothing that could go wrong. */
type Change = (network: Network, problem: NetworkProblem) => Run | undefined;
type About = Pick<EquationFault, 'page' | 'quantity'> & Partial<Pick<EquationFault, 'layer' | 'phase'>>;

/** A mistake of the pass; `page` is a section of docs/bptt.md, the phase is forward unless given. */
function passFault(
  name: string,
  { page, phase = 'forward', ...about }: About,
  change: Change,
): EquationFault {
  return {
    ...about,
    ...{ name, words: name, phase, page: `docs/bptt.md#${page}` },
    runs: (network, problem) => {
      const made = change(network, problem);
      return made === undefined ? [] : [{ network, problem, ...made }];
    },
  };
}

/** Mistakes of the pass through layers and time, and of the loss: whatever lies outside the equations of a step. */
export function passFaults(network: Network): EquationFault[] {
  return [
    ...maskFaults(),
    ...network.layers.flatMap((layer) => (isRecurrent(layer) ? layerFaults(layer) : mergeFaults(layer))),
    ...readFaults(network),
    ...exchangeFaults(network),
    ...headFaults(network),
  ];
}

function maskFaults(): EquationFault[] {
  const fault = (name: string, change: (mask: Tensor) => Tensor | undefined): EquationFault =>
    passFault(name, { page: 'masks', quantity: 'mask' }, (_, { mask, ...rest }) => {
      const made = mask && change(mask);
      return mask && { problem: { ...rest, ...(made && { mask: made }) } };
    });
  const moved =
    (from: (t: number, timeSteps: number) => number) =>
    ({ data, shape }: Tensor): Tensor => {
      const [, timeSteps] = shape;
      return { shape, data: data.map((_, i) => data[i - (i % timeSteps) + from(i % timeSteps, timeSteps)]) };
    };
  return [
    fault('the mask is ignored', () => undefined),
    fault('the mask is inverted', ({ data, shape }) => ({ shape, data: data.map((x) => 1 - x) })),
    fault(
      'the mask is one time step late',
      moved((t) => Math.max(t - 1, 0)),
    ),
    fault(
      'the mask is read from the last time step to the first',
      moved((t, timeSteps) => timeSteps - 1 - t),
    ),
    fault('the mask of the first example is used for all', ofFirstRow),
  ];
}

/** Every row as the first. */
function ofFirstRow({ data, shape }: Tensor): Tensor {
  return { shape, data: data.map((_, i) => data[i % shape[1]]) };
}

type Recurrent = Extract<Layer, { units: number }>;

function layerFaults(layer: Recurrent): EquationFault[] {
  const { name: own, cell, reversed = false } = layer;
  const [first, second] = cell.carries;
  const ofLayer = (name: string, about: Omit<About, 'layer'>, change: Change): EquationFault =>
    passFault(name, { ...about, layer: own }, change);
  const ofStates = (
    name: string,
    quantity: string,
    change: (states: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>> | undefined,
  ): EquationFault =>
    ofLayer(name, { quantity, page: 'initial-state' }, (_, problem) => {
      const states = problem.initialStates?.[own];
      const made = states && change(states);
      return made && { problem: { ...problem, initialStates: { ...problem.initialStates, [own]: made } } };
    });
  const ofMean = (name: string, quantity: string, names: readonly string[]): EquationFault[] =>
    averages.map(([words, factor]) =>
      ofLayer(`${name} ${words}`, { quantity, page: 'batch-mean', phase: 'backward' }, scaled(names, factor)),
    );
  const weights = Object.keys(cell.weights);
  const gradientOf = (weight: string): string => `gradients.${own}.${weight}`;
  return [
    ...cell.carries.map((carry) =>
      ofStates(`the initial state ${carry} is ignored`, carry, ({ [carry]: _given, ...rest }) => rest),
    ),
    ...(cell.carries.length < 2
      ? []
      : [
          ofStates(`the initial states ${first} and ${second} are exchanged`, first, (states) =>
            exchanged(states, first, second, ({ shape }) => zeros(...shape)),
          ),
        ]),
    ofStates('the initial state of the first example is used for all', first, (states) =>
      Object.fromEntries(Object.entries(states).map(([carry, state]) => [carry, ofFirstRow(state)])),
    ),
    ...cell.carries.map((carry) =>
      ofLayer(
        `the gradient of the initial state ${carry} is zero`,
        { quantity: `gradients.initial.${carry}`, page: 'initial-state', phase: 'backward' },
        scaled([`gradients.${own}.initial.${carry}`], () => 0),
      ),
    ),
    ...(cell.carries.length === 0
      ? []
      : [
          ofLayer(
            `the time steps are read ${reversed ? 'forwards' : 'backwards'}`,
            { quantity: first, page: 'other-layer' },
            (given) => ({ network: withLayer(given, { ...layer, reversed: !reversed }) }),
          ),
        ]),
    ...ofMean('the gradients of the weights are', weights[0] ?? '', weights.map(gradientOf)),
    ...weights.flatMap((weight) =>
      ofMean(`the gradient of ${weight} is`, `gradients.${weight}`, [gradientOf(weight)]),
    ),
  ];
}

/** Sums that were made means, and means that were made sums. */
const averages: readonly (readonly [words: string, factor: (problem: NetworkProblem) => number])[] = [
  ['divided by the batch size', ({ inputs }) => 1 / inputs.shape[0]],
  ['multiplied by the batch size', ({ inputs }) => inputs.shape[0]],
  ['divided by the number of time steps', ({ inputs }) => 1 / inputs.shape[1]],
];

function exchanged<T>(
  of: Readonly<Record<string, T>>,
  one: string,
  other: string,
  empty: (like: T) => T,
): Record<string, T> | undefined {
  const [a, b] = [of[one] as T | undefined, of[other] as T | undefined];
  const like = a ?? b;
  if (like === undefined) return undefined;
  return { ...of, [one]: b ?? empty(like), [other]: a ?? empty(like) };
}

function withLayer(network: Network, changed: Layer): Network {
  return {
    ...network,
    layers: network.layers.map((layer) => (layer.name === changed.name ? changed : layer)),
  };
}

/** Tensors of the answer times a number. */
function scaled(names: readonly string[], factor: (problem: NetworkProblem) => number): Change {
  return (_, problem) => ({
    finish: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>): Outcome<V> =>
      new Map(
        [...outcome].map(([name, answered]) => [
          name,
          names.includes(name)
            ? {
                ...answered,
                blocks: answered.blocks.map((block) => times(arithmetic, block, factor(problem))),
              }
            : answered,
        ]),
      ),
  });
}

function times<V extends Block>(arithmetic: Arithmetic<V>, block: V, by: number): V {
  const factor = arithmetic.given('', new Float64Array(block.value.length).fill(by), block.rows);
  return arithmetic.apply('product', [block, factor], '');
}

const merges: readonly Merge[] = ['sum', 'mul', 'ave'];

function mergeFaults(layer: Extract<Layer, { merge: string }>): EquationFault[] {
  const { merge, of } = layer;
  const [one, other] = of;
  const fault = (name: string, changed: Partial<Layer>): EquationFault =>
    passFault(name, { layer: layer.name, page: 'other-layer', quantity: 'output' }, (given) => ({
      network: withLayer(given, { ...layer, ...changed }),
    }));
  return merge === 'concat'
    ? [fault(`${other} comes before ${one}`, { of: [other, one] })]
    : merges
        .filter((mode) => mode !== merge)
        .map((mode) => fault(`merged by ${mode} instead of ${merge}`, { merge: mode }));
}

/** A layer that reads another layer of as many columns. */
function readFaults(network: Network): EquationFault[] {
  return network.layers.flatMap((layer, i) => {
    // the final output of a layer is read by a layer of one step, which the inputs do not have
    if (!isRecurrent(layer) || layer.on === 'last') return [];
    const { reads, cell } = layer;
    const about = { layer: layer.name, page: 'other-layer', quantity: cell.carries[0] };
    return ['inputs', ...network.layers.slice(0, i).map(({ name }) => name)]
      .filter((name) => name !== reads && outputWidth(network, name) === outputWidth(network, reads))
      .map((name) =>
        passFault(`reads ${name} instead of ${reads}`, about, (given) => ({
          network: withLayer(given, { ...layer, reads: name }),
        })),
      );
  });
}

/** Two layers of equal cells and sizes with each other's weights. */
function exchangeFaults(network: Network): EquationFault[] {
  const layers = network.layers.filter(isRecurrent);
  const shapesOf = (layer: Recurrent): string =>
    JSON.stringify(
      Object.entries(layer.cell.weights).map(([name, shape]) => [
        name,
        shapeOf(shape, cellSizes(network, layer)),
      ]),
    );
  return layers.flatMap((one, i) =>
    layers
      .slice(i + 1)
      .filter((other) => shapesOf(one) === shapesOf(other))
      .map((other) => {
        const weights = Object.keys(one.cell.weights);
        const gradients = new Map<string, string>(
          [
            [one.name, other.name],
            [other.name, one.name],
          ].flatMap(([own, from]) =>
            weights.map((weight) => [`gradients.${own}.${weight}`, `gradients.${from}.${weight}`] as const),
          ),
        );
        return passFault(
          `the weights of ${one.name} and ${other.name} are exchanged`,
          { layer: one.name, page: 'weights-import', quantity: one.cell.carries[0] },
          (_, problem) => ({
            problem: {
              ...problem,
              weights: exchanged(problem.weights, one.name, other.name, (own) => own) ?? problem.weights,
            },
            finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> =>
              new Map(
                [...outcome].map(([key, answered]) => [
                  key,
                  outcome.get(gradients.get(key) ?? key) ?? answered,
                ]),
              ),
          }),
        );
      }),
  );
}

/** Mistakes of the dense layer and the loss. */
function headFaults({ head }: Network): EquationFault[] {
  if (head === undefined) return [];
  const own = head.direct === true ? [] : ['kernel', 'bias'];
  const fault = (name: string, about: Omit<About, 'layer' | 'page'> & { page?: string }, change: Change) =>
    passFault(name, { page: 'loss', ...about, layer: 'head' }, change);
  const loss = { phase: 'loss', quantity: 'loss' } as const;
  const dLogits = { phase: 'backward', quantity: 'dLogits' } as const;
  const lossTimes =
    (of: 'loss' | 'dLogits' | 'both', factor: (rows: number) => number): Change =>
    (_, { labels, targets }) =>
      labels === undefined && targets === undefined
        ? undefined
        : {
            around: <V extends Block>(arithmetic: Arithmetic<V>): Arithmetic<V> => ({
              ...arithmetic,
              loss(name, logits, target) {
                const made = arithmetic.loss(name, logits, target);
                const by = factor(target.live?.reduce((n, live) => n + live, 0) ?? logits.rows);
                return {
                  ...made,
                  ...(of !== 'dLogits' && { loss: times(arithmetic, made.loss, by) }),
                  ...(of !== 'loss' && { dLogits: times(arithmetic, made.dLogits, by) }),
                };
              },
            }),
          };
  return [
    fault(
      'the loss is summed over the batch instead of averaged',
      loss,
      lossTimes('both', (rows) => rows),
    ),
    fault(
      'the gradient of the logits is not divided by the batch size',
      { ...dLogits, page: 'batch-mean' },
      lossTimes('dLogits', (rows) => rows),
    ),
    fault(
      'the gradient of the logits is divided by the batch size twice',
      { ...dLogits, page: 'batch-mean' },
      lossTimes('dLogits', (rows) => 1 / rows),
    ),
    fault(
      'the gradient of the logits has the wrong sign',
      dLogits,
      lossTimes('dLogits', () => -1),
    ),
    fault(
      'the loss has the wrong sign',
      loss,
      lossTimes('loss', () => -1),
    ),
    fault(
      'the loss is in bits: log2 instead of ln',
      loss,
      lossTimes('loss', () => Math.LOG2E),
    ),
    ...(own.length === 0
      ? []
      : [
          fault('the bias of the dense layer is forgotten', { quantity: 'logits' }, (_, problem) => {
            const { weights } = problem;
            const changed = { ...weights['head'], bias: zeros(head.classes) };
            return { problem: { ...problem, weights: { ...weights, head: changed } } };
          }),
        ]),
    ...own.map((weight) =>
      fault(
        `the gradient of the dense layer's ${weight} is zero`,
        { phase: 'backward', quantity: `gradients.head.${weight}` },
        scaled([`gradients.head.${weight}`], () => 0),
      ),
    ),
  ];
}
