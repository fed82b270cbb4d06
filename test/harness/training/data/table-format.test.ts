import { expect } from 'chai';
import { labels, load, notes, refusal, rows } from './load-file';

describe('tables as other programs write them', () => {
  it('with semicolons and a decimal comma: guessed, and said', async () => {
    const text = 'sequence;step;x;y;label\r\na;0;1,5;2;k\r\na;1;-0,25;3;k\r\nb;0;1e3;,5;m\r\n';
    const data = await load('a.csv', text);
    expect(rows(data)).to.eql([1.5, 2, -0.25, 3, 1000, 0.5, 0, 0]);
    expect(notes(data)).to.match(/separated by ";", guessed.*--delimiter/);
    expect(notes(data)).to.match(/decimal comma, guessed from "1,5".*--decimal/);
    const told = await load('a.csv', text, { delimiter: ';', decimal: ',' });
    expect(rows(told)).to.eql(rows(data));
    expect(notes(told)).to.equal('');
    const quoted = await load('a.csv', 'sequence,x,label\na,"0,5",k\n');
    expect(rows(quoted)).to.eql([0.5]);
    expect(rows(await load('a.tsv', 'sequence\tx\tlabel\na\t0,5\tk\n'))).to.eql([0.5]);
    expect(rows(await load('a.tsv', 'sequence,x,label\na,0.5,k\n'))).to.eql([0.5]);
    expect(rows(await load('a.csv', 'sequence|x|label\na|0.5|k\n'))).to.eql([0.5]);
    const columns = { sequence: 'id, of all', label: 'y' };
    const other = await load('a.csv', '"id, of all";x,y;y\n1;0.5;2\n', { columns });
    expect(other.featureNames).to.eql(['x,y']);
  });

  it("with Excel's line sep=;", async () => {
    for (const line of ['sep=;', '"sep=;"', 'SEP=;;;']) {
      const data = await load('a.csv', `${line}\r\nsequence;x;label\r\na;0,5;k\r\na;?;k\r\n`, {
        onMalformed: 'skip',
        needLabels: false,
      }).catch((error: unknown) => error as Error);
      expect(data).to.be.instanceOf(Error);
      const sound = await load('a.csv', `${line}\r\nsequence;x;label\r\na;0,5;k\r\n`);
      expect(rows(sound)).to.eql([0.5]);
      expect(notes(sound)).to.match(/separated by ";", as line 1 says/);
      expect(await refusal('a.csv', `${line}\r\nsequence;x;label\r\na;0,5;k\r\na;?;k\r\n`)).to.match(
        /line 4: /,
      );
    }
  });

  it('never takes a comma between thousands for a decimal comma, or the other way round', async () => {
    expect(await refusal('a.csv', 'sequence;x;label\na;1,234;k\n')).to.match(
      /"1,234" may be .*decimal comma or with a comma between thousands.*--decimal ,/,
    );
    expect(rows(await load('a.csv', 'sequence;x;label\na;1,234;k\n', { decimal: ',' }))).to.eql([1.234]);
    expect(await refusal('a.csv', 'sequence;x;label\na;1,234;k\n', { decimal: '.' })).to.match(
      /"1,234" is not a finite number; the decimal sign is "\." here, and --decimal , changes it/,
    );
    expect(await refusal('a.csv', 'sequence;x;label\na;1.234,5;k\n')).to.match(/between thousands/);
    // Points and commas in one file: each row that does not fit is reported.
    expect(await refusal('a.csv', 'sequence;x;label\na;1.5;k\na;1,5;k\n')).to.match(
      /line 3: column "x": "1,5"/,
    );
    // The guess is made from the beginning; what comes later has to agree.
    const later = 'sequence;x;label\n' + 'a;1,5;k\n'.repeat(20_000) + 'a;2.5;k\n';
    expect(await refusal('a.csv', later)).to.match(/line 20002: column "x": "2\.5".*--decimal \./);
  });

  it('with quotes inside fields, in the header too', async () => {
    const data = await load(
      'a.csv',
      'sequence,5" pipe,note,label\na,1,5" pipe,k\na,2,"say ""hi""",k\na,3,6" x 4",k\n',
      { columns: { features: ['5" pipe'] } },
    );
    expect(rows(data)).to.eql([1, 2, 3]);
    expect(await refusal('a.csv', 'sequence,x,label\na,1,"k\n')).to.match(/line 2: .*Quote/);
    expect(await refusal('a.csv', '"sequence,x,label\na,1,k\n')).to.match(/Quote/);
    // Rows that an open quote ran together, though the number of fields is right.
    expect(await refusal('a.csv', 'sequence,x,label\na,1,"k\nb,2,m"\n')).to.match(
      /lines 2 to 3 ran together/,
    );
    expect(await refusal('a.csv', 'sequence,note,x,label\na,"p,1,k\nb,"q,2,m\n')).to.match(
      /line 3: cannot be read \(Invalid Closing Quote/,
    );
    const lines = await load('a.csv', 'sequence,x,note,label\na,1,"two\nlines",k\nb,2,,m\n', {
      columns: { features: ['x'] },
    });
    expect(rows(lines)).to.eql([1, 2]);
    expect(notes(lines)).to.match(/1 quoted field holds line ends \(the first: lines 2 to 3\)/);
  });

  it('with an index that has no name: left out, and said', async () => {
    for (const [header, first] of [
      ['', '0'],
      ['""', '"1"'],
      ['Unnamed: 0', '0'],
    ]) {
      const data = await load('a.csv', `${header},sequence,x,label\n${first},a,5,k\n1,b,6,m\n`);
      expect(data.featureNames).to.eql(['x']);
      expect(notes(data)).to.match(/left out, without a name.*: column 1;/);
    }
    const trailing = await load('a.csv', 'sequence,x,label,,\na,5,k,,\n,,,,\nb,6,m,,\n\n');
    expect(trailing.featureNames).to.eql(['x']);
    expect(notes(trailing)).to.match(/left out, without a name.*: column 4, 5;/);
    expect(notes(trailing)).to.match(/1 row without any value left out/);
    const chosen = await load('a.csv', ',sequence,x,label\n7,a,5,k\n8,b,6,m\n', {
      columns: { features: ['', 'x'] },
    });
    expect(rows(chosen)).to.eql([7, 5, 8, 6]);
    expect(await refusal('a.csv', '"sequence","x","label"\n"1","a",5,"k"\n"2","b",6,"m"\n')).to.match(
      /every row has 4 fields, the header has 3.*row\.names = FALSE/,
    );
  });

  it('with an index that has a name, or with gaps between the steps: warned and said', async () => {
    const named = await load('a.csv', 'index,sequence,step,x,label\n0,a,0,5,k\n1,a,1,5,k\n2,b,0,6,m\n');
    expect(notes(named)).to.match(/warning .*column "index" counts the rows of the file/);
    expect(notes(await load('a.csv', 'sequence,x,label\na,0,k\na,1,k\nb,3,m\n'))).not.to.match(
      /counts the rows/,
    );
    const meant = await load('a.csv', 'sequence,x,label\na,0,k\na,1,k\nb,2,m\n', {
      columns: { features: ['x'] },
    });
    expect(notes(meant)).not.to.match(/counts the rows/);
    const gap = await load('a.csv', 'sequence,step,x,label\na,0,5,k\na,1,5,k\nb,0,6,m\nb,2,6,m\n');
    expect(notes(gap)).to.match(/not equally far apart, first in sequence "b"/);
    const even = await load('a.csv', 'sequence,step,x,label\na,0,5,k\na,10,5,k\nb,10,6,m\nb,20,6,m\n');
    expect(notes(even)).to.equal('');
  });

  it('with a decimal comma in steps and labels alone, and refusals that repeat what was guessed', async () => {
    const text = 'sequence;step;x;label\na;0,2;2;1,0\na;0,1;1;1\nb;0,5;3;2,0\n';
    const data = await load('a.csv', text);
    expect(rows(data)).to.eql([1, 2, 3, 0]);
    expect(data.classNames).to.eql(['1', '2']);
    expect(await refusal('a.csv', 'sequence;x;label\na;0,5;k\na;?;k\n')).to.match(
      /line 3: [^]*read +fields are separated by ";"[^]*decimal comma, guessed from "0,5"/,
    );
    expect(await refusal('a.jsonl', '{"inputs": [[1]], "labels": "a"}')).to.match(
      /no label[^]*keys that are not read: "labels"/,
    );
  });

  it('with all kinds of line ends, also mixed', async () => {
    for (const [a, b] of [
      ['\r\n', '\n'],
      ['\n', '\r\n'],
      ['\r', '\r'],
    ]) {
      const data = await load('a.csv', `sequence,x,label${a}a,1,k${b}b,2,m${a}b,3,m`);
      expect(labels(data)).to.eql(['k', 'm']);
      expect(rows(data)).to.eql([1, 0, 2, 3]);
    }
  });

  it('with one row a sequence: warned that nothing recurs, with what to do', async () => {
    const wide = await load('a.csv', 'sequence,t0,t1,t2,label\na,1,2,3,k\nb,4,5,6,m\n');
    expect(notes(wide)).to.match(
      /warning .*one time step, so nothing recurs\. Columns "t0", "t1", "t2" look like.*wide_to_long\(df, "t"/,
    );
    expect(notes(await load('a.jsonl', '{"inputs": [[1, 2]], "label": 1}\n'))).to.match(/nothing recurs/);
    expect(await refusal('a.csv', 'x_1,x_2,x_3,label\n1,2,3,k\n')).to.match(
      /no column "sequence".*wide_to_long/,
    );
    expect(await refusal('a.csv', '1,0,0.5\n1,1,0.7\n')).to.match(/is the header line missing/);
  });

  it('with time stamps that order the steps', async () => {
    const data = await load(
      'a.csv',
      'sequence,step,x,label\na,2024-03-01 00:00:00.000002,3,k\na,2024-02-29T23:59:59,1,k\na,2024-03-01 00:00:00.000001,2,k\n',
    );
    expect(rows(data)).to.eql([1, 2, 3]);
    expect(notes(data)).to.match(/column "step" holds time stamps/);
    expect(notes(data)).to.match(/rows sorted by step/);
    const zones = await load(
      'a.csv',
      'sequence,step,x,label\na,2024-01-01T12:00:00+02:00,1,k\na,2024-01-01T11:00:00Z,2,k\n',
    );
    expect(rows(zones)).to.eql([1, 2]);
    const days = await load('a.csv', 'sequence,step,x,label\na,2024-01-02,2,k\na,2024-01-01,1,k\n');
    expect(rows(days)).to.eql([1, 2]);
    for (const [step, reason] of [
      ['01/02/2024', /not an ISO 8601 time stamp.*sort the rows/],
      ['12:30:00', /not an ISO 8601 time stamp/],
      ['2024-02-30', /not a date of the calendar/],
      ['2024-01-01 00:00:00.000000001', /nanoseconds/],
      ['7', /is a number where the rows before have a time stamp/],
      ['1700000000000000001', /above 2\^53/],
    ] as const)
      expect(await refusal('a.csv', `sequence,step,x,label\na,2024-01-01,1,k\na,${step},1,k\n`)).to.match(
        reason,
      );
  });
});

describe('--skip-malformed', () => {
  const skip = (text: string, columns?: object): Promise<string> =>
    load('a.csv', text, { onMalformed: 'skip', ...columns }).then(
      (data) => `${(data.ids ?? []).join(' ')} without ${data.skipped}, ${data.lengths.join(' ')} steps`,
      (error: unknown) => (error as Error).message,
    );

  it('leaves out every sequence that lacks a row', async () => {
    const sound = 's2,0,1,p,b\ns2,1,2,p,b\n';
    const header = 'sequence,step,x,note,label\n';
    const columns = { columns: { features: ['x'] } };
    for (const row of ['s1,1,0.1', 's1,1,0.1,n,o,a', 's1,1,?,n,a', 's1,?,1,n,a', 's1,1,1,n,z', 's1,0,1,n,a'])
      expect(await skip(`${header}s1,0,0,n,a\n${row}\ns1,2,0.2,n,a\n${sound}`, columns), row).to.equal(
        's2 without 1, 2 steps',
      );
    // A quote inside a field is text, so that nothing is missing.
    expect(await skip(`${header}s1,0,0,n,a\ns1,1,0.1,1" x,a\ns1,2,0.2,n,a\n${sound}`, columns)).to.equal(
      's1 s2 without 0, 3 2 steps',
    );
  });

  it('refuses a row that does not tell its sequence', async () => {
    const rest = 's1,0,1,a\ns1,1,2,a\n';
    const header = 'sequence,step,x,label\n';
    for (const row of [',1,2,a', 'torn field', '1,2'])
      expect(await skip(`${header}${rest}${row}\n`), row).to.match(
        /line 4: .*leaves out whole sequences, but this row does not tell which/,
      );
    expect(await skip(`x,sequence,label\n1,s1,a\ns2,a\n2,s1,a\n`)).to.match(
      /line 3: has 2 fields.*does not tell/,
    );
    expect(await skip(`${header}${rest}s1,2,3,"a\ns2,0,1,b\ns2,1,2,b\n`)).to.match(/line \d+: .*Quote/);
    expect(await skip(`${header}s1,0,1,"a\ns2,0,1"\n${rest}`)).to.match(/does not tell|ran together/);
  });
});
