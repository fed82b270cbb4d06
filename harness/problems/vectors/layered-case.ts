import { NetworkPlan, type LayerConfig, type Tensor } from '../../../scratch/index';
import { partsOfLayers, type OwnCellConfig } from '../../base/model';
import { UsageError } from '../../base/outcome';
import { layeredProblem, tablesOf, type CellText, type LayeredProblem, type Model } from '../../base/problem';
import { layeredFields } from '../../base/problem-names';
import { readParts } from './dotted';
import { describe, fieldsOf, readLabels, readTensor, type Fields } from './field';

/** Checks the fields of a problem about a network of layers: the model first, then every size against it. */
export function readLayeredProblem(value: unknown, id: string, where: string): LayeredProblem {
  const fields = fieldsOf(value, where, layeredFields);
  const model = readModel(fields.get('model'), `${where}.model`);
  const inputs = readInputs(fields.get('inputs'), model, `${where}.inputs`);
  const { parts } = tablesOf({ id, model, inputs, weights: [] });
  const found = new Map([['inputs', inputs], ...readParts(fields, parts, where, model.layers.length)]);
  const missing = [...parts.keys()].filter((name) => name.startsWith('weights.') && !found.has(name));
  if (missing.length > 0)
    throw new UsageError(`${where} lacks ${missing.join(', ')}; a problem holds every weight of its layers.`);
  checkSomething(fields, where);
  const labels = fields.get('labels');
  return layeredProblem(
    {
      id,
      model,
      ...(labels !== undefined && { labels: readClasses(labels, model, inputs, `${where}.labels`) }),
    },
    found,
  );
}

/** @throws UsageError when it is no network */
function readModel(value: unknown, where: string): Model {
  const fields = fieldsOf(value, where, ['features', 'layers', 'loss']);
  const layers = fields.get('layers');
  if (!Array.isArray(layers) || layers.length === 0)
    throw new UsageError(
      `${where}.layers is ${describe(layers)}; an array of layers was expected, as [{ "layer": "lstm", "units": 4 }].`,
    );
  for (const [i, layer] of layers.entries()) {
    const name: unknown = (layer as { layer?: unknown } | null)?.layer;
    if (typeof name !== 'string')
      throw new UsageError(
        `${where}.layers[${i}].layer is ${describe(name)}; the name of a layer was expected, for example "lstm".`,
      );
  }
  const model = Object.fromEntries(fields) as unknown as Model;
  // a layer of the same sizes stands for a cell of formulas
  const planned = model.layers.map((layer, i) =>
    layer.layer === 'cell' ? standIn(layer, `${where}.layers[${i}]`) : layer,
  );
  try {
    new NetworkPlan({ ...model, layers: planned }, where);
    partsOfLayers(model);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${where}: ${(error as Error).message.replace(`${where}: `, '')}`, { cause: error });
  }
  return model;
}

/** Checks the form of a cell; its formulas are read where they are used. */
function standIn(layer: OwnCellConfig, where: string): LayerConfig {
  const { cell, units, returnSequences } = layer;
  fieldsOf(layer, where, ['layer', 'cell', 'units', 'returnSequences']);
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
  const { name, carries, weights, equations }: Partial<CellText> = isObject(cell) ? cell : {};
  const isText = [name, equations, ...(isObject(weights) ? Object.values(weights) : [undefined])].every(
    (text) => typeof text === 'string',
  );
  if (!isText || !Array.isArray(carries))
    throw new UsageError(
      `${where} needs a cell with name, carries, weights and equations, as defineCell takes it (weights as { "kernel": "F, U" }); its cell ${isObject(cell) ? `has ${Object.keys(cell).join(', ')}` : `is ${describe(cell)}`}.`,
    );
  return { layer: 'simpleRNN', units, ...(returnSequences !== undefined && { returnSequences }) };
}

function readInputs(value: unknown, model: Model, where: string): Tensor {
  const [first] = model.layers;
  if (first.layer !== 'embedding')
    return readTensor(value, where, ['batch', 'timeSteps', model.features ?? 1]);
  const inputs = readTensor(value, where, ['batch', 'timeSteps']);
  const bad = inputs.data.find((x) => !Number.isInteger(x) || x < 0 || x >= first.inputDim);
  if (bad === undefined) return inputs;
  throw new UsageError(
    `${where} holds ${bad}; the first layer is an embedding of ${first.inputDim} integers, so integers from 0 to ${first.inputDim - 1} were expected.`,
  );
}

/** [B], or [B, T] (nested, or example by example) where the last layer gives every step. */
function readClasses(value: unknown, model: Model, { shape }: Tensor, where: string): number[] {
  const { loss = 'softmaxCrossEntropy' } = model;
  if (loss !== 'softmaxCrossEntropy')
    throw new UsageError(
      `${where} are class indices, but the loss is ${loss}; give targets, or another loss.`,
    );
  const { width, hasTime } = partsOfLayers(model)[model.layers.length - 1].output;
  const [batch, timeSteps] = shape;
  const isNested = Array.isArray(value) && Array.isArray(value[0]);
  const flat = isNested ? readTensor(value, where, [batch, timeSteps]).data : value;
  const count = hasTime ? batch * timeSteps : batch;
  return readLabels(isNested ? Array.from(flat as Float64Array) : flat, where, count, width);
}

function checkSomething(fields: Fields, where: string): void {
  const { loss = 'softmaxCrossEntropy' } = fields.get('model') as Model;
  if (fields.get('targets') !== undefined && loss === 'softmaxCrossEntropy')
    throw new UsageError(
      `${where} holds targets, but the loss is softmaxCrossEntropy; give labels, or name another loss in model.loss.`,
    );
}
