import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { faultClassOf, type FaultClassOptions } from '../../../harness/diagnosis/index';
import { scratchImplementation, tfjsImplementation } from '../../../harness/sides/index';
import { makeProblem } from '../../../harness/problems/index';
import {
  evaluationOf,
  tensorNames,
  tensorOf,
  type AnyProblem,
  type Evaluation,
  type Implementation,
  type Problem,
} from '../../../harness/base/problem';
import {
  canShow,
  equivalents,
  formula,
  gradients,
  mapTensor,
  plant,
  catalogue,
  faultsOfStep,
  runsOf,
  truncated,
  weightOff,
  type GradientName,
  type Way,
} from '../../../harness/faults/index';
import { general as byName } from '../../../harness/faults/faulty';
import { activated } from '../../../harness/faults/other-layers';
import { createRandom, weightNames } from '../../../scratch/index';
import { loadBackend } from '../../../src/index';

type Faulty = Pick<(typeof catalogue)[number], 'runs'>;

function problemOf(recipe: Partial<Parameters<typeof makeProblem>[0]> = {}): Problem {
  const sizes = { batch: 3, timeSteps: 6, features: 2, units: 4, classes: 5, scale: 1, seed: 3 };
  const parts = {
    labels: true,
    upstreamStates: false,
    upstreamFinalState: false,
    initialState: true,
    mask: false,
  };
  return makeProblem({ id: 'kind', ...sizes, ...parts, ...recipe });
}

const general = problemOf({ upstreamStates: true, upstreamFinalState: true, mask: true });
const plain = problemOf({ initialState: false, seed: 9 });
const square = problemOf({ features: 4, seed: 5 });

