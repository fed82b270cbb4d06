import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { decodeTensor, encodeTensor, type WireTensor } from '../../../harness/base/process/index';
import { anySideSource, parseAnySides, type AnySideName } from '../../../harness/frameworks/index';
import { BackendNotRunError } from '../../../harness/base/outcome';
import { replayCase } from '../../../harness/fuzz/replay';
import { runFuzz } from '../../../harness/fuzz/run';
import { formatSummary, runParity, type ParityReport } from '../../../harness/parity/index';
import { commandFor } from '../../../harness/parity/text/failures';
import type { LayeredProblem } from '../../../harness/base/problem';
import { questionOf } from '../../../harness/frameworks/question';
import { makeLayeredProblem } from '../../../harness/problems/index';
import { frameworkProblems } from '../../support/framework-problems';
import { problemAnswers, withAnswers } from '../../support/recorded-frameworks';
import { temporaryDirectory } from '../../support/temporary-directory';

/** The problems on a framework that gives the answers in a file. */
const run = (name: AnySideName, file = problemAnswers(name)): Promise<ParityReport> =>
  withAnswers(file, (python) =>
    runParity({ backends: [name], python, problems: frameworkProblems(), power: false, diagnoses: 1 }),
  );

describe('Keras, PyTorch and ONNX Runtime as sides of parity', () => {
  const base = temporaryDirectory();

  it('what they answered about problems of layers, and of the simple RNN, is parity: forward, loss and gradients', async () => {
    for (const name of ['keras', 'torch'] as const) {
      const report = await run(name);
      expect(report.verdict, formatSummary(report)).to.equal('parity');
      expect(report.sides[0]).to.include({ name, required: true });
      const seen = new Set(
        report.cases.flatMap(({ caseId, tensors }) =>
          tensors.filter(({ compared }) => compared > 0).map(({ tensor }) => `${caseId}: ${tensor}`),
        ),
      );
      for (const tensor of [
        'framework/simple: states',
        'framework/simple: gradients.initialState',
        'framework/both-ways: sequences.layer1.backwardH',
        'framework/both-ways: gradients.weights.layer1.backwardRecurrentKernel',
        'framework/both-ways: gradients.inputs',
        'framework/embedding: loss',
        'framework/embedding: gradients.weights.layer1.embeddings',
        'framework/embedding: gradients.initialStates.layer2.backwardC',
      ])
        expect(seen, name).to.include(tensor);
    }
  });

  it('says what one does not have, with the reason, and does not count it as compared', async () => {
    const report = await run('torch');
    expect(report.notes.join('\n')).to.include(
      "1 problem was not run on torch: PyTorch's layers take no mask",
    );
    expect(report.cases.map(({ caseId }) => caseId))
      .to.include('framework/simple')
      .and.not.include('framework/masked');
    const keras = await run('keras');
    expect(keras.cases.map(({ caseId }) => caseId))
      .to.include('framework/masked')
      .and.include('framework/hard-gates');
  });

  it('Keras is not asked about masked steps of a bidirectional layer that gives all steps: it gives zeros there', () => {
    const problem = makeLayeredProblem({
      ...{ id: 'masked both ways', seed: 1, batch: 2, timeSteps: 5, mask: true },
      model: {
        features: 1,
        layers: [
          {
            layer: 'bidirectional',
            mergeMode: 'mul',
            wrapped: { layer: 'gru', units: 2, returnSequences: true },
          },
          { layer: 'dense', units: 3 },
        ],
      },
    });
    expect(() => questionOf(problem, 'keras')).to.throw(/zeros at masked steps of a bidirectional layer/);
    const { mask, ...whole } = problem;
    expect(mask?.data.includes(0)).to.equal(true);
    expect(questionOf(whole, 'keras').layers).to.have.length(3);
  });

  it('ONNX Runtime infers only: its states and outputs are compared, loss and gradients are declared as not given', async () => {
    const report = await run('onnxruntime');
    expect(report.verdict, formatSummary(report)).to.equal('parity');
    expect(report.sides[0].omits).to.include('loss').and.include('gradients.kernel');
    expect(report.notes.join('\n')).to.include("ONNX's recurrent operations take no mask");
    const { tensors } = report.cases.find(({ caseId }) => caseId === 'framework/both-ways')!;
    const status = (name: string) => tensors.find(({ tensor }) => tensor === name)?.status;
    expect([status('logits'), status('loss')]).to.deep.equal(['pass', 'omitted']);
  });

  it('one number that is off is a mismatch', async () => {
    const recorded = JSON.parse(readFileSync(problemAnswers('torch'), 'utf8')) as {
      answers: { answer: { gradients: { weights: { layer1: { recurrentKernel: WireTensor } } } } }[];
    };
    const { layer1 } = recorded.answers[0].answer.gradients.weights;
    const right = decodeTensor(layer1.recurrentKernel);
    right.data[4] *= 1 + 1e-3;
    layer1.recurrentKernel = encodeTensor(right);
    const file = path.join(base(), 'answers.json');
    writeFileSync(file, JSON.stringify(recorded));
    const report = await withAnswers(file, (python) =>
      runParity({
        ...{
          backends: ['torch'],
          python,
          problems: frameworkProblems().slice(0, 1),
          power: false,
          diagnoses: 0,
        },
        // only the results are asked for then, as they were recorded
        tolerance: { absolute: 1e-6, relative: 1e-6 },
      }),
    );
    expect(report).to.include({ verdict: 'mismatch', exitCode: 1 });
    const { tensors } = report.cases.find(({ caseId }) => caseId === 'framework/simple')!;
    const failing = tensors.filter(({ status }) => status === 'differs');
    expect([...new Set(failing.map(({ tensor }) => tensor))]).to.deep.equal(['gradients.recurrentKernel']);
    const command = commandFor({ implementation: 'torch', caseId: 'framework/simple' }, report);
    expect(command).to.include('parity --backends torch');
  });

  it('one that has nothing of what is asked did not run: exit code 3, in parity and in fuzz', async () => {
    const refused = { error: { message: 'PyTorch has no such layer', refused: true } };
    const file = path.join(base(), 'refused.json');
    writeFileSync(
      file,
      JSON.stringify({ version: 'PyTorch 0', answers: Array.from({ length: 9 }, () => refused) }),
    );
    const report = await run('torch', file);
    expect(report).to.include({ verdict: 'backend not run', exitCode: 3 });
    expect(report.sides[0].reason).to.include('PyTorch has no such layer');
    const fuzzed = await withAnswers(file, (python) =>
      runFuzz({
        sides: [{ source: anySideSource('torch', true, { python }), backend: 'torch' }],
        plan: { cases: 2 },
        out: path.join(base(), 'cases'),
      }),
    );
    expect(fuzzed).to.include({ verdict: 'backend not run', exitCode: 3 });
    expect(fuzzed.sides[0].left).to.deep.equal({ 'PyTorch has no such layer': 2 });
    const replayed = withAnswers(file, async (python) => {
      const side = await anySideSource('torch', true, { python }).open();
      const found = { id: 'fuzz/1/7', side: { name: 'torch' }, verdict: {}, versions: {} };
      return replayCase(found as never, frameworkProblems()[0], [side]).finally(() =>
        side.implementation.dispose?.(),
      );
    });
    const error = await replayed.catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(BackendNotRunError);
    expect(String(error)).to.include('torch does not run fuzz/1/7: PyTorch has no such layer');
  });

  it('one that fails, or whose Python is not there, is never parity', async () => {
    const file = path.join(base(), 'none.json');
    writeFileSync(file, JSON.stringify({ version: 'PyTorch 0', answers: [] }));
    const failed = await run('torch', file);
    expect(failed).to.include({ verdict: 'error', exitCode: 2 });
    expect(failed.errors[0].message).to.equal('torch failed: no answer left');
    const absent = await runParity({
      ...{
        backends: ['keras'],
        python: path.join(base(), 'python'),
        problems: frameworkProblems(),
        power: false,
      },
    }).catch((error: unknown) => error as Error);
    expect((absent as Error).message).to.match(/--python: .* does not run as Python 3\.8 or later/);
  });

  it('an example without a real step is not asked of Keras, which sends its initial state no gradient', () => {
    const [, , , { initialStates, ...masked }] = frameworkProblems() as LayeredProblem[];
    const { data, shape } = masked.mask!;
    const empty = { ...masked, mask: { data: data.map((m, i) => (i < shape[1] ? 0 : m)), shape } };
    expect(initialStates).to.not.equal(undefined);
    expect(() => questionOf(empty, 'keras')).to.throw(
      /Keras gives zeros at masked steps before the first real one/,
    );
    expect(questionOf(masked, 'keras').layers).to.have.length(2);
  });

  it('they are named among the backends', () => {
    expect(parseAnySides('keras, wasm')).to.deep.equal(['keras', 'wasm']);
    expect(() => parseAnySides('kears')).to.throw(/no backend "kears".*keras, torch, onnxruntime/);
  });
});
