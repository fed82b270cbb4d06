import type { GraphTensor, Ops } from '../builder/index';
import {
  gatherGradients,
  project,
  type Recurrent,
  type RecurrentInputs,
  type RecurrentWeights,
  type Upstream,
} from './recurrent';

/**
 * The recurrent layer with one copy of the step per time step: the fastest graph, and one that serves exactly
 * `timeSteps` steps. Formulas as in Werbos (1990), with h_{-1} = initialState:
 *
 *     a_t = x_t kernel + bias + h_{t-1} recurrentKernel
 *     h_t = tanh(a_t)                                   where mask_t, else h_{t-1}
 */
export function unrolled(timeSteps: number): Recurrent {
  return (g, weights, given) => {
    const { recurrentKernel } = weights;
    const { initialState } = given;
    const projection = g.scope('projection', () => project(g, weights, given.inputs));
    const steps = g.split(projection.projected, timeSteps, 0);
    const masks = stepMasks(g, given, timeSteps);

    const states: GraphTensor[] = [];
    for (let t = 0; t < timeSteps; t++) {
      g.scope(`forward/step${t}`, () => {
        const previous = t === 0 ? initialState : states[t - 1];
        // a_t; without an initial state, h_{-1} recurrentKernel = 0 is not computed
        const preActivation =
          previous === undefined ? steps[t] : g.add(steps[t], g.matMul(previous, recurrentKernel));
        const candidate = g.tanh(preActivation);
        states.push(
          masks === undefined ? candidate : g.select(masks[t], candidate, previous ?? g.zerosLike(candidate)),
        );
      });
    }

    return {
      finalState: states[timeSteps - 1],
      states: () => g.stack(states),
      backward: (upstream) =>
        g.scope('backward', () => {
          const dSteps = stepsBackward(g, weights, upstream, states, masks);
          const previousStates = [
            ...(initialState === undefined ? [] : [initialState]),
            ...states.slice(0, -1),
          ];
          const skipped = timeSteps - previousStates.length;
          return gatherGradients(g, weights, projection, {
            dPreActivations: g.concat(dSteps.dPreActivations, 0),
            previousStates: previousStates.length === 0 ? undefined : g.concat(previousStates, 0),
            dPreActivationsOfThose:
              previousStates.length === 0 ? undefined : g.concat(dSteps.dPreActivations.slice(skipped), 0),
            dInitialState: dSteps.dInitialState,
          });
        }),
    };
  };
}

/**
 * Back through time, with dH_t the gradient of the loss for h_t by every path after step t:
 *
 *     dA_t     = (1 - h_t^2) dH_t                       where mask_t, else 0
 *     dH_{t-1} = upstream_{t-1} + dA_t recurrentKernel^T (+ dH_t where not mask_t)
 */
function stepsBackward(
  g: Ops,
  { recurrentKernel }: RecurrentWeights,
  upstream: Upstream,
  states: readonly GraphTensor[],
  masks: readonly GraphTensor<'bool'>[] | undefined,
): { dPreActivations: GraphTensor[]; dInitialState: GraphTensor } {
  const timeSteps = states.length;
  const dStates = upstream.states === undefined ? undefined : g.unstack(upstream.states, timeSteps, 0);
  const dPreActivations = new Array<GraphTensor>(timeSteps);
  let dState = upstream.finalState;
  for (let t = timeSteps - 1; t >= 0; t--) {
    g.scope(`step${t}`, () => {
      const dAll = sumOf(g, dStates?.[t], dState);
      const zero = masks === undefined ? undefined : g.zerosLike(dAll);
      const dCandidate = masks === undefined || zero === undefined ? dAll : g.select(masks[t], dAll, zero);
      dPreActivations[t] = g.tanhGrad(states[t], dCandidate);
      const dPrevious = g.matMul(dPreActivations[t], recurrentKernel, { transposeB: true });
      dState =
        masks === undefined || zero === undefined
          ? dPrevious
          : g.add(dPrevious, g.select(masks[t], zero, dAll));
    });
  }
  return { dPreActivations, dInitialState: dState as GraphTensor };
}

/** T masks of shape [B, 1]. */
function stepMasks(g: Ops, { mask }: RecurrentInputs, timeSteps: number): GraphTensor<'bool'>[] | undefined {
  return mask === undefined ? undefined : g.unstack(g.expandDims(mask, 2), timeSteps, 1);
}

export function sumOf(g: Ops, a: GraphTensor | undefined, b: GraphTensor | undefined): GraphTensor {
  if (a !== undefined && b !== undefined) return g.add(a, b);
  const only = a ?? b;
  if (only === undefined) {
    throw new Error('backward: no upstream gradient; pass one for the states or for the final state.');
  }
  return only;
}
