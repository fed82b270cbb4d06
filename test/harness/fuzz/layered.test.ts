import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatLayers, parseLayers } from '../../../harness/base/layers-text';
import { layeredTables } from '../../../harness/base/layered';
import { partsOfLayers } from '../../../harness/base/model';
import { UsageError } from '../../../harness/base/outcome';
import {
  isLayered,
  mapParts,
  mapProblem,
  partOf,
  partsOf,
  tensorOf,
  type Implementation,
  type LayeredProblem,
} from '../../../harness/base/problem';
import { referenceFor } from '../../../harness/examine/index';
import { mostBytes, readCaseFile } from '../../../harness/fuzz/case-file';
import { replayCase } from '../../../harness/fuzz/replay';
import { runFuzz, type FuzzOptions } from '../../../harness/fuzz/run';
import { fuzzCase, problemAt } from '../../../harness/fuzz/series';
import { sizeMoves } from '../../../harness/fuzz/simpler-form';
import { modelMoves } from '../../../harness/fuzz/simpler-model';
import type { FuzzSummary } from '../../../harness/fuzz/summary';
import { formatFuzzSummary } from '../../../harness/fuzz/summary-text';
import { keep, type Networks } from '../../../harness/problems/index';
import { candidateImplementation } from '../../../harness/sides/candidate/index';
import { scratchImplementation } from '../../../harness/sides/index';
import { ownCell, ownCellCandidate, ownCellMistakes } from '../../support/own-cell';
import { fuzzSide } from './sides';

const any: Networks = { layers: 'any' };
const problems = Array.from({ length: 150 }, (_, i) => fuzzCase(3, i, any).problem as LayeredProblem);

/** Whether every tensor has the shape that the model and the sizes of the inputs ask for. */
function isWhole(problem: LayeredProblem): boolean {
  const { parts, layers } = layeredTables(problem);
  const { width, hasTime } = layers[layers.length - 1].output;
  const [batch, timeSteps] = problem.inputs.shape;
  const right = partsOf(problem).every(
    (name) =>
      partOf(problem, name)?.shape.join() ===
      parts
        .get(name)
        ?.map(({ size }) => size)
        .join(),
  );
  const rows = hasTime ? batch * timeSteps : batch;
  const { labels } = problem;
  const labelled = labels === undefined || (labels.length === rows && labels.every((label) => label < width));
  const weights = [...parts.keys()].filter((name) => name.startsWith('weights.'));
  return right && labelled && weights.every((name) => partOf(problem, name) !== undefined);
}

