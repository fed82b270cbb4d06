import { expect } from 'chai';
import { UsageError } from '../../../../harness/base/outcome';
import { relabelled } from '../../../../harness/training/data/index';
import { formatNpz } from '../../../../harness/base/files/index';
import { labels, load, notes, refusal } from './load-file';

const csv = (values: readonly string[]): string =>
  `sequence,x,label\n${values.map((label, i) => `s${i},${i},${label}\n`).join('')}`;
const jsonl = (values: readonly unknown[]): string =>
  values.map((label) => JSON.stringify({ inputs: [[1], [2]], label })).join('\n');
const inputsOf = (n: number) => ({ shape: [n, 2, 1], data: Array.from({ length: 2 * n }, (_, i) => i) });
const npz = (values: readonly string[] | readonly number[], shape = [values.length]): Promise<Buffer> =>
  formatNpz({ inputs: inputsOf(shape[0]), labels: { shape, data: values } });

describe('labels', () => {
  it('are one class where their numbers are equal, in csv, jsonl and npz alike', async () => {
    const values = ['0', '0.0', '1', '1.0', '01', '+1', '1e0', '-0', '10'];
    const expected = ['0', '0', '1', '1', '1', '1', '1', '0', '10'];
    for (const data of [
      await load('a.csv', csv(values)),
      await load('a.jsonl', jsonl(values)),
      await load('a.npz', await npz(values)),
    ]) {
      expect(labels(data)).to.eql(expected);
      expect(data.classNames).to.eql(['0', '1', '10']);
      expect(notes(data)).to.match(/equal numbers as one class: "0\.0" is class "0"/);
    }
    expect(labels(await load('a.npz', await npz([0, -0, 1])))).to.eql(['0', '0', '1']);
    expect(labels(await load('a.jsonl', jsonl([1, '1.0', 0])))).to.eql(['1', '1', '0']);
    // Digits that float64 cannot hold are text, and stay apart.
    const long = ['1161888007138312192', '1161888007138312193'];
    expect((await load('a.csv', csv(long))).classNames).to.eql(long);
  });

  it('lose the white space at their ends, everywhere, and so do ids; it is said', async () => {
    const values = ['a', ' a', 'a\t', 'b', '\u00a0b'];
    for (const data of [
      await load('a.csv', csv(values)),
      await load('a.jsonl', jsonl(values)),
      await load('a.npz', await npz(values)),
    ]) {
      expect(data.classNames).to.eql(['a', 'b']);
      expect(notes(data)).to.match(/white space/);
    }
    const table = await load('a.csv', 'sequence,x,label\ns1,1,a\ns1 ,2,a\n s2,3,b\n"s2",4,b\n');
    expect(table.ids).to.eql(['s1', 's2']);
    expect(notes(table)).to.match(/white space around fields/);
    const json =
      '{"inputs": [[1]], "label": "a", "id": "s1"}\n{"inputs": [[1]], "label": "a", "id": "s1 "}\n';
    expect(await refusal('a.jsonl', json)).to.match(/line 2: id "s1" is given twice, first on line 1/);
  });

  it('are warned of where they look the same, miss a value, or are as many as the sequences', async () => {
    expect(notes(await load('a.csv', csv(['Cat', 'cat', 'dog'])))).to.match(
      /warning .*"Cat" and "cat" are different but look the same/,
    );
    for (const [one, other, points] of [
      ['e\u0301', '\u00e9', 'U+0065 U+0301 and U+00E9'],
      ['cat', 'c\u0430t', 'U+0061 and U+0430'],
      ['cat', 'ca\u200bt', 'nothing and U+200B'],
      ['a b', 'a\u00a0b', 'U+0020 and U+00A0'],
    ]) {
      const alike = `"${one}" and "${other}" (${points}) are different but look the same`;
      expect(notes(await load('a.csv', csv([one, other])))).to.include(alike);
    }
    expect(notes(await load('a.csv', csv(['NA', 'b'])))).to.match(
      /class "NA" looks like the mark of a missing/,
    );
    const ids = Array.from({ length: 30 }, (_, i) => String(i * i));
    expect(notes(await load('a.csv', csv(ids)))).to.match(/30 classes for 30 sequences/);
    expect(notes(await load('a.csv', 'sequence,x,label\n1,0,a\n1.0,1,b\n'))).to.match(/ids "1" and "1\.0"/);
  });

  it('of other data are the classes of a model by name, never by a guess that may be off by one', async () => {
    const of = async (...values: string[]) => load('a.csv', csv(values));
    const taken = async (names: readonly string[], ...values: string[]) =>
      labels(relabelled(await of(...values), names));
    expect(await taken(['0', '1', '2'], '2', '0', '0')).to.eql(['2', '0', '0']);
    expect(await taken(['no', 'yes'], 'yes', 'no')).to.eql(['yes', 'no']);
    // a model that only counts its outputs, and labels of which none is a number of one
    expect(await taken(['0', '1'], 'a', 'b')).to.eql(['a', 'b']);
    const composed = await of('caf\u00e9', 'b');
    expect(() => relabelled(composed, ['cafe\u0301', 'b'])).to.throw(
      UsageError,
      /look the same but are different \(U\+00E9 and U\+0065 U\+0301\)/,
    );
    const shifted = await of('1', '2', '3');
    expect(() => relabelled(shifted, ['0', '1', '2'])).to.throw(
      UsageError,
      /whether a label is the number of an output/,
    );
  });

  it('that are numbers of the other decimal sign are not two classes', async () => {
    expect(await refusal('a.csv', csv(['1', '1.0', '2']), { decimal: ',' })).to.match(
      /column "label" has the labels "1\.0" and "1", which are one class where the decimal sign is a point/,
    );
  });

  it('that are real numbers are refused: this is a classifier', async () => {
    const real = ['0.3341', '0.7', '2', '1.25'];
    for (const message of [
      await refusal('a.csv', csv(real)),
      await refusal('a.csv', csv([...real, 'nan'])),
      await refusal('a.jsonl', jsonl(real)),
      await refusal('a.jsonl', jsonl(real.map(Number))),
      await refusal('a.npz', await npz(real)),
      await refusal('a.npz', await npz(real.map(Number))),
      await refusal('a.csv', csv(['"0,3341"', '"0,5"', '1']), { decimal: ',' }),
      // A target for every step, too.
      await refusal('a.csv', 'sequence,x,label\ns,1,0.25\ns,2,0.5\n'),
    ])
      expect(message).to.match(/0[.,](3341|25).*this is a classifier/);
    expect(await refusal('a.csv', csv(real))).to.match(/a\.csv: line 2: column "label" holds real numbers/);
    // Numbers among texts are text: versions, for example.
    expect((await load('a.csv', csv(['v1', '1.5', 'none', 'v2']))).classNames).to.have.length(4);
  });

  it('of .npz may be any text, also one that begins like a number', async () => {
    const values = ['2nd gesture', '1_step', 'NaNo', '1.5 m', '3e', 'Infinity war'];
    const data = await load('a.npz', await npz(values));
    expect(labels(data)).to.eql(values);
    expect(await refusal('a.npz', await npz([1, NaN]))).to.match(/example 1: its label is NaN/);
    expect(await refusal('a.npz', await npz([1, Infinity]))).to.match(/example 1: its label is Infinity/);
    expect(await refusal('a.npz', await npz(['a', ' ']))).to.match(/example 1: its label is empty/);
  });

  it('may be one-hot; other shapes are refused with the way to write them', async () => {
    const hot = [0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0];
    const data = await load('a.npz', await npz(hot, [4, 3]));
    expect(labels(data)).to.eql(['1', '0', '2', '0']);
    expect(notes(data)).to.match(/one-hot labels \[N, 3\]/);
    expect(labels(await load('a.npz', await npz([3, 4, 3], [3, 1])))).to.eql(['3', '4', '3']);
    expect(labels(await load('a.npz', await npz(['b', 'a'], [2, 1])))).to.eql(['b', 'a']);
    expect(await refusal('a.npz', await npz([0.1, 0.9, 0.7, 0.3], [2, 2]))).to.match(
      /row 0 is \[0\.1, 0\.9\].*argmax\(axis=1\)/,
    );
    expect(await refusal('a.npz', await npz([1, 1, 0, 1], [2, 2]))).to.match(/row 0 is \[1, 1\]/);
    const json = await load(
      'a.jsonl',
      jsonl([
        [0, 1],
        [1, 0],
      ]),
    );
    expect(labels(json)).to.eql(['1', '0']);
    expect(notes(json)).to.match(/one-hot/);
    expect(
      await refusal(
        'a.jsonl',
        jsonl([
          [0, 1],
          [1, 0, 0],
        ]),
      ),
    ).to.match(/line 2: "label" is \[1,0,0\].*1 zeros/);
    expect(await refusal('a.jsonl', jsonl([[0.5, 0.5]]))).to.match(/line 1: "label" is \[0\.5,0\.5\]/);
  });
});

describe('ids of JSON lines', () => {
  it('above 2^53 keep every digit', async () => {
    const line = (id: string): string => `{"label": "a", "x": {"id": 5}, "id":${id}, "inputs": [[1]]}\n`;
    const data = await load(
      'a.jsonl',
      line('1161888007138312192') + line(' 1161888007138312193 ') + line('7'),
    );
    expect(data.ids).to.eql(['1161888007138312192', '1161888007138312193', '7']);
    expect(notes(data)).to.match(/keys that are not read: "x"/);
    expect(await refusal('a.jsonl', '{"inputs": [[1]], "label": 1161888007138312193}')).to.match(
      /"label" is 1161888007138312193, a number above 2\^53.*as text/,
    );
    expect(await refusal('a.jsonl', '{"inputs": [[1]], "label": "a", "label": "b"}')).to.match(
      /line 1: "label" is given twice/,
    );
  });
});
