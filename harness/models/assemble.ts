import type { Tensor } from '../../scratch/index';
import { UsageError } from '../base/outcome';
import type { ModelDescription, ModelInput, ModelLayer, Size, Source } from './description';
import type { PlannedLayer, Topology } from './keras/topology';
import { shapesOf, statesOf, stateWidth, type WeightShapes } from './shapes';

/** A layer with the weights that it needs. */
export interface ShapedLayer {
  readonly layer: PlannedLayer;
  readonly shapes: WeightShapes;
  readonly output: readonly Size[];
}

/**
 * What every layer gives and needs, from the inputs on.
 *
 * @throws UsageError where a layer cannot read what comes before it
 */
export function shapeLayers(
  { inputs, layers, outputs = [] }: Pick<Topology, 'inputs' | 'layers'> & Partial<Pick<Topology, 'outputs'>>,
  where: string,
): ShapedLayer[] {
  const known = new Map<string, { readonly shape: readonly Size[]; readonly layer?: PlannedLayer }>(
    inputs.map(({ name, shape }) => [name, { shape }]),
  );
  const shapeOf = ({ of, state }: Source, reader?: PlannedLayer): readonly Size[] => {
    const found = known.get(of);
    const who = reader === undefined ? 'an output' : `layer ${reader.name} (${reader.kind})`;
    const refuse = (what: string): UsageError =>
      new UsageError(
        `${where}: ${who} reads ${what}; the file is damaged, or was edited: save the model again.`,
      );
    if (found === undefined) throw refuse(`${of}, which does not exist before it`);
    if (state === undefined) return found.shape;
    const { layer } = found;
    if (layer === undefined || !layer.returnState || state >= statesOf(layer.config))
      throw refuse(
        `state ${state + 1} of ${of}, which gives ${layer?.returnState === true ? statesOf(layer.config) : 'none'}`,
      );
    return [stateWidth(layer.config)];
  };
  const shaped = layers.map((layer) => {
    const input = shapeOf(layer.reads, layer);
    if (layer.rank !== undefined && input.length + 1 !== layer.rank)
      throw new UsageError(
        `${where}: layer ${layer.name} (${layer.kind}) goes by axis ${layer.rank - 1} of what has ${input.length + 1} axes; only the last one is read (axis ${input.length}, or -1).`,
      );
    const { output, weights } = shapesOf(
      layer.config,
      input,
      (what) => new UsageError(`${where}: layer ${layer.name} (${layer.kind}) ${what}.`),
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

/** Layers and weights as one description; a Dense with softmax becomes two entries. */
export function assemble(
  model: Pick<ModelDescription, 'format' | 'writtenBy' | 'outputs' | 'notes'> & {
    readonly inputs: readonly ModelInput[];
    readonly shaped: readonly ShapedLayer[];
  },
  weights: ReadonlyMap<string, Readonly<Record<string, Tensor>>>,
  where: string,
): ModelDescription {
  const { shaped, ...rest } = model;
  const renamed = new Map<string, string>();
  const source = ({ of, ...state }: Source): Source => ({ of: renamed.get(of) ?? of, ...state });
  const layers: ModelLayer[] = [];
  let isFirst = true;
  for (const { layer, shapes, output } of shaped) {
    const own = weights.get(layer.name) ?? {};
    checkShapes(own, shapes, layer.name, where);
    checkNumbers(own, layer.name, where);
    layers.push({
      name: layer.name,
      kind: layer.kind,
      config: layer.config,
      reads: source(layer.reads),
      ...(layer.initialStates && { initialStates: layer.initialStates.map(source) }),
      weights: own,
      output,
      ...(layer.maskedRows && { maskedRows: layer.maskedRows }),
    });
    if (
      layer.config.layer === 'embedding' &&
      !isFirst &&
      !model.inputs.some(({ name }) => name === layer.reads.of)
    )
      throw new UsageError(
        `${where}: layer ${layer.name} is an Embedding that reads another layer; it must read an input.`,
      );
    isFirst = false;
    if (!layer.softmax) continue;
    const name = `${layer.name}:softmax`;
    layers.push({
      name,
      kind: 'Softmax',
      config: { layer: 'activation', activation: 'softmax' },
      reads: { of: layer.name },
      weights: {},
      output,
    });
    renamed.set(layer.name, name);
  }
  return { ...rest, outputs: rest.outputs.map(source), layers };
}

/** The reader of every format passes here: a bias of another size would otherwise give numbers without a word. */
function checkShapes(
  weights: Readonly<Record<string, Tensor>>,
  wanted: WeightShapes,
  layer: string,
  where: string,
): void {
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(weights)])) {
    const [shape, found] = [wanted, weights].map((all) =>
      Object.hasOwn(all, name) ? all[name] : undefined,
    ) as [WeightShapes[string] | undefined, Tensor | undefined];
    const isFit =
      shape?.length === found?.shape.length &&
      found!.shape.every((n, i) => shape![i] === null || n === shape![i]) &&
      found!.data.length === found!.shape.reduce((a, b) => a * b, 1);
    if (!isFit)
      throw new UsageError(
        `${where}: ${layer}.${name} ${found === undefined ? 'is missing' : `has shape [${found.shape.join(', ')}]`}; ${shape === undefined ? 'the layer has no such weight' : `[${shape.map((n) => n ?? 'any').join(', ')}] was expected`}. Save the model again.`,
      );
  }
}

function checkNumbers(weights: Readonly<Record<string, Tensor>>, layer: string, where: string): void {
  for (const [name, { data }] of Object.entries(weights)) {
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      throw new UsageError(
        `${where}: ${layer}.${name} holds ${data[at]} at position ${at}; every weight must be a finite number, so train the model again or repair the file.`,
      );
  }
}
