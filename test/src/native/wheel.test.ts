import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import yazl from 'yazl';
import { recipe, type Recipe } from '../../../src/native/recipe';
import { SetUpError } from '../../../src/native/set-up-error';
import { downloadWheel } from '../../../src/native/wheel';
import { withEnvironment } from '../../support/environment';
import { temporaryDirectory } from '../../support/temporary-directory';

describe('downloadWheel, with the pip of this machine and an index that is a directory', () => {
  const directory = temporaryDirectory();

  async function download(sha256: (real: string) => string, name = 'tiny'): Promise<string> {
    const index = path.join(directory(), 'index');
    fs.mkdirSync(index);
    const file = path.join(index, 'tiny-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl');
    await writeWheel(file);
    const real = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    const target = path.join(directory(), 'target');
    fs.mkdirSync(target);
    const ofTiny: Recipe = { ...recipe, wheel: { name, sha256: sha256(real), bytes: 1000 } };
    const env = {
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: index,
      PIP_CONFIG_FILE: '/dev/null',
      PIP_CONSTRAINT: undefined,
    };
    return withEnvironment(env, () => downloadWheel(ofTiny, target, () => undefined));
  }

  it('gets the wheel of the recipe, whatever Python runs pip', async () => {
    const file = await download((real) => real);
    expect(path.basename(file)).to.equal('tiny-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl');
    expect(fs.statSync(file).size).to.be.greaterThan(100);
  });

  it('refuses a wheel with another hash, with both hashes', async () => {
    const error = await download(() => 'ab'.repeat(32)).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(SetUpError);
    expect((error as Error).message).to.match(
      /^pip found tiny 2\.21\.0 with sha256 [0-9a-f]{64}, expected (ab){32}; .*index/,
    );
  });

  it('gives pip’s own reason when there is no such wheel', async () => {
    const error = await download((real) => real, 'absent').catch((thrown: unknown) => thrown);
    expect((error as Error).message).to.match(
      /^pip could not download absent 2\.21\.0 \(exit code 1: ERROR: No matching distribution found .*; check the network/,
    );
  });
});

function writeWheel(file: string): Promise<void> {
  const zip = new yazl.ZipFile();
  const info = 'tiny-2.21.0.dist-info';
  const members: Record<string, string> = {
    'tiny.py': '',
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: tiny\nVersion: 2.21.0\n',
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_27_x86_64\n',
    [`${info}/RECORD`]: '',
  };
  for (const [name, text] of Object.entries(members)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return pipeline(zip.outputStream, fs.createWriteStream(file));
}
