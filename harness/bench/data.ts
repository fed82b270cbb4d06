import { createRandom, makeTensor, NetworkPlan } from '../../scratch/index';
import { loadDigits } from '../problems/digits/index';
import { encodeTensor, encodeWeights } from '../base/process/index';
import type { EngineProblem } from './process/engine';
import type { WireProblem } from './process/protocol';
import { networkOf, type BenchSize } from './size';

/** Slow enough that thousands of timed updates stay finite. */
const learningRate = 0.01;

/**
 * The problem that every engine gets: inputs (normal numbers or digits), random labels or the digits', and initial
 * weights, all float32 values, so that every precision starts from the same numbers.
 *
 * @param examples how many to make; a multiple of the batch
 */
export async function makeProblem(size: BenchSize, examples: number, seed: number): Promise<EngineProblem> {
  const weights = new NetworkPlan(networkOf(size), 'bench').initialWeights(seed);
  const { inputs, labels } = await (size.data === 'digits' ? digits(examples) : random(size, examples, seed));
  return { size, inputs, labels, weights, learningRate };
}

/** The problem as it goes over the wire; encode once, send to every engine. */
export function encodeProblem(problem: EngineProblem): WireProblem {
  return {
    size: problem.size,
    layers: networkOf(problem.size).layers,
    inputs: encodeTensor(problem.inputs),
    labels: Array.from(problem.labels),
    weights: encodeWeights(problem.weights),
    learningRate: problem.learningRate,
  };
}

/** The batch of the training step: the first B examples, as the scratch network takes them. */
export function firstExamples({ inputs, labels }: EngineProblem, count: number) {
  const [, timeSteps, features] = inputs.shape;
  const data = Float64Array.from(inputs.data.subarray(0, count * timeSteps * features));
  return { inputs: makeTensor(data, [count, timeSteps, features]), labels: labels.slice(0, count) };
}

function random(size: BenchSize, examples: number, seed: number): Examples {
  const { timeSteps, features, classes } = size;
  const generator = createRandom(seed);
  const data = new Float32Array(examples * timeSteps * features);
  for (let i = 0; i < data.length; i++) data[i] = generator.normal();
  const labels = Int32Array.from({ length: examples }, () => generator.integer(classes));
  return { inputs: { shape: [examples, timeSteps, features], data }, labels };
}

async function digits(examples: number): Promise<Examples> {
  const { inputs, labels } = await loadDigits();
  const data = Float32Array.from(inputs.data.subarray(0, examples * 28 * 28));
  return { inputs: { shape: [data.length / (28 * 28), 28, 28], data }, labels: labels.slice(0, examples) };
}

type Examples = Pick<EngineProblem, 'inputs' | 'labels'>;
