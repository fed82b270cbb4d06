import { StackPlan, zeros, type LayerConfig, type RecurrentConfig, type Tensor } from '../../scratch/index';
import type { FrameworkName } from '../base/framework-names';
import { ProblemRefusedError } from '../base/side-errors';
import { networkConfigOf, partsOfLayers, unitsOf, wordOf, type LayerParts } from '../base/model';
import type { LayeredProblem } from '../base/problem';
import { toOnnx, type ModelInput, type ModelLayer, type Source } from '../models/index';
import type { FrameworkQuestion } from '../sides/frameworks/index';

/** A problem about layers as a question to a framework, which runs a model whose every step it shows. */
export function questionOf(problem: LayeredProblem, name: FrameworkName): FrameworkQuestion<Tensor> {
  const { model, inputs, weights, mask, initialStates, labels, targets, upstream } = problem;
  const config = networkConfigOf(model);
  if (config === undefined) throw new Error(`questionOf: ${problem.id} has a layer of formulas`);
  const { layers: configs, loss = 'softmaxCrossEntropy' } = config;
  const [batch, timeSteps] = inputs.shape;
  const masks = new StackPlan(config).masksOf({ inputs, mask, batch, timeSteps, initialStates: [] });
  const parts = partsOfLayers(model);
  const isForwardOnly = name === 'onnxruntime';
  const isLossAsked = !isForwardOnly && (labels !== undefined || targets !== undefined);
  const isBackward = isLossAsked || (!isForwardOnly && upstream !== undefined);
  checkMasks(problem, configs, masks, name);

  const states: [string, Tensor][] = [];
  const layers = configs.map((one, i): ModelLayer & { readonly mask?: Tensor } => {
    const { name: own, states: carried, output } = parts[i];
    const given: Readonly<Partial<Record<string, Tensor>>> = initialStates?.[i] ?? {};
    const isStarted = Object.keys(carried).length > 0 && (isBackward || Object.keys(given).length > 0);
    if (isStarted)
      for (const [state, units] of Object.entries(carried))
        states.push([`${own}.${state}`, given[state] ?? zeros(batch, units)]);
    const masked = Object.keys(carried).length > 0 ? masks[i] : undefined;
    return {
      name: own,
      kind: wordOf(one),
      config: isOneWay(one) ? { ...one, returnSequences: true } : one,
      reads: i === 0 ? { of: 'inputs' } : outputOf(parts[i - 1], configs[i - 1]),
      ...(isStarted && { initialStates: Object.keys(carried).map((state) => ({ of: `${own}.${state}` })) }),
      ...(masked && { mask: masked }),
      weights: weights[i],
      output: output.hasTime || isOneWay(one) ? [null, output.width] : [output.width],
    };
  });
  const last = parts.length - 1;
  const logits = outputOf(parts[last], configs[last]);
  if (loss !== 'meanSquaredError')
    layers.push({
      name: 'outputs',
      kind: 'activation',
      config: { layer: 'activation', activation: loss === 'softmaxCrossEntropy' ? 'softmax' : 'sigmoid' },
      reads: logits,
      weights: {},
      output: parts[last].output.hasTime ? [null, parts[last].output.width] : [parts[last].output.width],
    });
  const [first] = configs;
  const modelInputs: ModelInput[] = [
    first.layer === 'embedding'
      ? { name: 'inputs', shape: [null], vocabulary: first.inputDim }
      : { name: 'inputs', shape: [null, config.features ?? 1] },
    ...states.map(([state, { shape }]) => ({ name: state, shape: shape.slice(1) })),
  ];
  const { hasTime } = parts[last].output;
  const rows = labels && {
    data: Float64Array.from(labels),
    shape: hasTime ? [batch, timeSteps] : [batch],
  };
  const target = rows ?? targets;
  const steps = hasTime ? masks[configs.length] : undefined;
  const description = {
    ...({ format: 'tfjs', writtenBy: 'rnn-parity', notes: [] } as const),
    ...{ inputs: modelInputs, layers, outputs: [logits] },
  };
  return {
    modelInputs,
    inputs: { inputs, ...Object.fromEntries(states) },
    layers: isForwardOnly ? layers.map((one) => ({ ...one, weights: {} })) : layers,
    ...(isForwardOnly && {
      onnx: toOnnx(description, 'the problem', { showAll: true }).toString('base64'),
    }),
    ...(isLossAsked && target && { loss: { ...logits, name: loss, target, ...(steps && { mask: steps }) } }),
    ...(isBackward && { upstream: upstreamOf(problem, configs, parts, logits) }),
  };
}

/** Walks through time in one direction: it is asked for every step, and its final state is the last of them. */
export const isOneWay = (config: LayerConfig): config is RecurrentConfig =>
  config.layer === 'simpleRNN' || config.layer === 'lstm' || config.layer === 'gru';

/** Whether the steps of both directions can be seen in what a bidirectional layer gives: side by side, the second in the order of the input. */
export const showsBothWays = (config: LayerConfig): boolean =>
  config.layer === 'bidirectional' &&
  (config.mergeMode ?? 'concat') === 'concat' &&
  config.wrapped.returnSequences === true;