describe('rnn-parity fuzz on networks of layers: the problems', () => {
  it('hold every layer, long sequences, wide layers, masks, states, losses; each is whole and has an answer', () => {
    const texts = problems.map(({ model }) => formatLayers(model.layers));
    for (const [i, { model }] of problems.entries())
      expect(parseLayers(texts[i], '--layers')).to.deep.equal(model.layers);
    const words = new Set(texts.join().match(/[a-z]\w+/gi));
    for (const word of ['simpleRNN', 'lstm', 'gru', 'bidirectional', 'dense', 'timeDistributed', 'embedding'])
      expect(words).to.include(word);
    for (const word of [
      'resetAfter',
      'goBackwards',
      'mergeMode',
      'maskZero',
      'useBias',
      'biases',
      'activation',
    ])
      expect(words).to.include(word);
    expect(Math.max(...problems.map(({ inputs }) => inputs.shape[1]))).to.be.within(50, 60);
    const units = problems.flatMap(({ model }) =>
      partsOfLayers(model).flatMap(({ states }) => Object.values(states)),
    );
    expect(Math.max(...units)).to.be.within(28, 32);
    for (const part of ['mask', 'initialStates', 'labels', 'targets', 'upstream'] as const) {
      const having = problems.filter((problem) => problem[part] !== undefined).length;
      expect(having, part).to.be.within(15, 135);
    }
    const ofSteps = problems.filter(({ labels, inputs }) => labels && labels.length > inputs.shape[0]);
    expect(ofSteps.length).to.be.above(10);
    for (const problem of problems) {
      expect(isWhole(problem), problem.id).to.equal(true);
      expect(mapProblem(problem, (x) => (Object.is(Math.fround(x), x) ? 0 : 1))).to.deep.equal(
        mapProblem(problem, () => 0),
      );
    }
    for (const problem of problems.slice(0, 60)) expect(referenceFor(problem)).to.have.property('logits');
  });

  it('are about the network that is given, * is another number for each, and any(...) holds no other layer', () => {
    const of = (layers: string): string[] =>
      Array.from({ length: 12 }, (_, i) =>
        formatLayers((fuzzCase(1, i, { layers }).problem as LayeredProblem).model.layers),
      );
    expect(new Set(of('lstm:5,dense:2'))).to.deep.equal(new Set(['lstm:5,dense:2']));
    const drawn = of('bidirectional(gru:*),lstm:3');
    expect(
      drawn.every((text) => /^bidirectional\(gru:\d+:returnSequences=true\),lstm:3$/.test(text)),
    ).to.equal(true);
    expect(new Set(drawn).size).to.be.above(6);
    expect(of('any(gru,dense)').every((text) => !/lstm|RNN|bidir|embed|Distr/.test(text))).to.equal(true);
    expect(() => of('any(lstn)')).to.throw(/"lstn"; networks can be drawn from simpleRNN, lstm/);
    expect(() => of('any(bidirectional)')).to.throw(/holds no layer that computes/);
    expect(() => of('lstm:2:returnSequences=maybe')).to.throw(
      UsageError,
      /^--layers: .*returnSequences is "maybe"/,
    );
    expect(() => parseLayers('lstm:*', '--layers')).to.throw(/whole numbers above 0/);
  });

  it('a size that shrinks leaves every tensor, and examples and first steps have the answers that they had', () => {
    let cut = 0;
    for (const problem of problems.slice(0, 40))
      for (const move of sizeMoves(problem).filter((_, i) => i % 7 === 0)) {
        expect(isWhole(move() as LayeredProblem), problem.id).to.equal(true);
        cut++;
      }
    expect(cut).to.be.above(200);
    const forward = problems.filter(
      ({ model, inputs }) =>
        inputs.shape[0] > 2 && inputs.shape[1] > 3 && !/bidir|goBack/.test(formatLayers(model.layers)),
    );
    let compared = 0;
    for (const problem of forward.slice(0, 8)) {
      const whole =
        tensorOf(referenceFor(problem), 'sequences.layer1.h') ??
        tensorOf(referenceFor(problem), 'sequences.layer2.h');
      const part = keep(keep(problem, 'timeStep', [0, 1]), 'example', [2]);
      const answer = referenceFor(part);
      const own = tensorOf(answer, 'sequences.layer1.h') ?? tensorOf(answer, 'sequences.layer2.h');
      if (whole === undefined || own === undefined) continue;
      const [, T, U] = whole.shape;
      expect(own.data).to.deep.equal(whole.data.slice(2 * T * U, 2 * T * U + 2 * U));
      compared++;
    }
    expect(compared).to.be.above(5);
  });

  it('units that go, go from every gate of their layer and from the rows of the next one', () => {
    const layers = parseLayers('bidirectional(lstm:3),gru:2', '--layers');
    const made = fuzzCase(1, 0, { layers: formatLayers(layers) }).problem as LayeredProblem;
    // every number tells its column, and the thousands its row
    const coded = mapParts(made, ({ data, shape }) => ({
      data: data.map(
        (_, i) => (i % shape[shape.length - 1]) + 1000 * Math.floor(i / shape[shape.length - 1]),
      ),
      shape,
    }));
    const { model, weights } = keep(coded, 'layer1', [0, 2]);
    expect(formatLayers(model.layers)).to.equal('bidirectional(lstm:2:returnSequences=true),gru:2');
    expect(Array.from(weights[0]['forwardBias'].data)).to.deep.equal([0, 2, 3, 5, 6, 8, 9, 11]);
    expect(weights[0]['backwardRecurrentKernel'].shape).to.deep.equal([2, 8]);
    expect(weights[0]['backwardRecurrentKernel'].data[8]).to.equal(2000);
    const { data, shape } = weights[1]['kernel'];
    expect(Array.from({ length: shape[0] }, (_, row) => data[row * shape[1]])).to.deep.equal([
      0, 2000, 3000, 5000,
    ]);
  });

  it('a network without a layer, or with an option less, is whole again', () => {
    const texts = new Set<string>();
    for (const problem of problems)
      for (const move of modelMoves(problem)) {
        const simpler = move() as LayeredProblem | undefined;
        if (simpler === undefined) continue;
        expect(isWhole(simpler), formatLayers(problem.model.layers)).to.equal(true);
        texts.add(formatLayers(simpler.model.layers));
      }
    expect(texts.size).to.be.above(200);
  });
});

/** The network by hand with the blocks of two gates of every LSTM exchanged. */
function exchangedGates(): Implementation {
  const host = scratchImplementation();
  const layered = host.layered;
  if (layered === undefined) throw new Error('scratch runs networks of layers');
  const exchanged = (problem: LayeredProblem): LayeredProblem =>
    mapParts(problem, (tensor, name) => {
      const layer = /^weights\.layer(\d+)\.\w*[kK]ernel$/.exec(name)?.[1];
      const axes = layeredTables(problem).parts.get(name)?.at(-1);
      if (layer === undefined || axes?.gates?.join() !== 'i,f,c,o') return tensor;
      const columns = tensor.shape[1];
      const units = columns / 4;
      const order = [1, 0, 2, 3];
      return {
        data: tensor.data.map((_, i) => {
          const column = i % columns;
          return tensor.data[i - column + order[Math.floor(column / units)] * units + (column % units)];
        }),
        shape: tensor.shape,
      };
    });
  return {
    ...host,
    name: 'mine',
    layered: { ...layered, evaluate: (problem) => layered.evaluate(exchanged(problem)) },
  };
}

