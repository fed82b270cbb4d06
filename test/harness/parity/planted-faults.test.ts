import { expect } from 'chai';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { runParity } from '../../../harness/parity/index';
import { suiteProblems } from '../../../harness/problems/digits/index';
import type { Evaluation, Implementation, Problem } from '../../../harness/base/problem';
import { canShow, plant, catalogue } from '../../../harness/faults/index';
import { loadBackend } from '../../../src/index';
import { testedBackends } from '../../support/backends';

/** Answers each problem once: the honest answer is the same under every fault. */
function remembering(host: Implementation): Implementation {
  const known = new Map<string, Promise<Evaluation>>();
  return {
    ...host,
    evaluate: (problem: Problem) => {
      const answer = known.get(problem.id) ?? Promise.resolve(host.evaluate(problem));
      known.set(problem.id, answer);
      return answer;
    },
  };
}

const options = { only: 'generated/00?', cases: 4, power: false, diagnoses: 0 } as const;

async function exitCodeOf(implementation: Implementation): Promise<number> {
  const side = { implementation };
  const sides = [{ name: implementation.name, required: true, open: () => Promise.resolve(side) }];
  return (await runParity({ ...options, sides })).exitCode;
}

const hosts = ['scratch', ...testedBackends];

function describeFaultsOn(name: string, place: number, open: () => Promise<Implementation>): void {
  describe(`planted faults, ${name}`, () => {
    let host: Implementation;
    before(async () => {
      host = remembering(await open());
    });
    it('without a fault: parity', async () => {
      expect(await exitCodeOf(host)).to.equal(0);
    });
    it('with one: rejected, this side’s share of the faults that these problems can show', async () => {
      const problems = await suiteProblems(1, options.cases, (id) => /^generated\/00.$/.test(id));
      const shown = catalogue.filter(
        (fault) =>
          fault.calls === undefined && problems.some((problem) => canShow(fault, problem, host.precision)),
      );
      expect(shown.length).to.be.at.least(50);
      // each on one of the sides; the trial (test/harness/trial) plants them on all
      for (const fault of shown.filter((_, i) => i % hosts.length === place))
        expect(await exitCodeOf(plant(fault, host)), `${fault.name}: ${fault.words}`).to.equal(1);
    });
  });
}

describeFaultsOn('scratch', 0, () => Promise.resolve({ ...scratchImplementation(), name: 'float64 side' }));
testedBackends.forEach((backend, i) => {
  describeFaultsOn(`tfjs:${backend}`, i + 1, async () => tfjsImplementation(await loadBackend(backend)));
});
