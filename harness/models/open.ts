import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readRegularFile } from '../base/files/index';
import { UsageError } from '../base/outcome';
import type { ModelDescription } from './description';
import { isH5 } from './keras/h5';
import { readKerasArchive, readKerasH5, type ReadOptions } from './keras/read';
import { readLayersModel } from './tfjs/read';

/**
 * Opens a user's model, by what the file is and not by its name: a LayersModel of TensorFlow.js (its model.json or its folder), .keras
 * or .h5 of Keras. Nothing in a file is executed.
 *
 * @param options until: reads only what comes before the layer of this name
 * @throws UsageError that says what the file is and what is not read of it
 */
export async function openModelFile(given: string, options: ReadOptions = {}): Promise<ModelDescription> {
  const found = await stat(given).catch(() => undefined);
  if (found?.isDirectory() === true) return readLayersModel(path.join(given, 'model.json'), options);
  if (path.extname(given) === '.json') return readLayersModel(given, options);
  const bytes = await readRegularFile(given);
  if (isH5(bytes)) return readKerasH5(bytes, given, options);
  if (bytes.subarray(0, 2).toString('latin1') === 'PK') return readKerasArchive(bytes, given, options);
  throw new UsageError(
    `${given} is no model that is read: a LayersModel of TensorFlow.js (model.json), .keras or .h5 of Keras was expected.`,
  );
}
