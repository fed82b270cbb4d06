import type { GraphBuilder, GraphTensor } from '../builder/index';
import { gatherGradients, project, type Recurrent, type RecurrentWeights, type Upstream } from './recurrent';

type List = GraphTensor<'variant'>;

/**
 * The recurrent layer as a While loop: one small graph for any number of time steps, at the price of a loop's
 * bookkeeping per step. Same formulas as `unrolled`, row for row.
 */
export const looped: Recurrent = (g, weights, given) => {
  const projection = g.scope('projection', () => project(g, weights, given.inputs));
  const sizes = g.shape(projection.timeMajor);
  const timeSteps = g.reshape(g.slice(sizes, [0], [1]), g.int([], [0]));
  const batch = g.slice(sizes, [1], [1]);
  const units = g.shape(weights.bias);
  const stateShape = g.concat([batch, units], 0);
  const allStates = g.concat([g.slice(sizes, [0], [2]), units], 0);
  const initialState = given.initialState ?? g.fill(stateShape, g.float(0));
  const masks =
    given.mask === undefined
      ? undefined
      : g.listFromTensor(g.transpose(g.expandDims(given.mask, 2), [1, 0, 2]));

  const forward = g.whileLoop({
    name: 'forward',
    variables: {
      t: g.int(0),
      timeSteps,
      state: initialState,
      states: g.listReserve(timeSteps),
      projected: g.listFromTensor(g.reshape(projection.projected, allStates)),
      recurrentKernel: weights.recurrentKernel,
      masks,
    },
    condition: (f, { t, timeSteps: end }) => f.less(t, end),
    body: (f, { t, state, states, projected, recurrentKernel, masks: list }) => {
      const preActivation = f.add(f.listGet(projected, t, 'float32'), f.matMul(state, recurrentKernel));
      const candidate = f.tanh(preActivation);
      const next = list === undefined ? candidate : f.select(f.listGet(list, t, 'bool'), candidate, state);
      return { t: f.add(t, f.int(1)), state: next, states: f.listSet(states, t, next) };
    },
  });
  const states = g.listStack(forward.states);

  return {
    finalState: forward.state,
    states: () => states,
    backward: (upstream) =>
      g.scope('backward', () => {
        const steps = stepsBackward(g, weights, upstream, {
          states: forward.states,
          timeSteps,
          stateShape,
          masks,
        });
        const rowsOf = (x: GraphTensor): GraphTensor => g.reshape(x, g.concat([g.int([-1]), units], 0));
        const dPreActivations = rowsOf(g.listStack(steps.dPreActivations));
        // h_{-1} ... h_{T-2}
        const previous = g.concat([g.expandDims(initialState, 0), states], 0);
        return gatherGradients(g, weights, projection, {
          dPreActivations,
          previousStates: rowsOf(g.slice(previous, g.int([0, 0, 0]), allStates)),
          dPreActivationsOfThose: dPreActivations,
          dInitialState: steps.dInitialState,
        });
      }),
  };
};

interface LoopContext {
  readonly states: List;
  readonly timeSteps: GraphTensor<'int32'>;
  /** [B, U] */ readonly stateShape: GraphTensor<'int32'>;
  readonly masks: List | undefined;
}

/** Back through time, from the last step to the first: `unrolled`'s formulas. */
function stepsBackward(
  g: GraphBuilder,
  { recurrentKernel }: RecurrentWeights,
  upstream: Upstream,
  { states, timeSteps, stateShape, masks }: LoopContext,
): { dPreActivations: List; dInitialState: GraphTensor } {
  const last = g.sub(timeSteps, g.int(1));
  const { dPreActivations, dState } = g.whileLoop({
    name: 'steps',
    variables: {
      t: last,
      dState: upstream.finalState ?? g.fill(stateShape, g.float(0)),
      dPreActivations: g.listReserve(timeSteps),
      dStates: upstream.states === undefined ? undefined : g.listFromTensor(upstream.states),
      states,
      recurrentKernel,
      masks,
    },
    condition: (f, { t }) => f.less(f.int(-1), t),
    body: (f, loop) => {
      const { t } = loop;
      const dAll =
        loop.dStates === undefined ? loop.dState : f.add(f.listGet(loop.dStates, t, 'float32'), loop.dState);
      const mask = loop.masks && f.listGet(loop.masks, t, 'bool');
      const zero = mask && f.zerosLike(dAll);
      const dCandidate = mask && zero ? f.select(mask, dAll, zero) : dAll;
      const dPreActivation = f.tanhGrad(f.listGet(loop.states, t, 'float32'), dCandidate);
      const dPrevious = f.matMul(dPreActivation, loop.recurrentKernel, { transposeB: true });
      return {
        t: f.sub(t, f.int(1)),
        dState: mask && zero ? f.add(dPrevious, f.select(mask, zero, dAll)) : dPrevious,
        dPreActivations: f.listSet(loop.dPreActivations, t, dPreActivation),
      };
    },
  });
  return { dPreActivations, dInitialState: dState };
}
