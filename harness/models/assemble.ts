import type { Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type {
  MaskedRows,
  ModelDescription,
  ModelLayer,
  ModelLayerConfig,
  Size,
  Source,
  StoredAs,
} from './description';
import { shapesOf, stateCount, stateWidth, type WeightShapes } from './shapes';

/** A layer before its weights are known. */
export interface PlannedLayer {
  readonly name: string;
  readonly kind: string;
  readonly config: ModelLayerConfig;
  readonly reads: Source;
  readonly initialStates?: readonly Source[] | undefined;
  readonly maskedRows?: MaskedRows;
  /** a Dense with softmax: what follows the dense layer */ readonly softmax?: boolean;
  readonly returnState?: boolean;
  /** how many axes it must read, the batch included, where an option says it */ readonly rank?: number;
}

/** The layers of a model, from its inputs on. */
export interface ModelPlan<L extends PlannedLayer = PlannedLayer> {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly Size[] }[];
  readonly layers: readonly L[];
  readonly outputs: readonly Source[];
  readonly notes?: readonly string[];
}

/** A layer with the weights that it needs. */
export interface ShapedLayer<L extends PlannedLayer = PlannedLayer> {
  readonly layer: L;
  readonly shapes: WeightShapes;
  readonly output: readonly Size[];
}

/** A weight, and how it was stored where that was with fewer bits than float32. */
export interface StoredTensor extends Tensor {
  readonly stored?: StoredAs | undefined;
}

/** Weights by layer and name. */
export type WeightsByLayer = ReadonlyMap<string, Readonly<Record<string, StoredTensor>>>;

/**
 * What every layer gives and needs, from the inputs on.
 *
 * @throws UsageError where a layer cannot read what comes before it
 */
export function shapeLayers<L extends PlannedLayer>(
  { inputs, layers, outputs }: ModelPlan<L>,
  where: string,
): ShapedLayer<L>[] {
  const known = new Map<string, { readonly shape: readonly Size[]; readonly layer?: L }>(
    inputs.map(({ name, shape }) => [name, { shape }]),
  );
  const shapeOf = ({ of, state }: Source, reader?: L): readonly Size[] => {
    const found = known.get(of);
    const who = reader === undefined ? 'an output' : `layer ${reader.name} (${reader.kind})`;
    const refuse = (what: string): UsageError =>
      new UsageError(
        `${where}: ${who} reads ${what}; the file is damaged, or was edited: save the model again.`,
      );
    if (found === undefined) throw refuse(`${of}, which does not exist before it`);
    if (state === undefined) return found.shape;
    const count = found.layer?.returnState === true ? stateCount(found.layer.config) : 0;
    if (found.layer === undefined || state >= count)
      throw refuse(`state ${state + 1} of ${of}, which gives ${count || 'none'}`);
    return [stateWidth(found.layer.config)];
  };
  const shaped = layers.map((layer) => {
    const input = shapeOf(layer.reads, layer);
    const refuse = (what: string): UsageError =>
      new UsageError(`${where}: layer ${layer.name} (${layer.kind}) ${what}.`);
    if (layer.rank !== undefined && input.length + 1 !== layer.rank)
      throw refuse(
        `goes by axis ${layer.rank - 1} of what has ${input.length + 1} axes; only the last one is read (axis ${input.length}, or -1)`,
      );
    const { output, weights } = shapesOf(layer.config, input, refuse);
    if (layer.config.layer === 'embedding' && !inputs.some(({ name }) => name === layer.reads.of))
      throw new UsageError(
        `${where}: layer ${layer.name} is an Embedding that reads another layer; it must read an input.`,
      );
    for (const state of layer.initialStates ?? []) {
      const [width] = shapeOf(state, layer);
      if (width !== null && width !== stateWidth(layer.config))
        throw new UsageError(
          `${where}: an initial state of ${layer.name} has ${width} units, and the layer has ${stateWidth(layer.config)}; give both layers the same units, and save the model again.`,
        );
    }
    known.set(layer.name, { shape: output, layer });
    return { layer, shapes: weights, output };
  });
  for (const source of outputs) shapeOf(source);
  return shaped;
}

