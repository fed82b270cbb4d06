import { Stack, zeros, type GRUConfig, type LSTMConfig, type Tensor } from '../../scratch/index';
import type { LayeredProblem } from '../../harness/base/problem';
import {
  asEvaluation,
  equationsOf,
  isRecurrent,
  productOf,
  withTensors,
  within,
  type Block,
  type Cell,
  type NetworkProblem,
  type Outcome,
} from '../../harness/equations/index';
import { exactFault, faultNamed, type FaultyRun } from '../../harness/faults/equations/index';
import { namedTensors } from '../../harness/judge/index';

/** One gated layer that gives its last state, and the gradient that arrives there. */
export interface GatedProblem {
  readonly layer: LSTMConfig | GRUConfig;
  readonly weights: { readonly kernel: Tensor; readonly recurrentKernel: Tensor; readonly bias: Tensor };
  /** [B, T, F] */ readonly inputs: Tensor;
  /** h_0 [B, U], or h_0 and c_0 */ readonly initialStates: readonly Tensor[];
  /** [B, T] */ readonly mask: Tensor;
  /** [B, U]: dLoss/dh_T */ readonly upstream: Tensor;
}

/** The last state and its gradients. */
export type GatedAnswer = Readonly<Record<string, ArrayLike<number>>>;

/** A mistake that people make with gated layers; docs/bptt-gated.md has a section for each family. */
export interface GatedFault {
  readonly name: string;
  readonly answer: (p: GatedProblem) => GatedAnswer;
}

/** The answer of scratch/. */
export function rightAnswer({
  layer,
  weights,
  inputs,
  initialStates,
  mask,
  upstream,
}: GatedProblem): GatedAnswer {
  const stack = new Stack({ features: inputs.shape[2], layers: [layer], weights: [weights] });
  const { outputs, cache } = stack.forward(inputs, { initialStates: [initialStates], mask });
  const {
    weights: gradients,
    inputs: dInputs,
    initialStates: dStates,
  } = stack.backward(cache, { outputs: upstream });
  const [dh, dc] = dStates[0];
  return {
    h_T: outputs.data,
    ...Object.fromEntries(Object.entries(gradients[0]).map(([key, { data }]) => [key, data])),
    inputs: dInputs!.data,
    h_0: dh.data,
    ...(initialStates.length === 2 && { c_0: dc.data }),
  };
}

/** The answer of the formulas, with a change or without one. */
export function answerOfFormulas(p: GatedProblem, change: Change = () => ({})): GatedAnswer {
  const [h, c] = p.initialStates as readonly (Tensor | undefined)[];
  const problem: LayeredProblem = {
    ...{
      id: 'gated',
      inputs: p.inputs,
      mask: p.mask,
      upstream: { logits: p.upstream },
      weights: [{ ...p.weights }],
    },
    model: { features: p.inputs.shape[2], layers: [p.layer], loss: 'meanSquaredError' },
    initialStates: [{ h: h!, ...(c && { c }) }],
  };
  const given = equationsOf(problem);
  const evaluation = asEvaluation(problem, exactFault({ ...given, ...change(given) }).whole());
  const found = namedTensors(evaluation);
  const own = (name: string): [string, Float64Array][] => {
    const tensor = found.get(name);
    return tensor === undefined ? [] : [[name.split('.').at(-1) ?? '', tensor.data]];
  };
  const states = (name: string): [string, Float64Array][] =>
    own(`gradients.initialStates.layer1.${name}`).map(([, data]) => [`${name}_0`, data]);
  return {
    h_T: found.get('finalStates.layer1.h')?.data ?? [],
    ...Object.fromEntries([
      ...Object.keys(p.weights).flatMap((weight) => own(`gradients.weights.layer1.${weight}`)),
      ...own('gradients.inputs'),
      ...['h', 'c'].flatMap(states),
    ]),
  };
}

type Given = Pick<FaultyRun, 'network' | 'problem'>;
type Change = (given: Given) => Partial<FaultyRun>;

const fault = (name: string, change: Change): GatedFault => ({
  name,
  answer: (p) => answerOfFormulas(p, change),
});

/** Mistakes that the formulas generate, by their names there. */
function generated(names: Readonly<Record<string, string>>): GatedFault[] {
  return Object.entries(names).map(([name, own]) =>
    fault(name, ({ network, problem }) => {
      const [run] = faultNamed(network, `layer1, ${own}`)?.runs(network, problem) ?? [];
      if ((run as unknown) === undefined) throw new Error(`no fault is called ${own}`);
      return run;
    }),
  );
}

/** Another step back, of the right network. */
function stepBack(
  name: string,
  change: (backward: Cell['backward']) => Partial<Cell['backward']>,
): GatedFault {
  return fault(name, ({ network }) => {
    const [{ cell }] = network.layers.filter(isRecurrent);
    const wrong = { ...cell, backward: { ...cell.backward, ...change(cell.backward) } };
    return { isRightForward: true, cellAt: () => wrong };
  });
}

