import { expect } from 'chai';
import fc from 'fast-check';
import { loadData } from '../../../../harness/training/data/index';
import { formatNpy, formatNpz, formatZip } from '../../../../harness/base/files/index';
import { UsageError } from '../../../../harness/base/outcome';
import { load, refusal, rows } from './load-file';

describe('tables in long form', () => {
  it('reads sequences of different lengths, rows in any order, labels as text', async () => {
    const data = await load(
      'a.csv',
      '\ufeffsequence,step,x,"y",label\nb,2,5,6,cat\na,1,1,2,dog\nb,0,3,4,\na,0,-1,.5e1,dog\nb,1,7,8,cat\n',
    );
    expect(data.inputs.shape).to.eql([2, 3, 2]);
    expect(data.ids).to.eql(['b', 'a']);
    expect(rows(data)).to.eql([3, 4, 7, 8, 5, 6, -1, 5, 1, 2, 0, 0]);
    expect(Array.from(data.lengths)).to.eql([3, 2]);
    expect(data.classNames).to.eql(['cat', 'dog']);
    expect(Array.from(data.labels ?? [])).to.eql([0, 1]);
    expect(data.featureNames).to.eql(['x', 'y']);
  });

  it('takes the columns by name, tabs in .tsv, and file order where there is no step column', async () => {
    const data = await load(
      'a.tsv',
      'id\tkind\tu\tv\tnote\n1\t10\t1\t2\tx\n1\t10\t3\t4\ty\n2\t9\t5\t6\tz\n',
      {
        columns: { sequence: 'id', label: 'kind', features: ['v', 'u'] },
      },
    );
    expect(rows(data)).to.eql([2, 1, 4, 3, 6, 5, 0, 0]);
    // Whole numbers sort as numbers: 9 before 10.
    expect(data.classNames).to.eql(['9', '10']);
    const unlabelled = await load('b.csv', 'sequence;x\n1;1\n', { needLabels: false, delimiter: ';' });
    expect(unlabelled.labels).to.equal(undefined);
  });

  it('reports every malformed row with file, line and reason', async () => {
    const message = await refusal(
      'bad.csv',
      'sequence,step,x,label\n1,0,0x10,a\n1,1,2\n,2,3,a\n2,zero,1,a\n2,1,inf,a\n3,0,1,\n4,0,1,a\n4,1,1,b\n5,0,1,a\n5,0,2,a\n',
    );
    for (const [place, reason] of [
      ['line 2', 'column "x": "0x10" is not a finite number'],
      ['line 3', 'has 3 fields; the header has 4'],
      ['line 4', 'column "sequence" is empty'],
      ['line 5', 'column "step": "zero" is not a finite number and not an ISO 8601'],
      ['line 6', 'column "x": "inf" is not a finite number'],
      ['line 7', 'sequence "3" has no label'],
      ['line 9', 'sequence "4" is labelled "b" here'],
      ['sequence "5"', 'step 0 is given twice'],
    ])
      expect(message).to.contain(`bad.csv: ${place}: ${reason}`);
    expect(message).to.contain('8 malformed rows');
  });

  it('leaves out the sequences of malformed rows when asked, says so, and keeps the rest whole', async () => {
    const reports: string[] = [];
    const data = await load('skip.csv', 'sequence,x,label\n1,1,a\n1,?,a\n1,3,a\n2,4,b\n2,5,b\n', {
      onMalformed: 'skip',
      onReport: (line) => reports.push(line),
    });
    expect(rows(data)).to.eql([4, 5]);
    expect(data.classNames).to.eql(['b']);
    expect(data.skipped).to.equal(1);
    expect(reports).to.have.length(1);
    expect(reports[0]).to.match(/skip\.csv: line 3: column "x"/);
  });

  it('refuses a table it cannot understand and names the flag that helps', async () => {
    expect(await refusal('a.csv', '')).to.match(/is empty/);
    expect(await refusal('a.csv', 'a,b\n1,2\n')).to.match(
      /no column "sequence".*"a", "b".*--sequence-column/,
    );
    expect(await refusal('a.csv', 'sequence,x,x,label\n')).to.match(/"x" twice/);
    expect(await refusal('a.csv', 'sequence,label\n1,2\n')).to.match(/no feature column/);
    expect(await refusal('a.csv', 'sequence,x,label\n')).to.match(/no usable sequence/);
    expect(await refusal('a.csv', 'sequence,x,label\n1,"2,a\n1,3,b\n')).to.match(/line \d+: .*Quote/);
    expect(await refusal('a.txt', '')).to.match(/not a kind of data/);
    expect(await loadData('/nonexistent.csv').catch((e: unknown) => (e as Error).message)).to.match(
      /not exist/,
    );
  });

  it('says what separates the columns, which column is taken twice, and what every row has too much', async () => {
    const table = 'sequence step x label\na 0 1 p\nb 0 2 q\n';
    expect(await refusal('a.csv', table)).to.match(
      /That is one column: if " " separates the names, pass --delimiter " "/,
    );
    expect(await refusal('a.csv', table.replaceAll(' ', ','), { delimiter: ';' })).to.match(
      /pass --delimiter ","/,
    );
    expect((await load('a.csv', table, { delimiter: ' ' })).featureNames).to.eql(['x']);
    expect(await refusal('a.csv', `# by hand\n${table.replaceAll(' ', ',')}`)).to.match(
      /looks like a comment/,
    );
    const twice = { columns: { label: 'sequence' } };
    expect(await refusal('a.csv', table.replaceAll(' ', ','), twice)).to.match(
      /column "sequence" is taken for --sequence-column and for --label-column/,
    );
    const ends = 'sequence,x,label\na,1,p,\nb,2,q,\nc,3,p,\n';
    expect(await refusal('a.csv', ends)).to.match(
      /every row ends with a separator, so end the header with one/,
    );
  });

  it('refuses options that make no sense', async () => {
    for (const [options, says] of [
      [{ onMalformed: 'ignore' }, /onMalformed is ignore; the nearest is fail/],
      [{ decimal: ';' }, /decimal is ;/],
      [{ columns: { features: 'x' } }, /columns: features is "x"; pass an array of names/],
      [{ columns: { label: 3 } }, /columns: label is 3; pass the name of a column/],
    ] as const) {
      const error = await load('a.csv', 'sequence,x,label\na,1,p\n', options as never).catch(
        (thrown: unknown) => thrown,
      );
      expect(String(error)).to.match(says);
    }
  });

  it('survives any damage: a clear error or numbers that are all finite', async () => {
    const sound = Buffer.from(
      'sequence,step,x,label\na,0,1.5,"u ""v"""\na,1,-2e3,"u ""v"""\n__proto__,0,7,constructor\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }),
        fc.constantFrom('damaged.csv', 'damaged.tsv'),
        async (edits, name) => {
          const bytes = Buffer.from(sound);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          await load(name, bytes).then(
            (data) => expect(data.inputs.data.every(Number.isFinite)).to.equal(true),
            (error: unknown) => expect(error).to.be.instanceOf(UsageError),
          );
        },
      ),
      { numRuns: 300 },
    );
    expect(Object.keys({})).to.eql([]);
    expect(({} as Record<string, unknown>).step).to.equal(undefined);
  });
});

