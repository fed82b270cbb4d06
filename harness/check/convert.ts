import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../base/files/index';
import { UsageError } from '../base/outcome';
import { layersModelText, openModelFile, toLayersModel } from '../models/index';
import { checkModel, type CheckReport } from './check-model';
import { generateInputs } from './inputs';
import { runReference, tensorOf } from './reference';

/**
 * Writes a user's model as a LayersModel of TensorFlow.js: a folder with model.json, weights.bin, and parity.json, the proof. The result is
 * opened again, runs in TensorFlow.js itself, and must give what the model gave; only then does the folder appear, whole.
 *
 * @param out a folder that does not exist yet
 * @returns the proof; where it is a mismatch, nothing was written
 * @throws UsageError on a model that is not read, a layer or an option that TensorFlow.js does not have, or a folder that exists
 */
export async function convertToTfjs(file: string, out: string, seed = 1): Promise<CheckReport> {
  if ((await stat(out).catch(() => undefined)) !== undefined)
    throw new UsageError(`--out ${out} exists already and is left alone; choose another name.`);
  const model = await openModelFile(file);
  const written = toLayersModel(model, file);
  const temporary = `${path.resolve(out)}.${process.pid}.tmp`;
  try {
    await mkdir(temporary, { recursive: true });
    await writeFileAtomic(path.join(temporary, 'weights.bin'), written.weightData);
    await writeFileAtomic(path.join(temporary, 'model.json'), layersModelText(written));
    const inputs = generateInputs(model, { seed });
    const runs = runReference(model, inputs);
    const expected = model.outputs.map((source) => tensorOf(runs, source));
    const found = await checkModel(await openModelFile(temporary), { inputs, expected, sides: ['tfjs:cpu'] });
    const report = { ...found, file: out };
    if (report.verdict !== 'parity') return report;
    await writeFileAtomic(path.join(temporary, 'parity.json'), `${JSON.stringify(report, undefined, 2)}\n`);
    await rename(temporary, out);
    return report;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
