import { expect } from 'chai';
import { judgeClaims, promisePlan } from '../../../harness/bench/report/claims';
import type { EnduranceSeries } from '../../../harness/bench/report/schema';
import { parseSize } from '../../../harness/bench/size';
import { benchReport, sizeReport } from './synthetic-report';

const find = (verdicts: ReturnType<typeof judgeClaims>, claim: string, where: string) =>
  verdicts.find((verdict) => verdict.claim.includes(claim) && verdict.where === where);

describe('harness/bench promises', () => {
  it('judges ratios of medians, of the fastest engine over the fastest other', () => {
    const verdicts = judgeClaims(
      benchReport([
        sizeReport('S', {
          step: {
            scratch: [0.02, 0.01, 0.03],
            graph: [0.3, 0.2, 0.25],
            'graph:1': [0.2, 0.2, 0.1],
            'layers:tensorflow': [9, 8, 7],
            keras: [3, 3, 3],
            torch: [5, 0.7, 0.7],
            'numpy-notebook': [0.2, 0.21, 0.29],
          },
        }),
        sizeReport('M', { step: { scratch: [50, 50, 50], 'numpy-notebook': [5, 5, 5] } }),
      ]),
    );
    // 8 / 0.2 = 40, the fastest graph; 0.7 / 0.02 = 35 < 40; 0.21 / 0.02 = 10.5 < 15; 5 / 50 < 1 / 5
    expect(find(verdicts, 'graph against tf.layers + minimize', 'S')).to.deep.include({
      verdict: 'met',
      measured: '40x faster (graph:1 against layers:tensorflow)',
    });
    expect(find(verdicts, 'the faster of Keras and PyTorch', 'S')).to.deep.include({
      verdict: 'missed',
      measured: '35x faster (scratch against torch)',
    });
    expect(find(verdicts, 'the notebook under NumPy', 'S')).to.include({ verdict: 'missed' });
    expect(find(verdicts, 'the notebook under NumPy', 'M')).to.deep.include({
      verdict: 'missed',
      required: 'at most 5x its time',
      measured: '10x its time (scratch against numpy-notebook)',
    });
  });

  it('judges LSTM and GRU at sizes of their own', () => {
    const verdicts = judgeClaims(
      benchReport([
        sizeReport('M lstm:128', {
          step: { graph: [3, 3, 3], torch: [4, 4, 4], 'layers:tensorflow': [60, 60, 60] },
        }),
        sizeReport('M', { step: { graph: [1, 1, 1], torch: [4, 4, 4] } }),
      ]),
    );
    expect(find(verdicts, 'lstm: graph against PyTorch', 'M lstm:128')).to.deep.include({
      verdict: 'met',
      measured: '1.33x faster (graph against torch)',
    });
    expect(find(verdicts, 'lstm: graph against tf.layers', 'M lstm:128')).to.include({ verdict: 'missed' });
  });

  it('plans what it takes to judge them all, and no more sizes', () => {
    const plan = promisePlan();
    expect(plan.map(({ size }) => size.name)).to.deep.equal([
      ...['S', 'M', 'L', 'digits', 'M lstm:128', 'L lstm:512', 'S lstm:4'],
      ...['M gru:128:resetAfter=false', 'M gru:128', 'L gru:512', 'S gru:4', 'long'],
    ]);
    const measured = plan.map(({ size, tasks }) => {
      const times = tasks.map(({ task, engines }) => [
        task,
        Object.fromEntries(engines.map(({ name }) => [name, [1, 1, 1]])),
      ]);
      return sizeReport(size.name, Object.fromEntries(times) as Parameters<typeof sizeReport>[1]);
    });
    const open = judgeClaims(benchReport(measured)).filter(({ verdict }) => verdict === 'not measured');
    expect(open.map(({ claim }) => claim)).to.have.length(2);
    for (const { claim } of open) expect(claim).to.include('flat memory');
  });

  it('does not judge what was not measured', () => {
    const verdicts = judgeClaims(benchReport([sizeReport('S', { step: { graph: [1, 1, 1] } })]));
    expect(new Set(verdicts.map(({ verdict }) => verdict))).to.deep.equal(new Set(['not measured']));
  });

  it('takes the slower of the first and the median set-up', () => {
    const slowFirst = judgeClaims(benchReport([sizeReport('long', { setup: { graph: [1600, 800, 900] } })]));
    expect(find(slowFirst, 'set-up', 'long')).to.include({ verdict: 'missed', measured: '3.20 s' });
    const fast = judgeClaims(benchReport([sizeReport('long', { setup: { graph: [700, 800, 900] } })]));
    expect(find(fast, 'set-up', 'long')).to.include({ verdict: 'met', measured: '1.40 s' });
  });

  it('calls memory flat only when neither bytes nor tensors grow', () => {
    const series = (task: 'step' | 'setup', mebibytes: number, tensors: number): EnduranceSeries => ({
      task,
      readings: [
        { calls: 0, rssBytes: 2 ** 28, tensors: 10 },
        { calls: 100, rssBytes: 2 ** 28 + mebibytes * 2 ** 20, tensors: 10 + tensors },
      ],
    });
    const judge = (steps: EnduranceSeries, cycles: EnduranceSeries) =>
      judgeClaims(
        benchReport([], {
          endurance: [{ engine: 'graph', size: parseSize('M'), steps, cycles, failures: [] }],
        }),
      )
        .filter(({ claim }) => claim.includes('flat memory'))
        .map(({ verdict }) => verdict);
    expect(judge(series('step', 5, 0), series('setup', -3, 0))).to.deep.equal(['met', 'met']);
    expect(judge(series('step', 50, 0), series('setup', 0, 1))).to.deep.equal(['missed', 'missed']);
  });
});
