import type { RecurrentConfig } from '../../../scratch/index';
import type { GraphTensor } from '../builder/index';
import { blocks, cellOf, plus, type States, type Tensors } from '../cells/index';
import type { WalkThroughTime } from '../time/index';
import { sumOf, turned, type GraphLayer } from './layer';

/** Whether a recurrentKernel of so many elements is transposed once per call. */
export function isTransposedOnce(elements: number): boolean {
  return elements >= 4096;
}

/**
 * A recurrent layer: projection, walk through time, and the gradients that sum over time, each as one matrix product over
 * the T·B rows of all steps:
 *
 *     dKernel = Σ_t x_tᵀ dz_t     dBias = Σ_t Σ_b dz_t     dx_t = dz_t kernelᵀ
 *
 * dz_t = dLoss/d(x_t kernel + bias), with as many columns as the kernel has.
 *
 * @param inputOrder whether a layer that goes backwards puts its outputs back into the order of its inputs
 */
export function recurrentLayer(
  config: RecurrentConfig,
  walk: WalkThroughTime,
  inputOrder = false,
): GraphLayer {
  const cell = cellOf(config);
  const { useBias = true, returnSequences = false, goBackwards = false } = config;
  const twoBiases =
    config.layer === 'gru' && useBias && (config.biases ?? ((config.resetAfter ?? true) ? 2 : 1)) === 2;
  const reordered = goBackwards && !inputOrder;
  const large = isTransposedOnce(config.units * config.units * cell.gateOrder.length);

  return (g, weights) => {
    const { kernel, recurrentKernel } = weights;
    const units = g.slice(g.shape(recurrentKernel), [0], [1]);
    const rows = twoBiases ? g.unstack(weights['bias'], 2, 0) : [weights['bias']];
    const [inputBias] = rows;
    const recurrentBias = rows.at(1);
    const bias =
      recurrentBias && cell.biasOfProjection
        ? plus(g, inputBias, cell.biasOfProjection(g, recurrentBias, units))
        : inputBias;
    const kernels = blocks(g, kernel, cell.parts, units);
    const biases = useBias ? blocks(g, bias, cell.parts, units, 0) : undefined;
    const cellWeights = { kernel, bias: biases?.[0], recurrentKernel, recurrentBias, units, large };
    const constants = cell.constants(g, cellWeights);

    return (input, initialStates, sizes) => {
      const toWalkOrder = (rows: GraphTensor) => (goBackwards ? turned(g, rows, sizes) : rows);
      const initial: States = Object.fromEntries(
        cell.states.flatMap((name, k) => (initialStates[k] ? [[name, initialStates[k]]] : [])),
      );
      const parts = cell.projects
        ? [input.rows]
        : g.scope('projection', () =>
            kernels.map((part, k) => {
              const product = g.matMul(input.rows, part);
              return biases ? g.biasAdd(product, biases[k]) : product;
            }),
          );
      const { mask } = input;
      const made = walk(g, { cell, constants, units, parts, mask, initial, goBackwards, sizes });
      const output = !returnSequences
        ? { rows: made.finalStates.h, hasTime: false }
        : {
            rows: reordered ? toWalkOrder(made.states()) : made.states(),
            hasTime: true,
            mask: mask && reordered ? g.reverse(mask, 0) : mask,
          };
      return {
        output,
        finalStates: cell.states.map((name) => made.finalStates[name] as GraphTensor),
        sequences: () => [toWalkOrder(made.states())],

        backward: (upstream) => {
          const fromOutput = upstream.output;
          const arriving = upstream.sequences[0];
          const states = sumOf(
            g,
            returnSequences && fromOutput && reordered
              ? toWalkOrder(fromOutput)
              : returnSequences
                ? fromOutput
                : undefined,
            arriving && toWalkOrder(arriving),
          );
          const finalStates: States = Object.fromEntries(
            cell.states.flatMap((name, k) => {
              const fromBelow = name === 'h' && !returnSequences ? fromOutput : undefined;
              const d = sumOf(g, fromBelow, upstream.finalStates[k]);
              return d ? [[name, d]] : [];
            }),
          );
          const back = made.backward({ states, finalStates });
          const gradients = cell.gradients(g, back.all, cellWeights);
          const dz = gradients.parts;
          const dKernels = dz.map((d) => g.matMul(input.rows, d, { transposeA: true }));
          const dBias = useBias ? g.concat(dz.map((d) => g.biasAddGrad(d)), 0) : undefined; // prettier-ignore
          const dInputs = dz.map((d, k) => g.matMul(d, kernels[k], { transposeB: true }));
          const given: Tensors = {
            kernel: g.concat(dKernels, 1),
            recurrentKernel: gradients.recurrentKernel,
          };
          return {
            weights: {
              ...given,
              ...(dBias && {
                bias: gradients.recurrentBias ? g.stack([dBias, gradients.recurrentBias]) : dBias,
              }),
            },
            input: dInputs.reduce((sum, d) => g.add(sum, d)),
            initialStates: cell.states.map((name, k) => {
              const like = initialStates[k] ?? made.finalStates[name];
              return back.initial[name] ?? g.zerosLike(like!);
            }),
          };
        },
      };
    };
  };
}
