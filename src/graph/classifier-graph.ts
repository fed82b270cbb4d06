import type { ClassifierSizes } from '../../scratch/index';
import { GraphBuilder, type Placeholder, type Signature } from './builder/index';
import { inChains } from './rnn/chains';
import { recurrentFor, type Loop } from './rnn/loop-choice';
import { logitsOf, outputBackward, softmaxCrossEntropy } from './rnn/output-layer';
import { packedSize, packInGraph, unpackInGraph } from './rnn/packed-weights';
import { settingsCount, slotsOf, update, type UpdateKind } from './rnn/update-rule';

/** What a compiled graph is for; each combination is one session. */
export interface GraphPlan {
  readonly loop: Loop;
  /** matters when unrolled */ readonly timeSteps: number;
  readonly initialState: boolean;
  readonly mask: boolean;
  readonly update: UpdateKind;
  readonly clipped: boolean;
  /** independent parts of the batch */ readonly chains: number;
  /** products by oneDNN's kernels */ readonly oneDnn: boolean;
}

export interface ClassifierGraph {
  readonly graph: GraphBuilder;
  /** -> logits [B, C] */ readonly predict: Signature;
  /** -> losses [B] in nats, logits */ readonly evaluate: Signature;
  /** -> loss, probabilities, weights [P] (their gradients), inputs, initialState */ readonly gradients: Signature;
  /** -> next weights and slots; report [2 + B·C]: loss, halfSquaredNorm, logits */ readonly train: Signature;
}

/**
 * The classifier as one graph of four calls. It holds no variables: a step takes the weights and returns the next
 * ones, which never leave the library's memory on the way.
 */
export function classifierGraph(sizes: ClassifierSizes, plan: GraphPlan): ClassifierGraph {
  const g = new GraphBuilder(plan.oneDnn);
  const { layer, steps } = recurrentFor(plan.loop, plan.timeSteps);
  const { features, units } = sizes;
  const vector = [packedSize(sizes)];

  const packed = g.placeholder('weights', 'float32', vector);
  const sequence: Record<string, Placeholder<'float32' | 'bool'>> = {};
  const inputs = (sequence.inputs = g.placeholder('inputs', 'float32', ['B', steps, features]));
  const initialState = plan.initialState ? g.placeholder('initialState', 'float32', ['B', units]) : undefined;
  const mask = plan.mask ? g.placeholder('mask', 'bool', ['B', steps]) : undefined;
  if (initialState) sequence.initialState = initialState;
  if (mask) sequence.mask = mask;
  const labels = g.placeholder('labels', 'int32', ['B']);
  const settings = g.placeholder('settings', 'float32', [settingsCount(plan.update, plan.clipped)]);
  const slots = Object.fromEntries(
    slotsOf[plan.update].map((name) => [name, g.placeholder(name, 'float32', vector)]),
  );

  const weights = g.scope('unpack', () => unpackInGraph(g, packed, sizes));
  const pass = inChains(plan.chains, layer)(g, weights, { inputs, initialState, mask });
  const logits = logitsOf(g, weights, pass.finalState);
  const { loss, losses, dLogits } = softmaxCrossEntropy(g, logits, labels);
  const output = outputBackward(g, weights, pass.finalState, dLogits);
  const recurrent = pass.backward({ finalState: output.finalState });
  const gradient = g.scope('pack', () => packInGraph(g, { ...output, ...recurrent }));
  const updated = g.scope('update', () =>
    update(g, plan.update, plan.clipped, packed, gradient, slots, settings),
  );

  const fed = { ...sequence, weights: packed };
  // one tensor to fetch and read instead of three: saves 4 of a small step's 90 microseconds
  const report = g.scope('report', () => {
    const flat = [loss, updated.halfSquaredNorm, logits].map((x) => g.reshape(x, g.int([-1])));
    return g.concat(flat, 0);
  });
  return {
    graph: g,
    predict: g.signature('predict', fed, { logits }),
    evaluate: g.signature('evaluate', { ...fed, labels }, { losses, logits }),
    gradients: g.signature(
      'gradients',
      { ...fed, labels },
      {
        loss,
        probabilities: g.softmax(logits),
        weights: gradient,
        inputs: recurrent.inputs,
        initialState: recurrent.initialState,
      },
    ),
    train: g.signature(
      'train',
      { ...fed, labels, settings, ...slots },
      { weights: updated.weights, ...updated.slots, report },
    ),
  };
}
