import type { States, Tensors } from '../cells/index';
import { stepBackward, stepForward, type Carried, type WalkThroughTime } from './walk';

interface StepMade {
  readonly before: States;
  readonly after: Carried;
  readonly kept: Tensors;
}

/** The walk with one copy of the step per time step: the fastest graph, and one that serves exactly `timeSteps` steps. */
export function unrolled(timeSteps: number): WalkThroughTime {
  return (g, { cell, constants, units, parts, mask, initial, goBackwards }) => {
    const order = Array.from({ length: timeSteps }, (_, n) => (goBackwards ? timeSteps - 1 - n : n));
    const x = parts.map((part) => g.split(part, timeSteps, 0));
    const masks = mask && g.unstack(mask, timeSteps, 0);

    /** by place in the input */ const steps = new Array<StepMade>(timeSteps);
    let states: States = initial;
    for (const t of order) {
      const before = states;
      const given = { cell, mask: masks?.[t], x: x.map((part) => part[t]), before, units };
      const made = g.scope(`step${t}`, () => stepForward(g, given, constants.forward));
      steps[t] = { before, ...made };
      states = made.after;
    }

    return {
      finalStates: states as Carried,
      states: () => g.concat(steps.map(({ after }) => after.h), 0), // prettier-ignore
      backward: (upstream) =>
        g.scope('backward', () => {
          const dStates = upstream.states && g.split(upstream.states, timeSteps, 0);
          const rows = new Array<Tensors>(timeSteps);
          let { h, c } = upstream.finalStates;
          for (const t of order.toReversed()) {
            g.scope(`step${t}`, () => {
              const arriving = dStates?.[t];
              const dh =
                h && arriving ? g.add(h, arriving) : (h ?? arriving ?? g.zerosLike(steps[t].after.h));
              const dAfter = { h: dh, ...(c && { c }) };
              const back = stepBackward(g, cell, masks?.[t], dAfter, steps[t], constants.backward);
              rows[t] = back.rows;
              ({ h, c } = back.dBefore);
            });
          }
          const all = Object.fromEntries(
            Object.keys(cell.rows).map((name) => [name, g.concat(rows.map((row) => row[name]), 0)]), // prettier-ignore
          );
          // zeros for a state that is not given: one product over all steps costs less than cutting the first step off
          const before = g.concat(
            steps.map((step) => step.before.h ?? g.zerosLike(step.after.h)),
            0,
          );
          return { all: { rows: all, before }, initial: { ...(h && { h }), ...(c && { c }) } };
        }),
    };
  };
}
