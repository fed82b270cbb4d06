import { expect } from 'chai';
import { gru, gruResetAfter, lstm, simpleRnn, type NetworkProblem } from '../../../harness/equations/index';
import {
  canShowFault,
  exactFault,
  faultsOf,
  type EquationFault,
  type FaultyRun,
} from '../../../harness/faults/equations/index';
import { oddCell } from '../equations/cells';
import { generatedProblem, oneLayer } from '../equations/generated';

const cells = [simpleRnn(), lstm(), gru(), gruResetAfter(), oddCell];

function named(faults: readonly EquationFault[], name: string): EquationFault {
  const found = faults.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no fault ${name}`);
  return found;
}

describe('faults generated from the equations of a cell', () => {
  for (const cell of cells)
    it(`every one changes an answer, and has a name of its own: ${cell.name}`, () => {
      const network = oneLayer(cell, 2, 3);
      const problem = generatedProblem(network, 5, { upstream: true, masked: true, batch: 3, timeSteps: 4 });
      const faults = faultsOf(network);
      expect(new Set(faults.map(({ name }) => name)).size).to.equal(faults.length);
      // a walk back that ends after 20 steps has more than 20
      const long = generatedProblem(network, 5, { upstream: true, timeSteps: 22, batch: 1 });
      // a hard sigmoid has one slope until its argument reaches a corner
      const others = [6, 7, 8, 9].map((seed) => generatedProblem(network, seed, { batch: 3, timeSteps: 4 }));
      const hidden = faults.filter((fault) =>
        [problem, long, ...others].every((own) => !canShowFault(network, own, fault)),
      );
      expect(hidden.map(({ name }) => name)).to.deep.equal([]);
      expect(faults.length).to.be.above(cell.name === 'simple RNN' ? 60 : 200);
    });

  it('of a gate at one time step take away what the gate adds there, and nothing else', () => {
    const network = oneLayer(lstm(), 2, 3);
    const problem = generatedProblem(network, 5, { upstream: true, batch: 2, timeSteps: 3 });
    const fault = named(faultsOf(network), 'rnn, drecurrentKernel: gate f adds nothing');
    const of = (run: FaultyRun): Float64Array =>
      exactFault(run).whole().get('gradients.rnn.recurrentKernel')!.data;
    const right = of({ network, problem });
    const [whole] = fault.runs(network, problem).map(of);
    const taken = [0, 1, 2].map((t) => of(fault.atStep!(t).runs(network, problem)[0]));
    right.forEach((x, i) => {
      const byAll = taken.reduce((sum, data) => sum + x - data[i], 0);
      expect(byAll, `${i}`).to.be.closeTo(x - whole[i], 1e-14);
    });
  });

  it('do what their names say: an LSTM of one unit by hand', () => {
    const network = oneLayer(lstm(), 1, 1);
    const problem = generatedProblem(network, 3, { batch: 1, timeSteps: 1, upstream: true, labelled: false });
    const faults = faultsOf(network);
    const at = (path: 'kernel' | 'recurrentKernel' | 'bias', gate: number): number =>
      problem.weights['rnn'][path].data[gate];
    const [x] = problem.inputs.data;
    const h0 = problem.initialStates?.['rnn']['h'].data[0] ?? NaN;
    const c0 = problem.initialStates?.['rnn']['c'].data[0] ?? NaN;
    const z = [0, 1, 2, 3].map(
      (gate) => x * at('kernel', gate) + h0 * at('recurrentKernel', gate) + at('bias', gate),
    );
    const σ = (value: number): number => 1 / (1 + Math.exp(-value));
    const answer = (name: string, of: string): number => {
      const [run] = named(faults, `rnn, ${name}`).runs(network, problem);
      return exactFault(run).whole().get(of)?.data[0] ?? NaN;
    };
    const state = (c: number, o = z[3]): number => σ(o) * Math.tanh(c);
    const c1 = σ(z[1]) * c0 + σ(z[0]) * Math.tanh(z[2]);
    const close = (found: number, by: number, what: string): unknown =>
      expect(found, what).to.be.closeTo(by, 1e-14);
    close(
      answer('c_t: the factor σ(z_t[f]) is forgotten', 'states.rnn'),
      state(c0 + σ(z[0]) * Math.tanh(z[2])),
      'forget gate',
    );
    close(answer('h_t: c_(t-1) instead of c_t', 'states.rnn'), state(c0), 'cell state of the step before');
    close(
      answer('z_t[o]: the term bias[o] is forgotten', 'states.rnn'),
      state(c1, z[3] - at('bias', 3)),
      'bias of one gate',
    );
    close(
      answer('z_t: the weights of f and o are exchanged', 'final.rnn.c'),
      σ(z[3]) * c0 + σ(z[0]) * Math.tanh(z[2]),
      'gates exchanged',
    );
    const above = problem.upstream?.['rnn'];
    const dh = (above?.sequence?.data[0] ?? NaN) + (above?.final?.['h'].data[0] ?? NaN);
    const dc = (above?.final?.['c'].data[0] ?? NaN) + dh * σ(z[3]) * (1 - Math.tanh(c1) ** 2);
    const dz = dc * c0;
    close(
      answer('dz_t[f]: the factor σ′[σ(z_t[f])] is forgotten', 'gradients.rnn.kernel'),
      dc * Math.tanh(z[2]) * σ(z[0]) * σ(-z[0]) * x,
      'another gate is right',
    );
    const [run] = named(faults, 'rnn, dz_t[f]: the factor σ′[σ(z_t[f])] is forgotten').runs(network, problem);
    close(
      exactFault(run).whole().get('gradients.rnn.kernel')?.data[1] ?? NaN,
      dz * x,
      'derivative forgotten',
    );
    close(
      answer('dc_t: the term in_c_t has the wrong sign', 'gradients.rnn.initial.c'),
      (dc - 2 * (above?.final?.['c'].data[0] ?? NaN)) * σ(z[1]),
      'what arrives has a sign',
    );
    const [slope, sent] = [1 - Math.tanh(c1) ** 2, above?.final?.['c'].data[0] ?? NaN];
    close(
      answer('dc_t: the factor tanh′[tanh(c_t)] is applied to in_c_t as well', 'gradients.rnn.initial.c'),
      (sent + dh * σ(z[3])) * slope * σ(z[1]),
      'a factor of all terms',
    );
    close(
      answer('back to c_(t-1): z_t[i] instead of z_t[f]', 'gradients.rnn.initial.c'),
      dc * σ(z[0]),
      'another gate',
    );
    close(
      answer('back to c_(t-1): tanh(z_t[c]) instead of σ(z_t[f])', 'gradients.rnn.initial.c'),
      dc * Math.tanh(z[2]),
      'another value',
    );
    const masked = { ...problem, mask: { data: Float64Array.of(0), shape: [1, 1] } };
    const ofMasked = (name: string, of: string, way = 0): number => {
      const run = named(faults, `rnn, ${name}`).runs(network, masked)[way];
      return exactFault(run).whole().get(of)?.data[0] ?? NaN;
    };
    close(
      ofMasked('a masked step sets the state h to zero instead of keeping it', 'states.rnn'),
      0,
      'zeroed',
    );
    close(
      ofMasked('a masked step changes the state c as any other step does', 'final.rnn.c'),
      c1,
      'not kept',
    );
    close(ofMasked('a masked step sends no gradient on', 'gradients.rnn.initial.h'), 0, 'an end');
    const adds = 'masked steps add to the gradients of the weights';
    close(ofMasked(adds, 'gradients.rnn.initial.c', 3), sent, 'what is sent on is right');
    close(
      ofMasked('the mask is ignored in the walk back', 'gradients.rnn.initial.c', 1),
      dc * σ(z[1]),
      'from the states that the step computed',
    );
  });

  it('at one time step: that step is wrong, and the steps before it are right', () => {
    const network = oneLayer(gru(), 2, 3);
    const problem = generatedProblem(network, 8, { batch: 2, timeSteps: 4 });
    const right = exactFault({ network, problem }).whole().get('states.rnn');
    const fault = named(faultsOf(network), 'rnn, h_t: σ(z_t[z]) and 1 - σ(z_t[z]) are exchanged').atStep?.(2);
    const [run] = fault?.runs(network, problem) ?? [];
    const steps = exactFault(run)
      .whole()
      .get('states.rnn')
      ?.data.map((v, i) => v - (right?.data[i] ?? NaN));
    const wrong = (t: number): boolean =>
      steps?.subarray(t * 3, (t + 1) * 3).some((x) => Math.abs(x) > 1e-6) ?? false;
    expect([0, 1, 2, 3].map(wrong)).to.deep.equal([false, false, true, true]);
  });

  it('an input that cannot show a fault is known by two exact runs', () => {
    const network = oneLayer(lstm(), 2, 3);
    const full = generatedProblem(network, 5, { batch: 3, timeSteps: 4 });
    const faults = faultsOf(network);
    const shows = (name: string, problem: NetworkProblem): boolean =>
      canShowFault(network, problem, named(faults, name));
    const { inputs, weights, labels } = full;
    const noStates: NetworkProblem = { inputs, weights, ...(labels && { labels }) };
    const unlabelled: NetworkProblem = { inputs, weights };
    const without = (bias: number): NetworkProblem => ({
      ...full,
      weights: {
        ...full.weights,
        rnn: { ...full.weights['rnn'], bias: { data: new Float64Array(12).fill(bias), shape: [12] } },
      },
    });
    expect(shows('the mask is ignored', full)).to.equal(false);
    expect(shows('rnn, the initial state c is ignored', full)).to.equal(true);
    expect(shows('rnn, the initial state c is ignored', noStates)).to.equal(false);
    expect(shows('rnn, z_t: the term bias is forgotten', without(0))).to.equal(false);
    expect(shows('rnn, z_t: the term bias is forgotten', without(0.5))).to.equal(true);
    expect(shows('rnn, z_t: the weights of i and f are exchanged', full)).to.equal(true);
    expect(shows('rnn, dz_t[f]: the factor dc_t is forgotten', unlabelled)).to.equal(false);
  });
});