/**
 * Layers and weights as one description, checked: the reader of every format passes here. A Dense with softmax becomes two entries.
 *
 * @throws UsageError where a layer cannot read what comes before it, or a weight has another shape than it needs, or a number that is
 * not finite
 */
export function assemble(
  about: Pick<ModelDescription, 'format' | 'writtenBy' | 'notes'>,
  plan: ModelPlan,
  weights: WeightsByLayer,
  where: string,
): ModelDescription {
  const renamed = new Map<string, string>();
  const source = ({ of, ...state }: Source): Source => ({ of: renamed.get(of) ?? of, ...state });
  const layers: ModelLayer[] = [];
  const storage: [string, StoredAs][] = [];
  for (const { layer, shapes, output } of shapeLayers(plan, where)) {
    const { name, kind, config, initialStates, maskedRows } = layer;
    const given = weights.get(name) ?? {};
    checkWeights(given, shapes, `${where}: ${name}`);
    if (Object.values(given).some(({ shape }) => shape.includes(0)))
      throw new UsageError(`${where}: ${name} has a weight without numbers; save a layer with units.`);
    const own = Object.entries(given).map(([weight, { data, shape, stored }]) => {
      if (stored !== undefined) storage.push([`${name}.${weight}`, stored]);
      return [weight, { data, shape }] as const;
    });
    layers.push({
      ...{ name, kind, config, reads: source(layer.reads) },
      ...(initialStates && { initialStates: initialStates.map(source) }),
      ...{ weights: Object.fromEntries(own), output },
      ...(maskedRows && { maskedRows }),
    });
    if (layer.softmax !== true) continue;
    const softmax = { layer: 'activation', activation: 'softmax' } as const;
    const after = `${name}:softmax`;
    layers.push({ name: after, kind: 'Softmax', config: softmax, reads: { of: name }, weights: {}, output });
    renamed.set(name, after);
  }
  return {
    ...{ format: about.format, writtenBy: about.writtenBy },
    notes: [...(plan.notes ?? []), ...about.notes],
    inputs: plan.inputs.map((input) => {
      // the smallest, where several embeddings read it
      const sizes = layers.flatMap(({ reads, config }) =>
        reads.of === input.name && config.layer === 'embedding' ? [config.inputDim] : [],
      );
      return { ...input, ...(sizes.length > 0 && { vocabulary: Math.min(...sizes) }) };
    }),
    outputs: plan.outputs.map(source),
    layers,
    ...(storage.length > 0 && { storage: Object.fromEntries(storage) }),
  };
}

/** A bias of another size would otherwise give numbers without a word. */
function checkWeights(weights: Readonly<Record<string, Tensor>>, wanted: WeightShapes, layer: string): void {
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(weights)])) {
    const [shape, found] = [wanted, weights].map((all) =>
      Object.hasOwn(all, name) ? all[name] : undefined,
    ) as [WeightShapes[string] | undefined, Tensor | undefined];
    if (
      shape === undefined ||
      found === undefined ||
      !fits(shape, found.shape) ||
      found.data.length !== found.shape.reduce((a, b) => a * b, 1)
    )
      throw new UsageError(
        `${layer}.${name} ${found === undefined ? 'is missing' : `has shape ${shapeText(found.shape)}`}; ${shape === undefined ? 'the layer has no such weight' : `${shapeText(shape)} was expected`}. Save the model again.`,
      );
    const { data } = found;
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      throw new UsageError(
        `${layer}.${name} holds ${data[at]} at position ${at}; every weight must be a finite number, so train the model again or repair the file.`,
      );
  }
}

export const fits = (wanted: readonly Size[], shape: readonly number[]): boolean =>
  wanted.length === shape.length && wanted.every((n, i) => n === null || n === shape[i]);

export const shapeText = (shape: readonly Size[]): string => `[${shape.map((n) => n ?? 'any').join(', ')}]`;
