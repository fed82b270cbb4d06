import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatCase, mostBytes, readCaseFile, type CaseToWrite } from '../../../harness/fuzz/case-file';
import { mergeSummaries } from '../../../harness/fuzz/merge';
import { put } from '../../../harness/fuzz/judge-problem';
import { replayCase } from '../../../harness/fuzz/replay';
import { runFuzz, type FuzzOptions } from '../../../harness/fuzz/run';
import { keepCase } from '../../../harness/fuzz/save-case';
import { fuzzCase, type FuzzCase } from '../../../harness/fuzz/series';
import type { FuzzSummary } from '../../../harness/fuzz/summary';
import { formatFuzzSummary } from '../../../harness/fuzz/summary-text';
import { whereIn } from '../../../harness/diagnosis/index';
import { UsageError } from '../../../harness/base/outcome';
import { CandidateError, UnansweredError } from '../../../harness/base/side-errors';
import type { Implementation, Problem } from '../../../harness/base/problem';
import { fuzzSide, sideWith } from './sides';

describe('rnn-parity fuzz', () => {
  let out: string;
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'rnn-parity-fuzz-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  const run = (side: Implementation, options: Partial<FuzzOptions> = {}): Promise<FuzzSummary> =>
    runFuzz({ sides: [fuzzSide(side)], plan: { cases: 12 }, out, ...options });

  /** Remembers which problems it was asked. */
  const listening = (side: Implementation): { side: Implementation; asked: Set<string> } => {
    const asked = new Set<string>();
    const evaluate: Implementation['evaluate'] = (problem) => {
      if (/^fuzz\/\d+\/\d+$/.test(problem.id)) asked.add(problem.id);
      return side.evaluate(problem);
    };
    return { side: { ...side, evaluate }, asked };
  };

  it('a right side is right in all, and no file is written', async () => {
    const summary = await run(sideWith());
    expect(summary).to.deep.include({ verdict: 'parity', exitCode: 0, faults: [] });
    expect(summary.sides[0]).to.include({ cases: 12, fail: 0, errors: 0 });
    expect(summary.sides[0].pass).to.be.greaterThan(9);
    expect(readdirSync(out)).to.deep.equal([]);
  });

  it('three shards ask the same problems as one run, each once, and their merged summary is that of one run', async () => {
    const whole = listening(sideWith('carry/accumulated'));
    const [shrinkSeconds, plan] = [0, { cases: 9 }];
    const one = await run(whole.side, { plan, shrinkSeconds });
    const parts = [1, 2, 3].map((index) => ({
      shard: { index, of: 3 },
      ...listening(sideWith('carry/accumulated')),
    }));
    const summaries: FuzzSummary[] = [];
    for (const { side, shard } of parts) summaries.push(await run(side, { plan, shard, shrinkSeconds }));
    expect(parts.flatMap(({ asked }) => [...asked]).sort()).to.deep.equal([...whole.asked].sort());
    expect(parts.reduce((sum, { asked }) => sum + asked.size, 0)).to.equal(9);

    const merged = mergeSummaries([summaries[2], summaries[0], summaries[1]]);
    const { pass, ill, fail, compared, failures } = merged.sides[0];
    expect({ pass, ill, fail, compared }).to.deep.equal({
      pass: one.sides[0].pass,
      ill: one.sides[0].ill,
      fail: one.sides[0].fail,
      compared: one.sides[0].compared,
    });
    const plain = (groups: typeof failures): unknown =>
      groups.map(({ signature, count, first }) => [signature, count, first]);
    expect(plain(failures)).to.deep.equal(plain(one.sides[0].failures));
    expect(merged).to.include({ verdict: 'mismatch', exitCode: 1 });
  });

  it('merging refuses gaps, twice the same shard, other divisions, other seeds and versions, and cut shards', async () => {
    const part = (index: number, of: number, options: Partial<FuzzOptions> = {}): Promise<FuzzSummary> =>
      run(sideWith(), { plan: { cases: 4 }, shard: { index, of }, ...options });
    const [a, b] = [await part(1, 2), await part(2, 2)];
    expect(mergeSummaries([a, b]).exitCode).to.equal(0);
    const refuse = (summaries: readonly FuzzSummary[], reason: RegExp): void => {
      expect(() => mergeSummaries(summaries)).to.throw(UsageError, reason);
    };
    refuse([b], /one is missing: 1;/);
    refuse([a, a, b], /shard 1 of 2 was given twice/);
    refuse([a, await part(2, 4)], /overlap/);
    refuse([a, await part(2, 2, { seed: 9 })], /differ in seed/);
    refuse([a, await part(2, 2, { plan: { cases: 6 } })], /differ in plan/);
    refuse([a, { ...b, versions: { ...b.versions, node: 'v1' } }], /differ in versions/);
    refuse([a, { ...b, shards: [{ ...b.shards[0], cases: 1 }] }], /cut short after 1 of 2/);
    refuse(
      [a, { ...b, sides: b.sides.map((side) => ({ ...side, status: 'not run' as const })) }],
      /different sides/,
    );
    refuse([], /no summary/);
  });

  it('stopped by its signal, it sums up what was done and is not taken for a pass', async () => {
    const controller = new AbortController();
    const right = sideWith();
    const evaluate: Implementation['evaluate'] = (problem) => {
      if (problem.id === 'fuzz/1/3') controller.abort();
      return right.evaluate(problem);
    };
    const summary = await run({ ...right, evaluate }, { signal: controller.signal });
    expect(summary).to.include({ verdict: 'interrupted', exitCode: 130 });
    expect(summary.shards[0]).to.include({ cases: 4, interrupted: true });
    expect(() => mergeSummaries([summary])).to.throw(/cut short after 4 of 12/);
  });

  it('stopped during its last problem, it is whole, unless the signal ended the candidate as well', async () => {
    const right = sideWith();
    const stopped = async (end: () => void): Promise<FuzzSummary> => {
      const controller = new AbortController();
      const evaluate: Implementation['evaluate'] = (problem) => {
        controller.abort();
        end();
        return right.evaluate(problem);
      };
      return run({ ...right, evaluate }, { plan: { cases: 1 }, signal: controller.signal });
    };
    const whole = await stopped(() => undefined);
    expect(whole).to.include({ verdict: 'parity', exitCode: 0 });
    expect(whole.shards[0]).to.include({ cases: 1, interrupted: false });
    const cut = await stopped(() => {
      throw new CandidateError('ended by SIGINT', true);
    });
    expect(cut).to.include({ verdict: 'interrupted', exitCode: 130 });
  });

  it('saves what it found so far, as an interrupted run, in case that it is killed', async () => {
    const saved: FuzzSummary[] = [];
    const save = {
      everySeconds: 0,
      write: (summary: FuzzSummary) => Promise.resolve(void saved.push(summary)),
    };
    const summary = await run(sideWith(), { plan: { cases: 3 }, save });
    expect(saved.map(({ verdict, shards }) => [verdict, shards[0].cases])).to.deep.equal([
      ['interrupted', 1],
      ['interrupted', 2],
      ['interrupted', 3],
    ]);
    expect(saved[1].sides[0]).to.include({ cases: 2, fail: 0 });
    expect(summary).to.include({ verdict: 'parity' });
  });

  it('sides that compute elsewhere are asked at the same time, several problems each, and the first failure is the one that is saved', async () => {
    let [under, most] = [0, 0];
    const shapes: string[] = [];
    const slowly = (called: string, fault?: string): FuzzOptions['sides'][number] => {
      const side = sideWith(fault);
      // later problems are answered first
      const evaluate: Implementation['evaluate'] = async (problem) => {
        most = Math.max(most, ++under);
        if (called === 'one' && /^fuzz\/1\/\d+$/.test(problem.id)) shapes.push(problem.inputs.shape.join());
        await new Promise((resolve) => setTimeout(resolve, 8 - (Number(problem.id.split('/')[2]) || 0)));
        under--;
        return side.evaluate(problem);
      };
      const implementation = { ...side, name: called, evaluate };
      const open = () => Promise.resolve({ implementation, isElsewhere: true });
      return { source: { name: called, required: true, open } };
    };
    const summary = await runFuzz({
      sides: [slowly('one'), slowly('other', 'carry/accumulated')],
      ...{ networks: { shapes: 2 }, plan: { cases: 6 }, out, shrinkSeconds: 0 },
    });
    expect(most).to.be.above(6);
    // the problems of one shape come one after the other: a device keeps the programs that it used last
    expect(shapes).to.have.lengthOf(6);
    expect(shapes.filter((shape, i) => shape !== shapes[i - 1])).to.have.lengthOf(2);
    expect(formatFuzzSummary(summary)).to.match(/^seed 1: 6 generated problems of 2 shapes\n/);
    const [one, other] = summary.sides;
    expect(one).to.include({ cases: 6, fail: 0, errors: 0 });
    const alone = await run(sideWith('carry/accumulated'), {
      ...{ networks: { shapes: 2 }, plan: { cases: 6 }, shrinkSeconds: 0 },
    });
    const plain = (groups: typeof other.failures): unknown =>
      groups.map(({ signature, count, first }) => [signature, count, first]);
    expect(other.failures).to.not.be.empty;
    expect(plain(other.failures)).to.deep.equal(plain(alone.sides[0].failures));
    const { found, problem } = await readCaseFile(other.failures[0].file!);
    expect(found.networks).to.deep.equal({ shapes: 2 });
    expect(problem).to.deep.equal(fuzzCase(1, other.failures[0].first, { shapes: 2 }).problem);
  });

  it('masked problems are left out, and counted, for a side that does not take masks', async () => {
    const summary = await run(sideWith(), { sides: [fuzzSide(sideWith(), false)] });
    const masked = Array.from({ length: 12 }, (_, i) => fuzzCase(1, i)).filter(({ problem }) => problem.mask);
    expect(summary.sides[0]).to.include({ cases: 12 - masked.length });
    expect(Object.values(summary.sides[0].left)).to.deep.equal([masked.length]);
    expect(summary.exitCode).to.equal(0);
  });

  it('a problem that a side of ours does not answer in one of its views is an error, and one that takes too long is not simplified', async () => {
    for (const error of [new Error('lost'), new UnansweredError('not answered')]) {
      const right = sideWith();
      let asked = 0;
      const evaluate: Implementation['evaluate'] = (problem) => {
        asked++;
        if (problem.id.endsWith('step by step')) throw error;
        return right.evaluate(problem);
      };
      const side = { ...right, evaluate };
      const summary = await run(side, { plan: { cases: 3 }, shrinkSeconds: 1 });
      const [{ pass, ill, errors, failures }] = summary.sides;
      expect({ pass, ill, errors }, error.name).to.deep.equal({ pass: 0, ill: 0, errors: 3 });
      expect(summary.exitCode).to.equal(2);
      expect(failures.map((group) => group.error)).to.deep.equal([error.message]);
      if (error instanceof UnansweredError) expect(asked).to.be.at.most(9);
      // a candidate of fixed sizes may refuse a problem of other sizes; no answer in time is no refusal
      const { problem } = fuzzCase(1, 0);
      expect((await put(side, problem, true)).verdict.status).to.equal(
        error instanceof UnansweredError ? 'error' : 'pass',
      );
    }
  });

  it('a saved case is small and replays to the identical verdict; a fixed side gives a different one', async () => {
    const wrong = sideWith('carry/accumulated');
    const summary = await run(wrong, { plan: { cases: 3 } });
    const file = summary.sides[0].failures[0].file ?? '';
    expect(statSync(file).size).to.be.lessThan(mostBytes);
    const { found, problem } = await readCaseFile(file);
    const again = await replayCase(found, problem, [{ implementation: wrong }]);
    expect(again.exitCode).to.equal(1);
    expect(again.replays[0]).to.deep.include({ identical: true, differences: {} });
    const fixed = await replayCase(found, problem, [{ implementation: sideWith() }]);
    expect(fixed.exitCode).to.equal(0);
    expect(fixed.replays[0]).to.include({ identical: false });
    const other = await replayCase(found, problem, [{ implementation: sideWith('carry/negated') }]);
    expect(other.replays[0].identical).to.equal(false);
    // the first format called failing tensors red
    const { failing: red, ...verdict } = found.verdict;
    const first = { ...found, format: 'rnn-parity-case/1', verdict: { ...verdict, red } };
    writeFileSync(file, JSON.stringify(first));
    expect((await readCaseFile(file)).found).to.deep.equal(found);
    const older = { ...found, versions: { ...found.versions, node: 'v1' } };
    const { differences } = (await replayCase(older, problem, [{ implementation: wrong }])).replays[0];
    expect(differences).to.deep.equal({ node: { then: 'v1', now: process.version } });
  });

  it('says of a saved failure where it begins, at which step, what it looks like and which side made it', async () => {
    const summary = await run(sideWith('carry/dropped'), { plan: { cases: 3 } });
    const told = summary.sides[0].failures.find(({ tensor }) => tensor === 'dPreActivations');
    expect(told).to.include({ phase: 'backward', side: 'mine' });
    expect(told?.kind).to.deep.equal(['carry/dropped']);
    // dz of the last step is right, as nothing is carried into it
    const { timeSteps } = told?.sizes ?? { timeSteps: 0 };
    expect(told?.timeSteps?.at(-1)).to.be.below(timeSteps - 1);
    const { found } = await readCaseFile(told?.file ?? '');
    expect(found.diagnosis).to.deep.include({
      phase: 'backward',
      tensor: 'dPreActivations',
      formula: 'dz_t = dh_t ∘ tanh′[h_t], dh_t = what arrives from above and from step t+1',
      timeSteps: told?.timeSteps,
      side: 'mine',
    });
    expect(formatFuzzSummary(summary)).to.match(
      /dPreActivations is wrong \(backward; looks like carry\/dropped; at fault: mine\): \d+ problems?, first number \d+; shrunk to B 1, T \d.* and wrong at time step 0\n/,
    );
    const merged = mergeSummaries([summary]).sides[0].failures.find(
      ({ signature }) => signature === told?.signature,
    );
    expect(merged).to.deep.equal(told);
  });

  it('orders failing tensors by the computation, in which dz_t comes before the tensors made from it', async () => {
    const { problem } = fuzzCase(1, 0);
    const { verdict } = await put(sideWith('carry/dropped'), problem);
    const rankOf = (tensor: string): number => whereIn(problem, tensor).rank;
    const ranks = verdict.failing
      .filter(({ view }) => view === verdict.failing[0].view)
      .map(({ tensor }) => tensor);
    expect(ranks).to.deep.equal([...ranks].sort((one, other) => rankOf(one) - rankOf(other)));
    const order = ['states', 'loss', 'dPreActivations', 'gradients.bias', 'gradients.inputs', 'of nobody'];
    expect([...order].reverse().sort((one, other) => rankOf(one) - rankOf(other))).to.deep.equal(order);
  });

  it('a case never overwrites another, and a changed one is refused', async () => {
    const wrong = sideWith('carry/dropped');
    const quick = { shrinkSeconds: 0, plan: { cases: 3 } };
    const files = [await run(wrong, quick), await run(wrong, quick)].map(
      ({ sides }) => sides[0].failures[0].file ?? '',
    );
    expect(new Set(files).size).to.equal(2);
    expect(readFileSync(files[0], 'utf8')).to.equal(readFileSync(files[1], 'utf8'));
    const text = readFileSync(files[0], 'utf8');
    const changed = JSON.parse(text) as { problem: { weights: { bias: number[] } } };
    changed.problem.weights.bias = changed.problem.weights.bias.map((x) => x + 0.25);
    writeFileSync(files[0], JSON.stringify(changed));
    const refused = async (): Promise<string> =>
      readCaseFile(files[0]).then(
        () => 'taken',
        (error: unknown) => (error instanceof UsageError ? error.message : String(error)),
      );
    expect(await refused()).to.contain('sha256 differs');
    for (const networks of [null, 'lstm:2', { layers: 5 }, { cell: 5 }, {}, { shapes: 0.5 }]) {
      writeFileSync(files[0], JSON.stringify({ ...(JSON.parse(text) as object), networks }));
      expect(await refused()).to.contain('lacks networks');
    }
    writeFileSync(files[0], text.slice(0, 100));
    expect(await refused()).to.contain('is not JSON');
  });

  it('a case of a side with a long name is saved, and one that cannot be written leaves no empty file', async () => {
    const { problem, caseSeed, id } = fuzzCase(1, 0);
    const finding = await put(sideWith('carry/dropped'), problem);
    const kept = (folder: string): Promise<string> =>
      keepCase(
        folder,
        { problem, finding, shrinking: { tries: 0, ended: 'not asked', path: '0' } },
        { id, side: { name: 'm'.repeat(300) }, versions: {}, seed: 1, index: 0, caseSeed },
      );
    expect((await readCaseFile(await kept(out))).problem).to.deep.equal(problem);
    // the longest path that the system takes, so that the file has room, and what is written alongside does not
    let deep = out;
    while (deep.length < 3700) deep = join(deep, 'd'.repeat(200));
    deep = join(deep, 'd'.repeat(4095 - 126 - deep.length - 2));
    const message = await kept(deep).then(String, (error: unknown) => (error as Error).message);
    expect(message).to.match(/cannot be written \(ENAMETOOLONG/);
    expect(readdirSync(deep)).to.deep.equal([]);
    // and a run that cannot save its cases does not lose what it found
    writeFileSync(join(out, 'file'), '');
    const wrong = { sides: [fuzzSide(sideWith('carry/dropped'))], plan: { cases: 2 }, shrinkSeconds: 0 };
    const summary = await runFuzz({ ...wrong, out: join(out, 'file') });
    expect(summary).to.include({ verdict: 'mismatch', exitCode: 1 });
    expect(summary.sides[0].failures[0]).to.not.have.property('file');
    expect(formatFuzzSummary(summary)).to.match(
      /\n *not saved: the case 1-\d-mine\.json cannot be written to/,
    );
  });

  it('a case too large for its file goes without answers, then without its numbers, and says so', async () => {
    const wrong = sideWith('carry/dropped');
    const products = ({ problem }: FuzzCase<Problem>): number =>
      problem.inputs.data.length + problem.weights.recurrentKernel.data.length;
    const cases = Array.from({ length: 300 }, (_, i) => fuzzCase(4, i)).filter(
      ({ problem }) => problem.upstream,
    );
    cases.sort((one, other) => products(one) - products(other));
    const kept = new Set<string>();
    for (const given of [
      cases[cases.length >> 1],
      cases[Math.floor(0.8 * cases.length)],
      cases[cases.length - 1],
    ]) {
      const { verdict, examination } = await put(wrong, given.problem);
      const toWrite: CaseToWrite = {
        id: given.id,
        side: { name: 'mine' },
        versions: {},
        seed: 4,
        index: given.index,
        fastCheck: { seed: given.caseSeed, path: '0' },
        shrinking: { tries: 0, ended: 'not asked' },
        verdict,
        problem: given.problem,
        reference: examination?.reference,
        given: examination?.results?.answer,
      };
      const text = formatCase(toWrite);
      expect(Buffer.byteLength(text)).to.be.at.most(mostBytes);
      const file = join(out, 'case.json');
      writeFileSync(file, text);
      const { found, problem } = await readCaseFile(file);
      expect(problem).to.deep.equal(given.problem);
      kept.add(found.problem === undefined ? 'by seed and path' : 'with its numbers');
    }
    expect([...kept].sort()).to.deep.equal(['by seed and path', 'with its numbers']);
  });
});
