import { expect } from 'chai';
import { withSpeedups } from '../../../harness/bench/report/baseline';
import { formatMilliseconds } from '../../../harness/bench/report/format';
import { htmlReport, markdownReport, textReport } from '../../../harness/bench/report/document';
import { describeSize, parseSize, withLetter } from '../../../harness/bench/size';
import { benchReport, sizeReport } from './synthetic-report';

const step = { scratch: [0.01, 0.02, 0.03], 'layers:tensorflow': [9, 8, 7] };
const base = parseSize('S');
const points = [4, 16].map((units) => describeSize(withLetter(base, 'U', units)));
const report = benchReport(
  [
    { ...sizeReport('S', { step }), engines: [wrongEngine()] },
    sizeReport(points[0], { step: { scratch: [1, 1, 1], graph: [2, 2, 2] } }),
    sizeReport(points[1], { step: { scratch: [9, 9, 9], graph: [3, 3, 3] } }),
  ],
  {
    products: { oneCore: 60, allCores: 100, by: 'torch' },
    sweeps: [
      {
        letter: 'U',
        values: [4, 16],
        base,
        task: 'step',
        sizes: points,
        crossovers: [{ below: 'scratch', above: 'graph', at: 7.5, between: [4, 16] }],
      },
    ],
  },
);

function wrongEngine() {
  return {
    engine: 'keras',
    loadMilliseconds: 900,
    loadedBytes: 1e8,
    parity: [{ name: 'loss', difference: 0.5, allowed: 0.001 }],
    failures: [{ kind: 'wrong' as const, during: 'parity' as const, message: 'loss differs | much' }],
  };
}

describe('harness/bench reports', () => {
  it('writes times with three digits and the unit that suits', () => {
    const times = [0.000012, 0.0132, 0.1584, 0.9996, 3.014, 74.6, 999.4, 999.6, 17_350];
    expect(times.map(formatMilliseconds)).to.deep.equal([
      '0.0120 µs',
      '13.2 µs',
      '158 µs',
      '1.00 ms',
      '3.01 ms',
      '74.6 ms',
      '999 ms',
      '1.00 s',
      '17.4 s',
    ]);
  });

  const facts = [
    '60 GFLOP/s on one core and 100 on all (torch)',
    // 7,120 operations in 0.02 ms
    '0.356 %',
    'Abacus',
    'scratch',
    '400x',
    'baseline',
    'the machine is busy',
    'torch',
    'cannot import it',
    'scratch is fastest up to about U = 7.50 (between 4 and 16), then graph',
    'is wrong, so it was not timed',
  ];
  it('says the same on the terminal, in Markdown and in HTML', async () => {
    const texts = {
      text: textReport(report),
      markdown: markdownReport(report, 'run.json'),
      html: await htmlReport(report),
    };
    for (const [where, text] of Object.entries(texts)) {
      for (const fact of facts) expect(text, where).to.include(fact);
    }
    expect(texts.markdown).to.include('rnn-parity bench --from run.json').and.include("'it'\\''s.html'");
    expect(texts.markdown).to.include('2026-01-02 03:04').and.include('loss differs | much');
    expect(texts.text.split('\n').every((line) => line === line.trimEnd())).to.equal(true);
  });

  it('draws spreads and sweeps, escapes what is no markup, and loads nothing from outside', async () => {
    const html = await htmlReport(report);
    expect(html.match(/<figure>/g)).to.have.length(2);
    expect(html).to.include('Abacus &lt;9&gt;').and.not.include('Abacus <9>');
    expect(html).to.not.match(/(src|href)="(?!data:|#)/);
    expect(html).to.not.include('NaN');
  });

  it('takes ratios over another baseline from the same times', () => {
    const [size] = withSpeedups(report.sizes, 'scratch');
    const layers = size.tasks[0].results.find(({ engine }) => engine === 'layers:tensorflow');
    expect(layers?.speedup?.ofMedians).to.equal(0.02 / 8);
    const [without] = withSpeedups(report.sizes, 'keras');
    for (const result of without.tasks[0].results) expect(result).to.not.have.property('speedup');
  });
});