describe('faultClassOf', () => {
  let host: Implementation;
  before(async () => {
    host = tfjsImplementation(await loadBackend('cpu'));
  });

  async function kindOn(
    problem: Problem,
    fault: Faulty,
    options?: FaultClassOptions & { readonly calls?: boolean },
  ) {
    const sick = plant(fault, host);
    if (options?.calls === true) await sick.evaluate(problem);
    return faultClassOf(problem, await sick.evaluate(problem), host, options);
  }

  it('names every fault of the catalogue that these problems can show', async () => {
    const named = new Set<string>();
    for (const fault of [...catalogue, ...faultsOfStep(2)]) {
      const problem = [general, plain, square].find((p) => canShow(fault, p, host.precision));
      if (problem === undefined) continue;
      const kind = await kindOn(problem, fault, { calls: fault.calls === true });
      expect(kind?.names ?? [], fault.name).to.include(fault.name);
      named.add(fault.name);
    }
    expect(named.size).to.be.at.least(95);
  });

  it('finds nothing in a right answer, nor in an equivalent way to compute it', async () => {
    expect(await kindOn(general, { runs: () => [] })).to.equal(undefined);
    for (const fault of equivalents) expect(await kindOn(general, fault), fault.name).to.equal(undefined);
  });

  it('points to an anchor that is in docs/bptt.md', async () => {
    const page = readFileSync(join(__dirname, '../../../docs/bptt.md'), 'utf8');
    const kind = await kindOn(plain, truncated(2));
    expect(kind?.page).to.match(/^docs\/bptt\.md#/);
    expect(page).to.include(`<a id="${kind?.page.split('#')[1] ?? ''}"></a>`);
  });

  it('fits what a fault has of numbers: a length, a threshold, a factor, a weight', async () => {
    expect((await kindOn(plain, truncated(3)))?.names).to.include('carry/truncated-to-3-steps');
    const weight = await kindOn(
      plain,
      weightOff('kernel', 6, (x) => x * 1.003),
    );
    expect(weight?.names).to.deep.equal(['weights/one-weight-off']);
    expect(weight?.words).to.match(/one number of kernel, \[1, 2\], is too large \(by \S+, 0.3 %\)/);
    const output = await kindOn(
      plain,
      weightOff('outputBias', 2, (x) => x + 0.25),
    );
    expect(output?.words).to.match(/one number of outputBias, \[2\], is too \w+ \(by 0.25/);
    const clipping = 'the gradient of all weights is clipped to the norm 0.0625';
    const clipped = await kindOn(plain, { runs: runsOf(byName(clipping), 'backward') });
    expect(clipped?.words).to.include(clipping);
    const scaled = await kindOn(plain, scaledGradients(0.7));
    expect(scaled?.words).to.equal('the gradient of the logits is 0.7 times what it should be');
  });

  it('says nothing about what is not in the catalogue: two faults at once, noise, another formula', async () => {
    const quiet: Record<string, Way> = {
      'two faults': formula({ dz: 'dh_t', recurrentKernel: 'h_t; dz_t' }),
      '1 - h^3': formula({ dz: 'dh_t ∘ (1 - h_t ∘ h_t ∘ h_t)' }),
      'a softer tanh': activated([(z) => z / Math.sqrt(1 + z * z), (_, h) => 1 - h * h]),
    };
    for (const [name, way] of Object.entries(quiet))
      for (const problem of [general, plain])
        expect(await kindOn(problem, { runs: runsOf(way, 'forward') }), name).to.equal(undefined);
    const random = createRandom(1);
    const answer = await host.evaluate(general);
    for (const chosen of tensorNames) {
      const noisy = tensorNames.flatMap((name) => {
        const tensor = tensorOf(answer, name);
        if (tensor === undefined) return [];
        const change = (x: number): number => Math.fround(x + 1e-3 * random.normal());
        return [[name, name === chosen ? mapTensor(tensor, change) : tensor] as const];
      });
      const kind = await faultClassOf(general, evaluationOf(new Map(noisy)), host);
      // the loss is a single number, which faults of several names explain
      expect(kind?.words, chosen).to.equal(undefined);
    }
  });

  it('distinguishes by a second problem the faults that one problem cannot', async () => {
    const T = plain.inputs.shape[1];
    const sick = scaledGradients(1 / T);
    const alone = await kindOn(plain, sick);
    expect(alone?.names).to.deep.equal(['loss/divided-by-steps']);
    const host6 = plant(sick, host);
    const asked = await faultClassOf(plain, await host6.evaluate(plain), host, {
      ask: (p) => host6.evaluate(p as Problem),
    });
    expect(asked?.names ?? []).not.to.include('loss/divided-by-steps');
  });

  it('fits no number to a single wrong one, unless another answer shows it too', async () => {
    const exact = scratchImplementation();
    const off = async (problem: Problem, change: (x: number) => number): Promise<Evaluation> => {
      const answer = await exact.evaluate(problem);
      return { ...answer, ...(answer.loss && { loss: mapTensor(answer.loss, change) }) };
    };
    const named = async (change: (x: number) => number, isAsked: boolean) => {
      const ask = (p: AnyProblem): Promise<Evaluation> => off(p as Problem, change);
      return (await faultClassOf(plain, await ask(plain), exact, isAsked ? { ask } : {}))?.words;
    };
    const larger = (x: number): number => 1.0321 * x;
    expect(await named(larger, false)).to.equal(undefined);
    expect(await named(larger, true)).to.equal('the loss is 1.0321 times what it should be');
    // a penalty on any of the weights is such a constant
    expect(await named((x) => x + 0.0123, true)).to.equal(undefined);
  });

  it('finds a memory of earlier calls by asking twice', async () => {
    let found = 0;
    for (const fault of catalogue.filter(({ calls }) => calls === true)) {
      const sick = plant(fault, host);
      const first = await sick.evaluate(plain);
      const kind = await faultClassOf(plain, first, host, { ask: (p) => sick.evaluate(p as Problem) });
      expect(kind?.names ?? [], fault.name).to.include(fault.name);
      found++;
    }
    expect(found).to.equal(4);
  });

  it('puts a small problem where the failing one is large', async () => {
    const large = problemOf({ batch: 16, timeSteps: 50, features: 20, units: 32, seed: 4 });
    const carry = catalogue.find(({ name }) => name === 'carry/not-transposed');
    if (carry === undefined) throw new Error('there is no carry/not-transposed');
    const sick = plant(carry, host);
    const answer = await sick.evaluate(large);
    expect(
      (await faultClassOf(large, answer, host, { ask: (p) => sick.evaluate(p as Problem) }))?.names,
    ).to.deep.equal([carry.name]);
    expect(await faultClassOf(large, answer, host)).to.equal(undefined);
  });
});

/** Some gradients, or all of them, times a factor. */
function scaledGradients(
  factor: number,
  names: readonly GradientName[] = [...weightNames, 'inputs', 'initialState'],
): Faulty {
  return {
    runs: runsOf(
      gradients(names, (x) => x * factor),
      'backward',
    ),
  };
}
