import type { Tensor } from '../../scratch/index';
import { memoize } from './memoize';
import { partsOfLayers, unitsOf, type Axis, type LayerParts, type Model } from './model';

/** Tensors by layer, under their names; `{}` for a layer without any. */
export type ByLayer = readonly Readonly<Record<string, Tensor>>[];

/** One question about a network of layers: the same fields as the vectors format. */
export interface LayeredProblem {
  readonly id: string;
  readonly model: Model;
  /** [B, T, F]; integers [B, T] when the first layer is an embedding */ readonly inputs: Tensor;
  /** by layer and carried state (h, c), [B, U] each; zeros when absent */ readonly initialStates?: ByLayer;
  /** [B, T] of 0 and 1 */ readonly mask?: Tensor;
  /** softmaxCrossEntropy: class indices [B], or of every time step, example by example [B·T] */ readonly labels?: readonly number[];
  /** the other losses: numbers in the shape of the outputs */ readonly targets?: Tensor;
  /** loss gradients that arrive from elsewhere; added to those of labels and targets */
  readonly upstream?: {
    /** at what the last layer gives, [B, C] or [B, T, C] */ readonly logits?: Tensor;
    /** by layer and carried state, [B, U] each */ readonly finalStates?: ByLayer;
    /** by layer: at h (forwardH, backwardH) of every step, [B, T, U] each, as `sequences` of an answer */
    readonly sequences?: ByLayer;
  };
  readonly weights: ByLayer;
}

/** What a problem may hold, and what an answer to it may: the axes of every tensor by its dotted name. */
export interface ProblemTables {
  readonly parts: ReadonlyMap<string, readonly Axis[]>;
  /** in the order of the computation */ readonly answer: ReadonlyMap<string, readonly Axis[]>;
  /** every size by the name that the `ranges` of the axes have for it */ readonly sizes: ReadonlyMap<
    string,
    number
  >;
}

export interface LayeredTables extends ProblemTables {
  readonly layers: readonly LayerParts[];
}

/** Both tables follow from the model and the sizes of the inputs. */
export const layeredTables: (problem: LayeredProblem) => LayeredTables = memoize(makeTables);

function makeTables({ model, inputs }: LayeredProblem): LayeredTables {
  const layers = partsOfLayers(model);
  const example: Axis = { counts: 'example', size: inputs.shape[0], ranges: ['example'] };
  const time: Axis = { counts: 'timeStep', size: inputs.shape[1], ranges: ['timeStep'] };
  const isEmbedded = model.layers[0].layer === 'embedding';
  const given = isEmbedded
    ? [example, time]
    : [example, time, { counts: 'feature', size: model.features ?? 0, ranges: ['feature'] } as const];
  const { width, hasTime, ranges } = layers[layers.length - 1].output;
  const outputs: Axis[] = [example, ...(hasTime ? [time] : []), { counts: 'output', size: width, ranges }];
  const states = (before: string): [string, readonly Axis[]][] =>
    layers.flatMap(({ name, states: own }) =>
      Object.entries(own).map(([carry, size]): [string, readonly Axis[]] => [
        `${before}.${name}.${carry}`,
        [example, { counts: 'unit', size, ranges: [name] }],
      ]),
    );
  const sequences = (before: string): [string, readonly Axis[]][] =>
    layers.flatMap(({ name, outputs: own, states: { [own[0]]: size } }) =>
      own.map((output): [string, readonly Axis[]] => [
        `${before}.${name}.${output}`,
        [example, time, { counts: 'unit', size, ranges: [name] }],
      ]),
    );
  const weights = (before: string, { name, weights: own }: LayerParts): [string, readonly Axis[]][] =>
    Object.entries(own).map(([weight, axes]) => [`${before}.${name}.${weight}`, axes]);
  return {
    layers,
    parts: new Map<string, readonly Axis[]>([
      ['inputs', given],
      ...states('initialStates'),
      ['mask', [example, time]],
      ['targets', outputs],
      ['upstream.logits', outputs],
      ...states('upstream.finalStates'),
      ...sequences('upstream.sequences'),
      ...layers.flatMap((layer) => weights('weights', layer)),
    ]),
    answer: new Map<string, readonly Axis[]>([
      ...sequences('sequences'),
      ...states('finalStates'),
      ['logits', outputs],
      ['outputs', outputs],
      ['loss', []],
      ...layers.toReversed().flatMap((layer) => weights('gradients.weights', layer)),
      ...states('gradients.initialStates'),
      ...(isEmbedded ? [] : [['gradients.inputs', given] as const]),
    ]),
    sizes: new Map([
      ['example', example.size],
      ['timeStep', time.size],
      ...model.layers.map((layer, i): [string, number] => [`layer${i + 1}`, unitsOf(layer)]),
      ...(model.layers[0].layer === 'embedding'
        ? [['integer', model.layers[0].inputDim] as const]
        : [['feature', model.features ?? 0] as const]),
    ]),
  };
}

/** What a full answer to this problem holds. */
export function layeredNames(problem: LayeredProblem): string[] {
  const isLossAsked = problem.labels !== undefined || problem.targets !== undefined;
  const isBackward = isLossAsked || problem.upstream !== undefined;
  return [...layeredTables(problem).answer.keys()].filter((name) =>
    name === 'loss' ? isLossAsked : isBackward || !name.startsWith('gradients.'),
  );
}
