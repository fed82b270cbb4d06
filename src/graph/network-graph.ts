import type { NetworkPlan } from '../../scratch/index';
import {
  GraphBuilder,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './builder/index';
import { keyFor, networkPass, sum } from './network-pass';
import type { PackedWeights } from './packed-weights';
import { walkFor, type Loop } from './time/index';
import { settingsCount, slotsOf, update, type UpdateKind } from './update-rule';

/** What a compiled graph is for; each combination is one session. */
export interface GraphPlan {
  readonly loop: Loop;
  /** matters when unrolled */ readonly timeSteps: number;
  /** the layers whose initial states are given */ readonly initialStates: readonly number[];
  readonly mask: boolean;
  readonly update: UpdateKind;
  readonly clipped: boolean;
  /** whether a step of training reports the final states */ readonly reportsStates: boolean;
  /** independent parts of the batch */ readonly chains: number;
  /** products by oneDNN's kernels */ readonly oneDnn: boolean;
  /** whether it serves networks of these layers with any numbers of features, units and classes: all sizes come with the data */
  readonly anySizes: boolean;
  /** a question out of the ordinary, with a graph of its own */ readonly question?: Question | undefined;
}

/** What is asked of a network, and which gradients arrive at it from elsewhere. */
export interface Question {
  readonly targets: boolean;
  /** with targets, or with gradients from elsewhere */ readonly gradients: boolean;
  readonly logits: boolean;
  /** the layers at whose final states gradients arrive */ readonly finalStates: readonly number[];
  /** the layers at whose walks through time gradients arrive */ readonly upstreamSequences: readonly number[];
  /** whether the sequences are asked for */ readonly sequences: boolean;
}

/** The question of `lossAndGradients`. */
const lossAndGradients: Question = {
  targets: true,
  gradients: true,
  logits: false,
  finalStates: [],
  upstreamSequences: [],
  sequences: false,
};

/** The calls of a graph; one for a question out of the ordinary has `run` alone. */
export type Call = 'predict' | 'run' | 'train';

export interface NetworkGraph {
  readonly graph: GraphBuilder;
  /**
   * predict: -> logits, finalStates.*; run: -> what the question asks for; train: -> next weights and slots, and a report:
   * loss, halfSquaredNorm, logits, final states, flat
   */
  readonly calls: Readonly<Partial<Record<Call, Signature>>>;
}

/**
 * A network as one graph of three calls. It holds no variables: a step takes the weights and returns the next ones, which
 * never leave the library's memory on the way.
 */
export function networkGraph(network: NetworkPlan, packing: PackedWeights, plan: GraphPlan): NetworkGraph {
  const g = new GraphBuilder(plan.oneDnn);
  const question = plan.question ?? lossAndGradients;
  const vector = [plan.anySizes ? 'P' : packing.size];
  const packed = g.placeholder('weights', 'float32', vector);
  const sizes = plan.anySizes ? g.placeholder('sizes', 'int32', [packing.sizes.length]) : undefined;
  const weights = g.scope('unpack', () => packing.unpackInGraph(g, packed, sizes));
  const fed = placeholders(g, network, plan, question);
  const { walk } = walkFor(plan.loop, plan.timeSteps);
  const pass = networkPass(g, network, weights, fed, walk, plan);
  const back = question.gradients ? pass.backward() : undefined;
  const gradient = back && g.scope('pack', () => sum(g, back.weights.map((of) => packing.packInGraph(g, of)))); // prettier-ignore

  const base: Record<string, Placeholder<DType>> = {
    ...fed.sequence,
    weights: packed,
    ...(sizes && { sizes }),
  };
  const withTargets = fed.targets ? { ...base, targets: fed.targets } : base;
  const { logits, loss, finalStates } = pass;
  const answers: Record<string, GraphTensor> = {
    logits,
    ...finalStates,
    ...(loss && { loss }),
    ...(back && gradient && { gradients: gradient, ...back.inputs, ...back.initialStates }),
    ...(question.sequences && pass.sequences()),
  };
  const run = g.signature('run', { ...withTargets, ...fed.upstream }, answers);
  if (plan.question !== undefined || loss === undefined || gradient === undefined)
    return { graph: g, calls: { run } };

  const settings = g.placeholder('settings', 'float32', [settingsCount(plan.update, plan.clipped)]);
  const slots = Object.fromEntries(
    slotsOf[plan.update].map((name) => [name, g.placeholder(name, 'float32', vector)]),
  );
  const updated = g.scope('update', () =>
    update(g, plan.update, plan.clipped, packed, gradient, slots, settings),
  );
  // one tensor to fetch and read instead of several: saves 4 of a small step's 90 microseconds
  const report = g.scope('report', () => {
    const reported = [logits, ...(plan.reportsStates ? Object.values(finalStates) : [])];
    const arrays = reported.map((x) => g.reshape(x, g.int([-1])));
    return g.concat([g.stack([loss, updated.halfSquaredNorm]), ...arrays], 0);
  });
  return {
    graph: g,
    calls: {
      run,
      predict: g.signature('predict', base, { logits, ...finalStates }),
      train: g.signature(
        'train',
        { ...withTargets, settings, ...slots },
        { weights: updated.weights, ...updated.slots, report },
      ),
    },
  };
}

/** What a call is fed besides the weights. */
function placeholders(g: GraphBuilder, network: NetworkPlan, plan: GraphPlan, question: Question) {
  const { steps } = walkFor(plan.loop, plan.timeSteps);
  const float = (name: string, ...shape: (number | string)[]) => g.placeholder(name, 'float32', shape);
  const { width, hasTime } = network.layers[network.layers.length - 1].output;
  const rows = hasTime ? ['B', steps] : ['B'];
  /** a size; where any will do, its letter */
  const size = (fixed: number, letter: string) => (plan.anySizes ? letter : fixed);
  const classes = size(width, 'C');
  const byLayer = (what: string, of: readonly number[], shapeOf: (layer: number) => (number | string)[][]) =>
    Object.fromEntries(
      of.flatMap((layer) =>
        shapeOf(layer).map((shape, k) => {
          const key = keyFor(what, layer, k);
          return [key, float(key, ...shape)];
        }),
      ),
    );
  const states = (layer: number) =>
    network.layers[layer].states.map((units) => ['B', size(units, `U${layer}`)]);
  const walks = (layer: number) =>
    network.layers[layer].sequences.map((units) => ['B', steps, size(units, `U${layer}`)]);

  const sequence: Record<string, Placeholder<DType>> = {
    inputs:
      network.vocabulary === undefined
        ? float('inputs', 'B', steps, size(network.features, 'F'))
        : g.placeholder('inputs', 'int32', ['B', steps]),
    ...(plan.mask && { mask: g.placeholder('mask', 'bool', ['B', steps]) }),
    ...byLayer('initialStates', plan.initialStates, states),
  };
  const labelled = network.loss === 'softmaxCrossEntropy';
  const targets: Placeholder<DType> | undefined = !question.targets
    ? undefined
    : labelled
      ? g.placeholder('targets', 'int32', rows)
      : float('targets', ...rows, classes);
  const upstream: Record<string, Placeholder> = {
    ...(question.logits && { upstreamLogits: float('upstreamLogits', ...rows, classes) }),
    ...byLayer('upstreamStates', question.finalStates, states),
    ...byLayer('upstreamSequences', question.upstreamSequences, walks),
  };
  return { sequence, targets, upstream };
}