describe('rnn-parity fuzz on networks of layers', () => {
  let out: string;
  beforeEach(() => (out = mkdtempSync(join(tmpdir(), 'rnn-parity-fuzz-'))));
  afterEach(() => rmSync(out, { recursive: true }));

  const run = (side: Implementation, options: Partial<FuzzOptions>): Promise<FuzzSummary> =>
    runFuzz({ sides: [fuzzSide(side)], plan: { cases: 8 }, out, ...options });

  it('a right side is right on every network', async () => {
    const summary = await run({ ...scratchImplementation(), name: 'mine' }, { networks: any });
    expect(summary).to.deep.include({ verdict: 'parity', exitCode: 0, networks: any });
    expect(formatFuzzSummary(summary)).to.match(/^seed 1: 8 generated problems about any\n/);
  });

  it('a mistake of one cell is reduced to that cell, saved, and replayed to the identical verdict', async () => {
    const wrong = exchangedGates();
    const summary = await run(wrong, {
      networks: { layers: 'any(lstm,gru,bidirectional,dense)' },
      plan: { cases: 5 },
      shrinkSeconds: 30,
    });
    const [failure] = summary.sides[0].failures;
    expect(failure.signature).to.equal('forward: lstm.h (results)');
    expect(failure.sizes).to.include({ batch: 1, features: 1 });
    expect(failure.side).to.equal('mine');
    const text = readFileSync(failure.file ?? '', 'utf8');
    expect(text.length).to.be.below(mostBytes);
    const { found, problem } = await readCaseFile(failure.file ?? '');
    expect(isLayered(problem)).to.equal(true);
    const { seed, path } = found.fastCheck!;
    expect(problemAt(seed, path, problem.id, found.networks)).to.deep.equal(problem);
    const again = await replayCase(found, problem, [{ implementation: wrong }]);
    expect(again).to.deep.include({ exitCode: 1 });
    expect(again.replays[0].identical).to.equal(true);
    const fixed = await replayCase(found, problem, [
      { implementation: { ...scratchImplementation(), name: 'mine' } },
    ]);
    expect(fixed.exitCode).to.equal(0);
    expect(formatFuzzSummary(summary)).to.match(/shrunk to B 1, T \d, F 1, lstm:1/);
  }).timeout(60_000);

  it("a user's own cell is held to its formulas: right, and with each of four mistakes", async () => {
    const networks: Networks = { cell: ownCell };
    const right = await run(candidateImplementation(ownCellCandidate()), { networks, plan: { cases: 5 } });
    expect(right).to.include({ verdict: 'parity' });
    expect(right.sides[0].pass).to.be.above(2);
    for (const [mistake, phase] of Object.entries(ownCellMistakes)) {
      const side = candidateImplementation(ownCellCandidate(mistake as keyof typeof ownCellMistakes));
      const { verdict, sides } = await run(side, { networks, shrinkSeconds: 0, plan: { cases: 2 } });
      expect(verdict, mistake).to.equal('mismatch');
      expect(sides[0].failures[0].phase, mistake).to.equal(phase);
    }
  });

  it('a candidate that declares layers is asked about networks of these, and what it refuses is counted', async () => {
    const scratch = scratchImplementation().layered;
    const layers = ['lstm', 'dense'];
    const declaring: Implementation = {
      ...scratchImplementation(),
      name: 'mine',
      layered: {
        evaluate: (problem) => scratch?.evaluate(problem) ?? {},
        declared: layers,
        refuses: ({ layers: asked }) =>
          asked.every(({ layer }) => layers.includes(layer))
            ? undefined
            : 'it does not declare gru in layers',
      },
    };
    const own = await run(declaring, { plan: { cases: 4 } });
    expect(own.networks).to.deep.equal({ layers: 'any(lstm,dense)' });
    expect(own).to.include({ verdict: 'parity' });
    const refused = await run(declaring, { networks: { layers: 'gru:2' }, plan: { cases: 3 } });
    expect(refused.sides[0]).to.deep.include({ cases: 0, left: { 'it does not declare gru in layers': 3 } });
    expect(refused.exitCode).to.equal(2);
    const cell: Implementation = { ...declaring, layered: { ...declaring.layered!, declared: ['cell'] } };
    const message = await run(cell, {}).catch((error: unknown) => String(error));
    expect(message).to.include('--equations FILE');
  });
});
