import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import yazl from 'yazl';
import { extractMembers } from '../../../src/native/wheel';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('extractMembers', () => {
  const directory = temporaryDirectory();
  const text = 'many words '.repeat(1000);

  async function zip(): Promise<string> {
    const file = path.join(directory(), 'some.zip');
    const archive = new yazl.ZipFile();
    archive.addBuffer(Buffer.from(text), 'a/large');
    archive.addBuffer(Buffer.from('small'), 'small', { compress: false });
    archive.addBuffer(Buffer.from('other'), 'other');
    archive.end();
    await pipeline(archive.outputStream, fs.createWriteStream(file));
    return file;
  }

  it('writes the members asked for, where asked, and counts the bytes', async () => {
    const target = (name: string): string => path.join(directory(), 'out', name);
    const counts: number[] = [];
    await extractMembers(
      await zip(),
      new Map([
        ['a/large', target('large')],
        ['small', target('deep/small')],
      ]),
      (bytes) => counts.push(bytes),
    );
    expect(fs.readFileSync(target('large'), 'utf8')).to.equal(text);
    expect(fs.readFileSync(target('deep/small'), 'utf8')).to.equal('small');
    expect(fs.readdirSync(path.join(directory(), 'out')).sort()).to.deep.equal(['deep', 'large']);
    expect(counts.at(-1)).to.equal(text.length + 'small'.length);
  });

  it('names the members that are missing', async () => {
    const error: unknown = await extractMembers(
      await zip(),
      new Map([
        ['small', path.join(directory(), 'small')],
        ['absent', path.join(directory(), 'absent')],
      ]),
    ).catch((thrown: unknown) => thrown);
    expect((error as Error).message).to.equal('some.zip does not hold absent');
  });

  it('fails on a cut archive', async () => {
    const file = await zip();
    fs.truncateSync(file, 60);
    const error: unknown = await extractMembers(
      file,
      new Map([['small', path.join(directory(), 'small')]]),
    ).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Error);
  });
});
