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
type Describe = Pick<EquationFault, 'name' | 'page' | 'phase' | 'quantity'> &
  Partial<Pick<EquationFault, 'layer'>>;

function passFault(
  about: Describe,
  run: (network: Network, problem: NetworkProblem) => Run | undefined,
): EquationFault {
  return {
    ...about,
    words: about.name,
    runs: (network, problem) => {
      const made = run(network, problem);
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
  const about = (name: string): Describe => ({
    name,
    page: 'docs/bptt.md#masks',
    phase: 'forward',
    quantity: 'mask',
  });
  const withMask =
    (change: (mask: Tensor) => Tensor | undefined) =>
    (_: Network, { mask, ...rest }: NetworkProblem): Run | undefined => {
      const made = mask && change(mask);
      return mask && { problem: { ...rest, ...(made && { mask: made }) } };
    };
  const moved = ({ data, shape }: Tensor, from: (t: number, timeSteps: number) => number): Tensor => {
    const [, timeSteps] = shape;
    return { shape, data: data.map((_, i) => data[i - (i % timeSteps) + from(i % timeSteps, timeSteps)]) };
  };
  return [
    passFault(
      about('the mask is ignored'),
      withMask(() => undefined),
    ),
    passFault(
      about('the mask is inverted'),
      withMask(({ data, shape }) => ({ shape, data: data.map((x) => 1 - x) })),
    ),
    passFault(
      about('the mask is one time step late'),
      withMask((mask) => moved(mask, (t) => Math.max(t - 1, 0))),
    ),
    passFault(
      about('the mask is read from the last time step to the first'),
      withMask((mask) => moved(mask, (t, timeSteps) => timeSteps - 1 - t)),
    ),
    passFault(
      about('the mask of the first example is used for all'),
      withMask(({ data, shape }) => ({ shape, data: data.map((_, i) => data[i % shape[1]]) })),
    ),
  ];
}

type Recurrent = Extract<Layer, { units: number }>;

function layerFaults(layer: Recurrent): EquationFault[] {
  const { name: own, cell } = layer;
  const about = (
    name: string,
    quantity: string,
    page: string,
    phase: 'forward' | 'backward' = 'forward',
  ): Describe => ({
    name,
    quantity,
    layer: own,
    page: `docs/bptt.md#${page}`,
    phase,
  });
  const withStates =
    (change: (states: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>> | undefined) =>
    (_: Network, problem: NetworkProblem): Run | undefined => {
      const states = problem.initialStates?.[own];
      const made = states && change(states);
      return made && { problem: { ...problem, initialStates: { ...problem.initialStates, [own]: made } } };
    };
  const [first, second] = cell.carries;
  const gradients = Object.keys(cell.weights).map((weight) => `gradients.${own}.${weight}`);
  return [
    ...cell.carries.map((carry) =>
      passFault(
        about(`the initial state ${carry} is ignored`, carry, 'initial-state'),
        withStates(({ [carry]: _given, ...rest }) => rest),
      ),
    ),
    ...(cell.carries.length < 2
      ? []
      : [
          passFault(
            about(`the initial states ${first} and ${second} are exchanged`, first, 'initial-state'),
            withStates((states) => exchanged(states, first, second, ({ shape }) => zeros(...shape))),
          ),
        ]),
    passFault(
      about('the initial state of the first example is used for all', first, 'initial-state'),
      withStates((states) =>
        Object.fromEntries(
          Object.entries(states).map(([carry, { data, shape }]) => [
            carry,
            { shape, data: data.map((_, i) => data[i % shape[1]]) },
          ]),
        ),
      ),
    ),
    ...cell.carries.map((carry) =>
      passFault(
        about(
          `the gradient of the initial state ${carry} is zero`,
          `gradients.initial.${carry}`,
          'initial-state',
          'backward',
        ),
        scaled([`gradients.${own}.initial.${carry}`], () => 0),
      ),
    ),
    ...(cell.carries.length === 0
      ? []
      : [
          passFault(
            about(
              layer.reversed === true
                ? 'the time steps are read forwards'
                : 'the time steps are read backwards',
              first,
              'other-layer',
            ),
            (given) => ({
              network: withLayer(given, { ...layer, reversed: layer.reversed !== true }),
            }),
          ),
        ]),
    ...averages.flatMap(([words, factor]) =>
      passFault(
        about(
          `the gradients of the weights are ${words}`,
          gradients[0].split('.').at(-1) ?? '',
          'batch-mean',
          'backward',
        ),
        scaled(gradients, factor),
      ),
    ),
    ...gradients.flatMap((name) =>
      averages.map(([words, factor]) => {
        const weight = name.split('.').at(-1) ?? '';
        return passFault(
          about(`the gradient of ${weight} is ${words}`, `gradients.${weight}`, 'batch-mean', 'backward'),
          scaled([name], factor),
        );
      }),
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
function scaled(names: readonly string[], factor: (problem: NetworkProblem) => number) {
  return (_: Network, problem: NetworkProblem): Run => {
    const by = factor(problem);
    return {
      finish: <V extends Block>(outcome: Outcome<V>, arithmetic: Arithmetic<V>): Outcome<V> =>
        new Map(
          [...outcome].map(([name, answered]) => [
            name,
            names.includes(name)
              ? { ...answered, blocks: answered.blocks.map((block) => times(arithmetic, block, by)) }
              : answered,
          ]),
        ),
    };
  };
}

function times<V extends Block>(arithmetic: Arithmetic<V>, block: V, by: number): V {
  const factor = arithmetic.given('', new Float64Array(block.value.length).fill(by), block.rows);
  return arithmetic.apply('product', [block, factor], '');
}

const merges: readonly Merge[] = ['concat', 'sum', 'mul', 'ave'];

function mergeFaults(layer: Extract<Layer, { merge: string }>): EquationFault[] {
  const { name: own, merge, of } = layer;
  const about = (name: string): Describe => ({
    name,
    layer: own,
    page: 'docs/bptt.md#other-layer',
    phase: 'forward',
    quantity: 'output',
  });
  const [one, other] = of;
  return [
    ...(merge === 'concat'
      ? [
          passFault(about(`${other} comes before ${one}`), (given) => ({
            network: withLayer(given, { ...layer, of: [other, one] }),
          })),
        ]
      : merges
          .filter((mode) => mode !== 'concat' && mode !== merge)
          .map((mode) =>
            passFault(about(`merged by ${mode} instead of ${merge}`), (given) => ({
              network: withLayer(given, { ...layer, merge: mode }),
            })),
          )),
  ];
}

/** A layer that reads another layer of as many columns. */
function readFaults(network: Network): EquationFault[] {
  const faults: EquationFault[] = [];
  const before = ['inputs'];
  for (const layer of network.layers) {
    // the final output of a layer is read by a layer of one step, which the inputs do not have
    if (isRecurrent(layer) && layer.on !== 'last')
      for (const name of before)
        if (name !== layer.reads && outputWidth(network, name) === outputWidth(network, layer.reads))
          faults.push(
            passFault(
              {
                name: `reads ${name} instead of ${layer.reads}`,
                layer: layer.name,
                page: 'docs/bptt.md#other-layer',
                phase: 'forward',
                quantity: layer.cell.carries[0],
              },
              (given) => ({
                network: withLayer(given, { ...layer, reads: name }),
              }),
            ),
          );
    before.push(layer.name);
  }
  return faults;
}

/** Two layers of equal cells and sizes with each other's weights. */
function exchangeFaults(network: Network): EquationFault[] {
  const layers = network.layers.filter(isRecurrent);
  return layers.flatMap((one, i) =>
    layers.slice(i + 1).flatMap((other) => {
      const shapes = [one, other].map((layer) =>
        JSON.stringify(
          Object.entries(layer.cell.weights).map(([name, shape]) => [
            name,
            shapeOf(shape, cellSizes(network, layer)),
          ]),
        ),
      );
      if (shapes[0] !== shapes[1]) return [];
      const name = `the weights of ${one.name} and ${other.name} are exchanged`;
      return passFault(
        {
          name,
          layer: one.name,
          page: 'docs/bptt.md#weights-import',
          phase: 'forward',
          quantity: one.cell.carries[0],
        },
        (_, problem) => ({
          problem: {
            ...problem,
            weights: exchanged(problem.weights, one.name, other.name, (own) => own) ?? problem.weights,
          },
          finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> =>
            new Map(
              [...outcome].map(([key, answered]) => {
                const weight = Object.keys(one.cell.weights).find(
                  (own) => key === `gradients.${one.name}.${own}` || key === `gradients.${other.name}.${own}`,
                );
                const from = key.startsWith(`gradients.${one.name}.`) ? other.name : one.name;
                return [
                  key,
                  weight === undefined ? answered : (outcome.get(`gradients.${from}.${weight}`) ?? answered),
                ];
              }),
            ),
        }),
      );
    }),
  );
}

/** Mistakes of the dense layer and the loss. */
function headFaults(network: Network): EquationFault[] {
  const { head } = network;
  if (head === undefined) return [];
  const own = head.direct === true ? [] : ['kernel', 'bias'];
  const about = (
    name: string,
    phase: 'forward' | 'loss' | 'backward',
    quantity: string,
    page = 'loss',
  ): Describe => ({ name, layer: 'head', phase, quantity, page: `docs/bptt.md#${page}` });
  const isAsked = ({ labels, targets }: NetworkProblem): boolean =>
    labels !== undefined || targets !== undefined;
  const lossTimes =
    (of: 'loss' | 'dLogits' | 'both', factor: (rows: number) => number) =>
    (_: Network, problem: NetworkProblem): Run | undefined =>
      isAsked(problem)
        ? {
            around: <V extends Block>(arithmetic: Arithmetic<V>): Arithmetic<V> => ({
              ...arithmetic,
              loss(name, logits, target) {
                const made = arithmetic.loss(name, logits, target);
                const rows =
                  target.live === undefined ? logits.rows : target.live.reduce((n, live) => n + live, 0);
                const by = factor(rows);
                return {
                  ...made,
                  ...(of !== 'dLogits' && { loss: times(arithmetic, made.loss, by) }),
                  ...(of !== 'loss' && { dLogits: times(arithmetic, made.dLogits, by) }),
                };
              },
            }),
          }
        : undefined;
  return [
    passFault(
      about('the loss is summed over the batch instead of averaged', 'loss', 'loss'),
      lossTimes('both', (rows) => rows),
    ),
    passFault(
      about(
        'the gradient of the logits is not divided by the batch size',
        'backward',
        'dLogits',
        'batch-mean',
      ),
      lossTimes('dLogits', (rows) => rows),
    ),
    passFault(
      about(
        'the gradient of the logits is divided by the batch size twice',
        'backward',
        'dLogits',
        'batch-mean',
      ),
      lossTimes('dLogits', (rows) => 1 / rows),
    ),
    passFault(
      about('the gradient of the logits has the wrong sign', 'backward', 'dLogits'),
      lossTimes('dLogits', () => -1),
    ),
    passFault(
      about('the loss has the wrong sign', 'loss', 'loss'),
      lossTimes('loss', () => -1),
    ),
    passFault(
      about('the loss is in bits: log2 instead of ln', 'loss', 'loss'),
      lossTimes('loss', () => Math.LOG2E),
    ),
    ...(own.length === 0
      ? []
      : [
          passFault(about('the bias of the dense layer is forgotten', 'forward', 'logits'), (_, problem) => ({
            problem: {
              ...problem,
              weights: {
                ...problem.weights,
                head: { ...problem.weights['head'], bias: zeros(head.classes) },
              },
            },
          })),
        ]),
    ...own.map((weight) =>
      passFault(
        about(`the gradient of the dense layer's ${weight} is zero`, 'backward', `gradients.head.${weight}`),
        scaled([`gradients.head.${weight}`], () => 0),
      ),
    ),
  ];
}
