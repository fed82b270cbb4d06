import type { NetworkPlan } from '../../scratch/index';
import {
  GraphBuilder,
  type AnyTensor,
  type DType,
  type GraphTensor,
  type Placeholder,
  type Signature,
} from './builder/index';
import type { Tensors } from './cells/index';
import { chainsOf } from './layers/chains';
import type { Signal } from './layers/layer';
import { losses } from './layers/losses';
import { stackOf, type ByLayer, type StackPass } from './layers/stack';
import type { PackedWeights } from './packed-weights';
import { walkFor, type Loop, type Sizes } from './time/index';
import { settingsCount, slotsOf, update, type UpdateKind } from './update-rule';

/** What a compiled graph is for; each combination is one session. */
export interface GraphPlan {
  readonly loop: Loop;
  /** matters when unrolled */ readonly timeSteps: number;
  /** the layers whose initial states are given */ readonly initialStates: readonly number[];
  readonly mask: boolean;
  readonly update: UpdateKind;
  readonly clipped: boolean;
  /** independent parts of the batch */ readonly chains: number;
  /** products by oneDNN's kernels */ readonly oneDnn: boolean;
  /** a question out of the ordinary, with a graph of its own */ readonly question?: Question | undefined;
}

/** What is asked of a network, and which gradients arrive at it from elsewhere. */
export interface Question {
  readonly targets: boolean;
  readonly logits: boolean;
  /** the layers at whose final states gradients arrive */ readonly finalStates: readonly number[];
  /** the layers at whose walks through time gradients arrive */ readonly upstreamSequences: readonly number[];
  /** whether the sequences are asked for */ readonly sequences: boolean;
}

/** The question of `lossAndGradients`. */
const lossAndGradients: Question = {
  targets: true,
  logits: false,
  finalStates: [],
  upstreamSequences: [],
  sequences: false,
};

export interface NetworkGraph {
  readonly graph: GraphBuilder;
  /** -> logits, outputs, finalStates.* */ readonly predict: Signature;
  /** -> losses [B] or [B, T], logits */ readonly evaluate: Signature;
  /** -> what the question asks for */ readonly run: Signature;
  /** -> next weights and slots; report: loss, halfSquaredNorm, logits, final states, flat */ readonly train: Signature;
}

/** `finalStates.0.1`: the second state of the first layer. */
export function keyFor(what: string, layer: number, k: number): string {
  return `${what}.${layer}.${k}`;
}

/**
 * A network as one graph of four calls. It holds no variables: a step takes the weights and returns the next ones, which
 * never leave the library's memory on the way.
 */
export function networkGraph(network: NetworkPlan, packing: PackedWeights, plan: GraphPlan): NetworkGraph {
  const g = new GraphBuilder(plan.oneDnn);
  const question = plan.question ?? lossAndGradients;
  const vector = [packing.size];
  const packed = g.placeholder('weights', 'float32', vector);
  const weights = g.scope('unpack', () => packing.unpackInGraph(g, packed));
  const fed = placeholders(g, network, plan, question);
  const pass = networkPass(g, network, weights, fed, plan);

  const settings = g.placeholder('settings', 'float32', [settingsCount(plan.update, plan.clipped)]);
  const slots = Object.fromEntries(
    slotsOf[plan.update].map((name) => [name, g.placeholder(name, 'float32', vector)]),
  );
  const back = question.targets || plan.question ? pass.backward() : undefined;
  const gradient = back && g.scope('pack', () => sum(g, back.weights.map((of) => packing.packInGraph(g, of)))); // prettier-ignore

  const { sequence, targets, upstream } = fed;
  const base = { ...sequence, weights: packed };
  const withTargets = { ...base, ...(targets && { targets }) };
  const { logits, outputs, finalStates } = pass;
  const predict = g.signature('predict', base, { logits, outputs, ...finalStates });
  const run = g.signature(
    'run',
    { ...withTargets, ...upstream },
    {
      logits,
      outputs,
      ...finalStates,
      ...(pass.loss && { loss: pass.loss }),
      ...(gradient && { weights: gradient, ...back?.inputs, ...back?.initialStates }),
      ...(question.sequences && pass.sequences()),
    },
  );
  if (pass.losses === undefined || pass.loss === undefined || gradient === undefined) {
    return { graph: g, predict, run, evaluate: predict, train: predict };
  }
  const updated = g.scope('update', () =>
    update(g, plan.update, plan.clipped, packed, gradient, slots, settings),
  );
  const { loss } = pass;
  // one tensor to fetch and read instead of three: saves 4 of a small step's 90 microseconds
  const report = g.scope('report', () => {
    const all = [loss, updated.halfSquaredNorm, logits, ...Object.values(finalStates)];
    return g.concat(all.map((x) => g.reshape(x, g.int([-1]))), 0); // prettier-ignore
  });
  return {
    graph: g,
    predict,
    run,
    evaluate: g.signature('evaluate', withTargets, { losses: pass.losses, logits }),
    train: g.signature(
      'train',
      { ...withTargets, settings, ...slots },
      { weights: updated.weights, ...updated.slots, report },
    ),
  };
}