/** What the next layer reads. */
export function outputOf({ name }: LayerParts, config: LayerConfig): Source {
  const isLast = isOneWay(config) && config.returnSequences !== true;
  return isLast ? { of: name, state: 0 } : { of: name };
}

/**
 * Keras sets zero_output_for_mask in a Bidirectional that returns sequences, where ours keep the state. Of other layers it
 * gives zeros at the masked steps before the first real one, where ours have the initial state: the same only where that is zero
 * and no gradient arrives there: from elsewhere, or at the output of an example without a real step.
 */
function checkMasks(
  { initialStates, upstream }: LayeredProblem,
  configs: readonly LayerConfig[],
  masks: readonly (Tensor | undefined)[],
  name: FrameworkName,
): void {
  configs.forEach((config, i) => {
    const mask = masks[i];
    const isBothWays = config.layer === 'bidirectional';
    if (mask === undefined || !(isOneWay(config) || isBothWays)) return;
    if (name === 'onnxruntime') throw new ProblemRefusedError("ONNX's recurrent operations take no mask");
    const [batch, timeSteps] = mask.shape;
    if (name === 'keras' && isBothWays && config.wrapped.returnSequences === true && mask.data.includes(0))
      throw new ProblemRefusedError(
        'Keras gives zeros at masked steps of a bidirectional layer, where the reference keeps the state before',
      );
    const isBack = 'goBackwards' in config && config.goBackwards;
    const starts = [...(isBack ? [] : [0]), ...(isBack || isBothWays ? [timeSteps - 1] : [])];
    const isLate = Array.from({ length: batch }, (_, b) => b).some((b) =>
      starts.some((t) => mask.data[b * timeSteps + t] === 0),
    );
    const isEmpty = Array.from({ length: batch }, (_, b) =>
      mask.data.subarray(b * timeSteps, (b + 1) * timeSteps),
    ).some((steps) => steps.every((m) => m === 0));
    if (name === 'keras' && isLate && (initialStates !== undefined || upstream !== undefined || isEmpty))
      throw new ProblemRefusedError(
        'Keras gives zeros at masked steps before the first real one, where the reference has the initial state',
      );
  });
}

function upstreamOf(
  { upstream = {} }: LayeredProblem,
  configs: readonly LayerConfig[],
  parts: readonly LayerParts[],
  logits: Source,
): NonNullable<FrameworkQuestion<Tensor>['upstream']> {
  return [
    ...(upstream.logits ? [{ ...logits, gradient: upstream.logits }] : []),
    ...parts.flatMap(({ name, states }, i) => {
      const final: Readonly<Partial<Record<string, Tensor>>> = upstream.finalStates?.[i] ?? {};
      return Object.keys(states).flatMap((state, k) => {
        const gradient = final[state];
        return gradient === undefined ? [] : [{ of: name, state: k, gradient }];
      });
    }),
    ...parts.flatMap(({ name }, i) => {
      const steps: Readonly<Partial<Record<string, Tensor>>> = upstream.sequences?.[i] ?? {};
      const { h, forwardH, backwardH } = steps;
      if (h !== undefined) return [{ of: name, gradient: h }];
      if (forwardH === undefined && backwardH === undefined) return [];
      if (!showsBothWays(configs[i]))
        throw new ProblemRefusedError(
          'no gradient can arrive at single steps of a bidirectional layer that gives final states, or merges its directions',
        );
      const there = forwardH ?? zeros(...backwardH!.shape);
      const back = backwardH ?? zeros(...forwardH!.shape);
      return [{ of: name, gradient: joined(there, back, unitsOf(configs[i])) }];
    }),
  ];
}

/** [B, T, U] and, in the order of its walk from the last step on, [B, T, U] as [B, T, 2U]. */
function joined({ data, shape: [batch, timeSteps] }: Tensor, back: Tensor, units: number): Tensor {
  const out = zeros(batch, timeSteps, 2 * units);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < timeSteps; t++) {
      const row = (b * timeSteps + t) * units;
      const mirrored = (b * timeSteps + timeSteps - 1 - t) * units;
      out.data.set(data.subarray(row, row + units), 2 * row);
      out.data.set(back.data.subarray(mirrored, mirrored + units), 2 * row + units);
    }
  return out;
}

/** The two sequences of `joined`. */
export function apart({ data, shape: [batch, timeSteps, width] }: Tensor): [Tensor, Tensor] {
  const units = width / 2;
  const [there, back] = [zeros(batch, timeSteps, units), zeros(batch, timeSteps, units)];
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < timeSteps; t++) {
      const row = (b * timeSteps + t) * units;
      const mirrored = (b * timeSteps + timeSteps - 1 - t) * units;
      there.data.set(data.subarray(2 * row, 2 * row + units), row);
      back.data.set(data.subarray(2 * row + units, 2 * row + width), mirrored);
    }
  return [there, back];
}
