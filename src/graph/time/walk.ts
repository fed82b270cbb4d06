import type { GraphBuilder, GraphTensor, Ops } from '../builder/index';
import type { AllSteps, Cell, StateName, States, StepInput, Tensors } from '../cells/index';

// Inside the graph time comes first: the rows of a step lie next to each other, and all steps together are one matrix of
// T·B rows, in the order of the input's steps whichever way the walk goes.

/** Sizes that come with the data. */
export interface Sizes {
  /** [1]: B */ readonly batch: GraphTensor<'int32'>;
  /** [1]: T */ readonly timeSteps: GraphTensor<'int32'>;
}

export type Mask = GraphTensor<'bool'> | undefined;

/** States of which h is one. */
export type Carried = States & { readonly h: GraphTensor };

export interface WalkInput {
  readonly cell: Cell;
  readonly constants: ReturnType<Cell['constants']>;
  /** [1]: U */ readonly units: GraphTensor<'int32'>;
  /** [T·B, width·U] by part of the cell: x_t · kernel + bias */ readonly parts: readonly GraphTensor[];
  /** [T, B, 1]; a step whose mask is false keeps the states */
  readonly mask: Mask;
  /** [B, U] each; those that are absent are zeros */ readonly initial: States;
  /** from the last step of the input to the first */ readonly goBackwards: boolean;
  readonly sizes: Sizes;
}

/** The walk through the time steps of one batch, and the way back. */
export interface Walk {
  /** [B, U] each, after the last step of the walk */ readonly finalStates: Carried;
  /** [T·B, U]: h of every step */ states(): GraphTensor;
  /** @param upstream dLoss/dstates [T·B, U] and dLoss/dfinalStates; at least one of the two */
  backward(upstream: { readonly states?: GraphTensor | undefined; readonly finalStates: States }): {
    readonly all: AllSteps;
    /** [B, U] each */ readonly initial: States;
  };
}

/** Builds the nodes of one walk. */
export type WalkThroughTime = (g: GraphBuilder, input: WalkInput) => Walk;

/** Rows of all steps [T·B, N] as [T, B, N]. */
export function stepsOf(g: Ops, rows: GraphTensor, { batch, timeSteps }: Sizes): GraphTensor {
  return g.reshape(rows, g.concat([timeSteps, batch, g.int([-1])], 0));
}

/**
 * One step forward; where mask is false the states stay:
 *
 *     h_t, c_t = the cell's step     where mask_t, else h_{t-1}, c_{t-1}
 */
export function stepForward(
  g: Ops,
  { cell, mask, ...step }: StepInput & { readonly cell: Cell; readonly mask: Mask },
  constants: Tensors,
): { readonly after: Carried; readonly kept: Tensors } {
  const { after, kept } = cell.forward(g, step, constants);
  return {
    after: mapStates(after, (state, name) =>
      mask === undefined ? state : g.select(mask, state, step.before[name] ?? g.zerosLike(state)),
    ),
    kept,
  };
}

/**
 * One step back; where mask is false nothing reaches the cell, and what arrives at the states passes on:
 *
 *     dh_{t-1} = what the cell's step gives     where mask_t, else dh_t;     dc_{t-1} likewise
 */
export function stepBackward(
  g: Ops,
  cell: Cell,
  mask: Mask,
  dAfter: States & { readonly h: GraphTensor },
  at: Parameters<Cell['backward']>[2],
  constants: Tensors,
): ReturnType<Cell['backward']> {
  if (mask === undefined) return cell.backward(g, dAfter, at, constants);
  const zeros = mapStates(dAfter, (d) => g.zerosLike(d));
  const reaching = mapStates(dAfter, (d, name) => g.select(mask, d, zeros[name] as GraphTensor));
  const { dBefore, rows } = cell.backward(g, reaching, at, constants);
  return {
    dBefore: mapStates(dBefore, (d, name) => {
      const arriving = dAfter[name];
      return arriving === undefined ? d : g.add(d, g.select(mask, zeros[name] as GraphTensor, arriving));
    }),
    rows,
  };
}

function mapStates(states: States, change: (state: GraphTensor, name: StateName) => GraphTensor): Carried {
  const entries = Object.entries(states).map(([name, state]) => [name, change(state, name as StateName)]);
  return Object.fromEntries(entries) as Carried;
}
