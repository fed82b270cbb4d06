import { expect } from 'chai';
import { load, notes, refusal } from './load-file';

const table = 'sequence,x,label\nMüller,1,é\nMöller,1,è\n';
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('text encodings of data files', () => {
  it('refuses bytes that are not UTF-8 with line and byte, in every text format', async () => {
    const message = await refusal('a.csv', Buffer.from(table, 'latin1'));
    expect(message).to.match(
      /a\.csv: line 2, byte 2 of the line \(byte 18 of the file, counted from 0\): the bytes fc .*not UTF-8.*--encoding windows-1252/,
    );
    expect(await refusal('a.tsv', Buffer.from('sequence\tx\tlabel\na\t1\tcaf\xe9\n', 'latin1'))).to.match(
      /line 2, byte 8 of the line/,
    );
    expect(
      await refusal('a.jsonl', Buffer.from('{"inputs": [[1]], "label": "a"}\n{"id": "\xe9"}', 'latin1')),
    ).to.match(/line 2, byte 9 of the line/);
    // A character that the end of the file cuts.
    expect(await refusal('a.csv', Buffer.from(table).subarray(0, -2))).to.match(/ends inside a character/);
    // Also where reading comes in pieces, and the character lies across two of them.
    const row = 'a,1,b\n';
    const many = 'sequence,x,label\n' + row.repeat(2 ** 17);
    for (const extra of [0, 1, 2, 3, 4, 5]) {
      const start = 2 ** 18 - 17 - (2 ** 18 % 6) + extra;
      const bytes = Buffer.from(many);
      bytes[start] = 0xe2;
      bytes[start + 1] = 0x28;
      expect(await refusal('long.csv', bytes)).to.contain(`byte ${start} of the file`);
    }
  });

  it('reads the encoding that is named, that of a byte order mark, and says so', async () => {
    const western = await load('a.csv', Buffer.from(table.replace('1,é', '1,\x92'), 'latin1'), {
      encoding: 'windows-1252',
    });
    expect(western.ids).to.eql(['Müller', 'Möller']);
    expect(western.classNames).to.eql(['è', '’']);
    expect(notes(western)).to.match(/decoded as windows-1252/);
    const marked = await load('a.csv', utf16(table));
    expect(marked.ids).to.eql(['Müller', 'Möller']);
    expect(notes(marked)).to.match(/utf-16le.*byte order mark/);
    const swapped = await load('a.csv', utf16(table).swap16());
    expect(swapped.ids).to.eql(['Müller', 'Möller']);
    const json = await load('a.jsonl', utf16('{"inputs": [[1]], "label": "é"}\r\n'));
    expect(json.classNames).to.eql(['é']);
    expect((await load('a.csv', `\ufeff${table}`)).ids).to.eql(['Müller', 'Möller']);
    expect((await load('b.csv', Buffer.from(table, 'utf16le'), { encoding: 'utf-16le' })).ids).to.have.length(
      2,
    );
  });

  it('refuses what contradicts itself or is no text', async () => {
    expect(await refusal('a.csv', `\ufeff${table}`, { encoding: 'windows-1252' })).to.match(
      /byte order mark of utf-8, but --encoding says windows-1252/,
    );
    expect(await refusal('a.csv', table, { encoding: 'utf-9' })).to.match(/--encoding utf-9 is not known/);
    expect(await refusal('a.csv', Buffer.from('sequence,x,label\na,1,b\n', 'utf16le'))).to.match(
      /line 1 holds a NUL character.*--encoding utf-16le/,
    );
    expect(await refusal('a.csv', Buffer.from('fffe00007300000065000000', 'hex'))).to.match(/UTF-32/);
    expect(await refusal('a.csv', Buffer.from('PK\x03\x04 and so on', 'latin1'))).to.match(/zip archive/);
    expect(await refusal('a.tsv', Buffer.from('1f8b0800', 'hex'))).to.match(/gzip/);
  });
});
