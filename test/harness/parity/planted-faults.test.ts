import { expect } from 'chai';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { runParity } from '../../../harness/parity/index';
import { generatedProblem } from '../../../harness/problems/index';
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

async function exitCodeOf(implementation: Implementation, problems: readonly Problem[]): Promise<number> {
  const side = { implementation };
  const sides = [{ name: implementation.name, required: true, open: () => Promise.resolve(side) }];
  return (await runParity({ problems, sides, power: false, diagnoses: 0 })).exitCode;
}

/** The same for every side and fault: what is derived from a problem is derived once. */
const problems = Array.from({ length: 4 }, (_, i) => generatedProblem(1, i));

const hosts = ['scratch', ...testedBackends];

function describeFaultsOn(name: string, place: number, open: () => Promise<Implementation>): void {
  describe(`planted faults, ${name}`, () => {
    let host: Implementation;
    before(async () => {
      host = remembering(await open());
    });
    it('without a fault: parity', async () => {
      expect(await exitCodeOf(host, problems)).to.equal(0);
    });
    it('with one: rejected by a problem that can show it, this side’s share of the faults', async () => {
      let shown = 0;
      // each on one of the sides; the trial (test/harness/trial) plants them on all
      for (const fault of catalogue.filter((_, i) => i % hosts.length === place)) {
        const able = problems.filter((one) => canShow(fault, one, host.precision));
        if (fault.calls !== undefined || able.length === 0) continue;
        shown++;
        let exitCode = 0;
        for (const problem of able) exitCode ||= await exitCodeOf(plant(fault, host), [problem]);
        expect(exitCode, `${fault.name}: ${fault.words}`).to.equal(1);
      }
      expect(shown).to.be.at.least(12);
    });
  });
}

describeFaultsOn('scratch', 0, () => Promise.resolve({ ...scratchImplementation(), name: 'float64 side' }));
testedBackends.forEach((backend, i) => {
  describeFaultsOn(`tfjs:${backend}`, i + 1, async () => tfjsImplementation(await loadBackend(backend)));
});
