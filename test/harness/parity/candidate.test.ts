import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import {
  CandidateError,
  loadCandidate,
  type Candidate,
  type CandidateAnswer,
} from '../../../harness/sides/candidate/index';
import { UsageError } from '../../../harness/base/outcome';
import { formatSummary, runParity, type ParityReport } from '../../../harness/parity/index';
import { generatedProblem } from '../../../harness/problems/generated';
import { rightAnswer } from '../../support/right-candidate';
import { endsSoon, until } from '../../support/process-life';
import { program } from '../../support/program';
import { temporaryDirectory } from '../../support/temporary-directory';

const right: Candidate = { name: 'mine', precision: 'float64', masks: true, evaluate: rightAnswer };
const run = (
  candidate: Candidate | string,
  only = 'generated/00?',
  timeoutSeconds = 30,
): Promise<ParityReport> => runParity({ candidate, only, timeoutSeconds });

const failed = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const isGood = ['pass', 'zero', 'omitted'];

describe('a candidate at hand', () => {
  it('that is right: parity, against the scratch network alone', async () => {
    const report = await run(right, 'generated/0?0');
    expect(report.exitCode).to.equal(0);
    expect(report.sides.map(({ name }) => name)).to.deep.equal(['mine']);
    expect(report.notes).to.deep.equal([]);
  });
  it('may give plain rows, rows of typed arrays, and promises', async () => {
    const rows = (value: unknown): unknown => {
      const { data, shape } = value as { data: Float64Array; shape: number[] };
      if (shape.length === 1) return data;
      const row = shape[shape.length - 1];
      const last = Array.from({ length: data.length / row }, (_, i) => data.slice(i * row, (i + 1) * row));
      if (shape.length === 2) return last;
      return Array.from({ length: shape[0] }, (_, b) => last.slice(b * shape[1], (b + 1) * shape[1]));
    };
    const evaluate: Candidate['evaluate'] = (problem) => {
      const { loss, gradients, ...rest } = rightAnswer(problem);
      const convert = (group: object): object =>
        Object.fromEntries(Object.entries(group).map(([name, value]) => [name, rows(value)]));
      return Promise.resolve({ ...convert(rest), loss, gradients: convert(gradients ?? {}) });
    };
    expect((await run({ ...right, evaluate })).exitCode).to.equal(0);
  });
  it('gets its own copy: the reference does not see its changes of the problem, and they are reported', async () => {
    const evaluate: Candidate['evaluate'] = (problem) => {
      const answer = rightAnswer(problem);
      problem.inputs[0][0][0] = 99;
      problem.weights.kernel.length = 0;
      return answer;
    };
    const report = await run({ ...right, evaluate });
    const { exitCode, cases } = report;
    expect(exitCode).to.equal(1);
    expect(formatSummary(report)).to.match(
      /^MISMATCH: mine differs in .*\(problem\).* was changed by evaluate: problem/m,
    );
    const red = cases.flatMap(({ tensors }) => tensors.filter(({ status }) => !isGood.includes(status)));
    expect(new Set(red.map(({ tensor }) => tensor))).to.deep.equal(new Set(['(problem)']));
    expect(red[0].reason).to.match(
      /was changed by evaluate: problem\.inputs\[0\]\[0\]\[0\] was .* and is 99/,
    );
  });
  it('without masks: true is not given masks, and the report says so', async () => {
    const seen: boolean[] = [];
    const evaluate: Candidate['evaluate'] = (problem) => {
      seen.push(problem.mask !== undefined);
      return rightAnswer(problem);
    };
    const report = await run({ ...right, masks: false, evaluate });
    expect(seen).to.not.include(true);
    expect(report.notes.join()).to.include('2 masked problems were not run on mine');
    expect(report.exitCode).to.equal(0);
  });

  const without =
    (names: (keyof CandidateAnswer)[]): Candidate['evaluate'] =>
    (problem) =>
      Object.fromEntries(
        Object.entries(rightAnswer(problem)).filter(
          ([name]) => !names.includes(name as keyof CandidateAnswer),
        ),
      );
  it('that leaves something out undeclared fails; declared, or probabilities, does not', async () => {
    expect((await run({ ...right, evaluate: without(['gradients']) })).exitCode).to.equal(1);
    expect(
      (await run({ ...right, evaluate: without(['gradients']), omits: ['gradients'] })).exitCode,
    ).to.equal(0);
    expect(
      (await run({ ...right, evaluate: without(['logits', 'loss']), omits: ['logits', 'loss'] })).exitCode,
    ).to.equal(0);
    expect((await run({ ...right, evaluate: without(['probabilities']) })).exitCode).to.equal(0);
  });

  const bad: [title: string, change: (answer: CandidateAnswer) => unknown, says: string][] = [
    ['undefined', () => undefined, 'evaluate must return an object'],
    [
      'an array that holds itself',
      (a) => {
        const states: unknown[] = [];
        states.push(states);
        return { ...a, states };
      },
      'nested more than 8 deep',
    ],
    ['a ragged tensor', (a) => ({ ...a, states: [[[1, 2], [3]]] }), 'ragged'],
    [
      'a gradient of h_0 summed over the batch',
      (a) => {
        const { data, shape } = a.gradients?.initialState as { data: Float64Array; shape: number[] };
        return { ...a, gradients: { ...a.gradients, initialState: data.slice(0, shape[1]) } };
      },
      'one row for each example (was it summed over the batch?)',
    ],
    ['another shape', (a) => ({ ...a, finalState: [[1, 2]] }), 'has shape [1, 2]'],
    [
      'a flat array that does not fill its shape',
      (a) => ({ ...a, states: { data: [1], shape: [1, 2] } }),
      '1 numbers for shape [1, 2]',
    ],
    // so many that reading them takes minutes; an array without elements costs the test nothing
    ['two million rows', (a) => ({ ...a, states: new Array(2e6) }), 'has 2000000 or more numbers'],
    [
      'a flat array of two million numbers',
      (a) => ({ ...a, states: { data: new Float32Array(2e6), shape: [2e6] } }),
      'has 2000000 or more numbers',
    ],
    [
      'two thousand fields',
      () => Object.fromEntries(new Array(2000).fill(0).map((zero, i) => [`h${i}`, zero])),
      'has 2000 fields',
    ],
    ['text', (a) => ({ ...a, states: 'h' }), 'the string "h"'],
    ['a promise inside', (a) => ({ ...a, states: Promise.resolve([]) }), 'a promise'],
    ['NaN', (a) => ({ ...a, loss: NaN }), 'numbers: NaN, expected '],
    ['null in a row', (a) => ({ ...a, logits: [[null]] }), 'null'],
    ['a loss in an array', (a) => ({ ...a, loss: [a.loss] }), 'has shape [1]'],
    ['a name nobody asked for', (a) => ({ ...a, output: a.logits }), 'was not asked for'],
    ['gradients that are an array', (a) => ({ ...a, gradients: [] }), 'an object with kernel'],
    [
      'a gradient nobody asked for',
      (a) => ({ ...a, gradients: { ...a.gradients, Wx: a.gradients?.kernel } }),
      'was not asked for',
    ],
  ];
  for (const [title, change, says] of bad) {
    it(`that answers with ${title}: fails with the reason`, async () => {
      const evaluate = (problem: Parameters<Candidate['evaluate']>[0]): CandidateAnswer =>
        change(rightAnswer(problem)) as CandidateAnswer;
      const report = await run({ ...right, evaluate }, 'edge/one-step');
      expect(report.exitCode).to.equal(1);
      expect(formatSummary(report)).to.include(says);
    });
  }

  it('that throws: an error with its message, case and place', async () => {
    const evaluate = (): never => {
      throw new TypeError('no such cell');
    };
    const report = await run({ ...right, evaluate }, 'edge/one-step');
    expect(report.exitCode).to.equal(2);
    expect(formatSummary(report))
      .to.include('edge/one-step: mine threw: no such cell')
      .and.include('candidate.test');
  });
  it('that never answers: given up after the timeout', async () => {
    const evaluate = (): Promise<CandidateAnswer> => new Promise(() => undefined);
    const report = await run({ ...right, evaluate }, 'edge/*', 0.05);
    expect(report.exitCode).to.equal(2);
    expect(report.errors.length).to.equal(1);
    expect(report.errors[0].message).to.include('did not answer').and.include('0.05 s');
  });

  const declarations: [title: string, change: object, says: string][] = [
    ['no name', { name: '' }, 'name is ""'],
    ['a name that a terminal obeys', { name: 'a\u001b[31m' }, 'cannot see (U+001B)'],
    ['a name with a character of no width', { name: 'mi\u200bne' }, 'cannot see (U+200B)'],
    ['a name with a space at its end', { name: 'mine ' }, 'with a space at its start or end'],
    ['a word of the verdict as its name', { name: 'both' }, 'a word that reports say of sides'],
    ['no precision', { precision: undefined }, 'precision is missing'],
    ['another precision', { precision: 'float16' }, '"float32" or "float64"'],
    ['an unknown omission', { omits: ['states', 'hidden'] }, '"hidden"'],
    ['omissions that are no array', { omits: 'states' }, 'omits is "states"'],
    ['masks that are no boolean', { masks: 1 }, 'masks is 1'],
    ['no evaluate', { evaluate: 3 }, 'evaluate is not a function'],
  ];
  for (const [title, change, says] of declarations) {
    it(`declared with ${title}: a usage error`, async () => {
      const error: unknown = await run({ ...right, ...change }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(UsageError).with.property('message').that.includes(says);
    });
  }
});

describe('a candidate in a module', () => {
  const base = temporaryDirectory();
  const problem = generatedProblem(1, 0);
  const module = (name: string, text: string): string => {
    const file = path.join(base(), name);
    writeFileSync(file, text);
    return file;
  };
  const body = (name: string): string => `{ name: '${name}', precision: 'float64', omits: ['gradients'],
    evaluate(problem) { return { states: [problem.inputs[0]], loss: Number.NaN }; } }`;

  const kinds: [file: string, text: string][] = [
    ['a.mjs', `export default ${body('a')};`],
    ['b.cjs', `module.exports = ${body('b')};`],
    [
      'c.ts',
      `import { defineCandidate } from 'rnn-parity/harness'; enum E { c } export const candidate = defineCandidate({ ...${body('c')}, name: E[0] });`,
    ],
    ['d.js', `exports.candidate = ${body('d')};`],
  ];
  it('TypeScript and JavaScript, ESM and CommonJS, default and named', async () => {
    for (const [file, text] of kinds) {
      const loaded = await loadCandidate(module(file, text));
      try {
        expect(loaded.name).to.equal(file[0]);
        const answer = await loaded.evaluate(problem);
        expect(answer.loss?.data[0], 'NaN survives the way').to.be.NaN;
        expect(answer.states?.shape).to.deep.equal([1, ...problem.inputs.shape.slice(1)]);
      } finally {
        loaded.dispose();
      }
    }
  });

  const refused: [title: string, file: string, text: string, says: string][] = [
    ['none in it', 'e.ts', 'export const other = 1;', 'exports other, but no candidate'],
    ['an error while loading', 'f.js', 'throw new Error("no luck");', 'no luck'],
    ['bad syntax', 'g.ts', 'export default {', 'cannot be used'],
  ];
  it('refused with a reason', async () => {
    for (const [title, file, text, says] of refused) {
      const error: unknown = await loadCandidate(module(file, text)).catch((e: unknown) => e);
      expect(error, title).to.be.instanceOf(UsageError).with.property('message').that.includes(says);
    }
    const absent: unknown = await loadCandidate(path.join(base(), 'absent.ts')).catch((e: unknown) => e);
    expect(absent).to.be.instanceOf(UsageError).with.property('message').that.includes('does not exist');
    const folder: unknown = await loadCandidate(base()).catch((e: unknown) => e);
    expect(folder).to.be.instanceOf(UsageError).with.property('message').that.includes('is a directory');
  });

  const ends: [title: string, statement: string, says: string][] = [
    ['a loop without end', 'for (;;);', 'did not answer'],
    ['process.exit(0)', 'process.exit(0);', 'ended its process with exit code 0'],
  ];
  it('ends with the program that asks it, also in a loop without end', async () => {
    const pidFile = path.join(base(), 'pid');
    const file = module(
      'h.cjs',
      `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
      module.exports = { name: 'h', precision: 'float64', evaluate() { for (;;); } };`,
    );
    const asking = spawn(
      process.execPath,
      [program, 'parity', '--candidate', file, '--only', 'edge/one-step'],
      {
        stdio: 'ignore',
      },
    );
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    asking.kill('SIGKILL');
    expect(await endsSoon(pid)).to.equal(true);
  });
  it('answers one question after the other, and says when it is disposed', async () => {
    const file = module(
      'h.cjs',
      'exports.candidate = { name: "h", precision: "float64", evaluate: (p) => ({ states: p.inputs }) };',
    );
    const candidate = await loadCandidate(file);
    const ask = async (i: number) =>
      (await candidate.evaluate({ ...generatedProblem(1, i) })) as { states?: { data: Float64Array } };
    const [one, other] = await Promise.all([ask(1), ask(2)]);
    expect(one.states?.data).to.deep.equal(generatedProblem(1, 1).inputs.data);
    expect(other.states?.data).to.deep.equal(generatedProblem(1, 2).inputs.data);
    candidate.dispose();
    expect(String(await failed(ask(3)))).to.match(/h was disposed before .*; load it again/);
    for (const timeoutSeconds of [0, -1, Infinity, 3e6, '5' as never])
      expect(String(await failed(loadCandidate(file, { timeoutSeconds })))).to.match(/timeoutSeconds is/);
  });
  it('may send messages of its own and start processes: neither is an answer, and both end with it', async () => {
    const pidFile = path.join(base(), 'started');
    const file = module(
      'm.cjs',
      `const { spawn } = require('child_process');
      process.send('ready');
      process.send({ id: 0, result: { name: 'other', precision: 'float32' } });
      const started = spawn('sleep', ['60'], { stdio: 'ignore' });
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(started.pid));
      const result = { tensors: new Map(), malformed: new Map() };
      exports.candidate = { name: 'm', precision: 'float64', evaluate(p) {
        for (const id of [0, 1]) process.send({ id, result });
        process.send({ result });
        process.send(null);
        return { states: p.inputs };
      } };`,
    );
    const candidate = await loadCandidate(file);
    expect(candidate.name).to.equal('m');
    for (const i of [1, 2]) {
      const { states } = (await candidate.evaluate({ ...generatedProblem(1, i) })) as {
        states?: { data: Float64Array };
      };
      expect(states?.data).to.deep.equal(generatedProblem(1, i).inputs.data);
    }
    candidate.dispose();
    expect(await endsSoon(Number(readFileSync(pidFile, 'utf8')))).to.equal(true);
  });
  it('that throws what is no Error is quoted, and none is called like a side', async () => {
    const thrown = module(
      't.cjs',
      'exports.candidate = { name: "t", precision: "float64", evaluate: () => { throw { message: "too cold" }; } };',
    );
    const { errors } = await run(thrown, 'generated/000');
    expect(errors[0].message).to.match(/t threw: an object, not an Error: too cold/);
    for (const name of ['scratch', 'Scratch', 'graph', 'tfjs:cpu', 'wasm', 'cpu:bptt', 'torch'])
      expect(String(await failed(run({ ...right, name })))).to.match(/that of a side of rnn-parity/);
  });
  it('that loops or exits is stopped, and answers no more', async () => {
    for (const [title, statement, says] of ends) {
      const file = module(
        'h.cjs',
        `module.exports = { name: 'h', precision: 'float64', evaluate() { ${statement} } };`,
      );
      const loaded = await loadCandidate(file, { timeoutSeconds: 20 });
      const impatient = title.includes('loop') ? await loadCandidate(file, { timeoutSeconds: 3 }) : loaded;
      try {
        const error: unknown = await Promise.resolve(impatient.evaluate(problem)).catch((e: unknown) => e);
        expect(error, title).to.be.instanceOf(CandidateError).with.property('message').that.includes(says);
        expect((error as CandidateError).fatal).to.equal(true);
      } finally {
        impatient.dispose();
        loaded.dispose();
      }
    }
  });
});