export const lstmFaults: readonly GatedFault[] = [
  ...generated({
    'c carry cut': 'back to c_(t-1): nothing is sent back to c_(t-1)',
    'forget gate left out of the c carry': 'back to c_(t-1): the factor σ(z_t[f]) is forgotten',
    'dc_t without what arrives from step t + 1': 'dc_t: the term in_c_t is forgotten',
    "φ'(c_t) forgotten": 'dc_t: the factor tanh′[tanh(c_t)] is forgotten',
    'c_t for c_{t-1} in the forget gate': 'dz_t[f]: c_t instead of c_(t-1)',
  }),
  stepBack("σ' forgotten in all gates", ({ equations }) => ({
    equations: equations.map((own) => ({ ...own, right: withoutSlope(own.right, 'σ') })),
  })),
  ...generated({
    "candidate's slope taken as a σ's":
      'dz_t[c]: tanh(z_t[c]) (1 - tanh(z_t[c])), as of σ, instead of tanh′ at z_t[c]',
    'recurrentKernel not transposed': 'back to h_(t-1): recurrentKernel is not transposed',
    'h_t for h_{t-1} in dRecurrentKernel': 'drecurrentKernel: h_t instead of h_(t-1), in h_(t-1)ᵀ',
    'h carry cut': 'back to h_(t-1): nothing is sent back to h_(t-1)',
    'i and f exchanged': 'z_t: the weights of i and f are exchanged',
    'gate order of TensorFlow 1 (i c f o)': 'z_t: the weights of f and c are exchanged',
    'gate order of ONNX (i o f c)': 'z_t: the weights are in the order i o f c (ONNX)',
    'forget bias of 1 added twice': 'z_t[f]: 1 is added to z_t[f] once more',
  }),
];

/** A product without the slope of that function. */
function withoutSlope(right: Cell['equations'][number]['right'], f: string) {
  if (right.op !== 'product') return right;
  return productOf(right.of.filter((factor) => factor.op !== 'slope' || factor.f !== f));
}

const gruFaultsOf = (candidate: string, share: GatedFault, reset: string): GatedFault[] => [
  ...generated({
    'dh_t ∘ z left out of the carry': 'back to h_(t-1): the term dh_t ∘ σ(z_t[z]) is forgotten',
  }),
  stepBack('matrix left out of the carry', ({ toBefore }) => ({
    toBefore: { h: toBefore['h'].filter(({ of }) => ![...within(of)].some(({ op }) => op === 'times')) },
  })),
  ...generated({
    "sign of z's gradient: h~ - h_{t-1}": 'dz_t[z]: the sign is wrong',
    '1 - z forgotten for the candidate': 'dz_t[h]: the factor 1 - σ(z_t[z]) is forgotten',
    'reset gate taken as a constant': 'dz_t[r]: the gradient is zero',
    'candidate sent back without r': `${candidate}: the factor σ(z_t[r]) is forgotten`,
  }),
  share,
  ...generated({ 'reset before and after exchanged': reset }),
];

const gruWeights = generated({
  'gate order of PyTorch (r z h)': 'z_t[z r]: the weights of z and r are exchanged',
  'z and 1 - z exchanged': 'h_t: σ(z_t[z]) and 1 - σ(z_t[z]) are exchanged',
});

/** Reset before the matrix. */
export const gruFaults: readonly GatedFault[] = [
  ...gruFaultsOf(
    'back to h_(t-1)',
    generated({
      'h_{t-1} for r ∘ h_{t-1} in dRecurrentKernel[h]':
        'drecurrentKernel[h]: the factor σ(z_t[r]) is forgotten, in σ(z_t[r]) ∘ h_(t-1)ᵀ',
    })[0],
    'z_t[h]: σ(z_t[r]) is multiplied after the product with recurrentKernel[h] instead of before',
  ),
  ...gruWeights,
];

/** Reset after the matrix, with two biases. */
export const gruResetAfterFaults: readonly GatedFault[] = [
  ...gruFaultsOf(
    'dm_t',
    stepBack('recurrent bias gets dz_t, not dm_t', ({ shares }) => ({
      shares: shares.flatMap((own) => {
        if (own.weight === 'recurrentBias') return [];
        return own.weight === 'bias' ? [own, { ...own, weight: 'recurrentBias' }] : [own];
      }),
    })),
    'z_t[h]: σ(z_t[r]) is multiplied before the product in m_t instead of after',
  ),
  fault('two biases added up to one', ({ problem }) => ({
    problem: withOneBias(problem),
    finish: <V extends Block>(outcome: Outcome<V>): Outcome<V> =>
      withTensors(outcome, (_, name) =>
        name === 'gradients.layer1.recurrentBias' ? outcome.get('gradients.layer1.bias') : undefined,
      ),
  })),
  ...gruWeights,
];

function withOneBias(problem: NetworkProblem): NetworkProblem {
  const { bias, recurrentBias, ...own } = problem.weights['layer1'];
  const sum = { ...bias, data: bias.data.map((x, i) => x + recurrentBias.data[i]) };
  const weights = { layer1: { ...own, bias: sum, recurrentBias: zeros(...recurrentBias.shape) } };
  return { ...problem, weights: { ...problem.weights, ...weights } };
}