describe('JSON lines', () => {
  it('reads sequences of different lengths with text or whole numbers as labels', async () => {
    const data = await load(
      'a.jsonl',
      '{"inputs": [[1, 2], [3, 4]], "label": 10}\r\n\n{"label": 9, "inputs": [[5, 6]], "id": "z"}',
    );
    expect(data.inputs.shape).to.eql([2, 2, 2]);
    expect(rows(data)).to.eql([1, 2, 3, 4, 5, 6, 0, 0]);
    expect(data.ids).to.eql(['1', 'z']);
    expect(data.classNames).to.eql(['9', '10']);
    expect(Array.from(data.labels ?? [])).to.eql([1, 0]);
  });

  it('reports every malformed line', async () => {
    const message = await refusal(
      'bad.jsonl',
      [
        '{"inputs": [[1]], "label": "a"}',
        '{"inputs": [[1, 2]], "label": "a"}',
        '{"inputs": [["1"]], "label": "a"}',
        '{"inputs": [], "label": "a"}',
        '{"inputs": [[1]], "label": 1.5}',
        '[1]',
        '{"inputs": ',
        '{"__proto__": {"inputs": [[1]], "label": "a"}}',
        '{"inputs": [[1]]}',
      ].join('\n'),
    );
    for (const [line, reason] of [
      [2, '"inputs"[0] has 2 features where 1 were before'],
      [3, '"inputs"[0][0] is "1"'],
      [4, '"inputs" is not an array'],
      [5, '"label" is 1.5'],
      [6, 'is not a JSON object'],
      [8, '"inputs" is not an array'],
    ] as const)
      expect(message).to.contain(`bad.jsonl: line ${line}: ${reason}`);
    expect(message).to.match(/line 7: /);
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const odd = await refusal(
      'odd.jsonl',
      [
        '{"inputs": [[1]], "label": [0, 1]}',
        '{"inputs": [[1]], "label": 1}',
        `{"inputs": ${deep}, "label": [1, 0]}`,
      ].join('\n'),
    );
    expect(odd).to.match(/line 2: "label" is 1, a single label, where those before are one-hot/);
    expect(odd).to.match(/line 3: "inputs"\[0\]\[0\] is nested too deep, not a finite number/);
    const skipped = await load('skip.jsonl', '{"inputs": [[1]], "label": "a"}\n{}\n', {
      onMalformed: 'skip',
    });
    expect(skipped.skipped).to.equal(1);
  });

  it('reads the line ends of old and new systems, and says what is usually wrong with a file', async () => {
    const good = ['{"inputs": [[1], [2]], "label": "a"}', '{"inputs": [[3]], "label": "b"}'];
    for (const end of ['\n', '\r\n', '\r', '\r\r\n'])
      expect((await load('a.jsonl', good.join(end) + end)).inputs.shape).to.eql([2, 2, 1]);
    for (const [line, says] of [
      [`[${good[0]}]`, /is not a JSON object; write one object a line/],
      [`${good[0]},`, /is not JSON \(.*\); write one object a line/],
      ['{"inputs": [[1, NaN]], "label": "a"}', /holds NaN, which is no JSON/],
      ['{"inputs": [[1]], "label": "a", "l\\u0061bel": "b"}', /"label" is given twice; keep one/],
    ] as const)
      expect(await refusal('a.jsonl', line)).to.match(says);
    const named = good[1].replace('{', '{"id": "1", ');
    expect(await refusal('a.jsonl', `${good[0]}\n${named}`)).to.match(
      /line 2: id "1" is also what line 1 is called, which has no id of its own/,
    );
    expect(await refusal('a.jsonl', `${good[1].replace('{', '{"id": 2, ')}\n${good[0]}`)).to.match(
      /line 2: id "2" is also what line 2 is called/,
    );
  });

  it('survives any damage', async () => {
    const sound = Buffer.from(
      '{"inputs": [[1, 2], [3, 4e1]], "label": "é"}\n{"inputs": [[5, 6]], "label": "__proto__", "id": 3}\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), async (edits) => {
        const bytes = Buffer.from(sound);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        await load('damaged.jsonl', bytes).then(
          (data) => expect(data.inputs.data.every(Number.isFinite)).to.equal(true),
          (error: unknown) => expect(error).to.be.instanceOf(UsageError),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('archives of sequences', () => {
  const inputs = { shape: [2, 3, 1], data: [1, 2, NaN, 4, 5, 6] };

  it('reads inputs, labels and lengths, and never looks at the padding', async () => {
    const data = await load(
      'a.npz',
      await formatNpz({
        inputs,
        labels: { shape: [2], data: ['x', '__proto__'] },
        lengths: { shape: [2], data: [2, 3] },
      }),
    );
    expect(rows(data)).to.eql([1, 2, 0, 4, 5, 6]);
    expect(data.classNames).to.eql(['__proto__', 'x']);
    expect(Array.from(data.labels ?? [])).to.eql([1, 0]);
  });

  it('reports what does not fit, by example', async () => {
    const labels = { shape: [2], data: [0, 1] };
    const one = async (entries: Parameters<typeof formatNpz>[0]): Promise<string> =>
      refusal('bad.npz', await formatNpz(entries));
    expect(await one({ inputs, labels })).to.match(/bad\.npz: example 0: inputs\[0, 2, 0\] is NaN/);
    expect(await one({ inputs, labels, lengths: { shape: [2], data: [2, 4] } })).to.match(
      /example 1: its length is 4/,
    );
    expect(
      await one({ inputs, labels: { shape: [2], data: [0, 1.5] }, lengths: { shape: [2], data: [2, 2] } }),
    ).to.match(/example 1: its label is 1\.5/);
    expect(await one({ inputs, labels: { shape: [3], data: [0, 1, 1] } })).to.match(
      /labels has shape \[3\] for 2/,
    );
    expect(await one({ labels })).to.match(/no array "inputs"/);
    expect(await one({ inputs })).to.match(/no array "labels"/);
    expect(await one({ inputs, labels, extra: labels })).to.match(/holds extra/);
    // a mask of bool is no list of lengths, though its 1 is a number
    const whole = formatNpy({ shape: [2], data: [1, 1], dtype: '<i4' }, 'lengths');
    const bools = Buffer.from(whole.toString('latin1').replace("'<i4'", "'|b1'"), 'latin1').subarray(0, -6);
    const zip = await formatZip([
      ['inputs.npy', formatNpy(inputs, 'inputs')],
      ['labels.npy', formatNpy(labels, 'labels')],
      ['lengths.npy', bools],
    ]);
    expect(await refusal('bad.npz', zip)).to.match(/lengths is of bool .*lengths=mask\.sum\(axis=1\)/);
  });
});
