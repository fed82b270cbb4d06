import { UsageError } from '../../base/outcome';
import { fieldsOf, describe } from './field';
import { readCase, type VectorCase } from './vector-case';

export const vectorsFormat = 'rnn-parity-vectors/1';

/**
 * Reads vectors from JSON text (`rnn-parity-vectors/1`).
 *
 * @param source how messages call the file
 * @throws UsageError with the file, the case and the field
 */
export function parseVectors(text: string, source: string): VectorCase[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(
      `${source} is not JSON: ${(error as Error).message}; NaN and Infinity are not JSON either, and no vector may hold them.`,
      { cause: error },
    );
  }
  return readVectors(value, source);
}

/** Reads vectors from what JSON.parse gave. */
export function readVectors(value: unknown, source: string): VectorCase[] {
  const file = fieldsOf(value, source, ['format', 'cases']);
  const format = file.get('format');
  if (format !== vectorsFormat) {
    throw new UsageError(`${source}: format is ${describe(format)}; "${vectorsFormat}" was expected.`);
  }
  const cases = file.get('cases');
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new UsageError(
      `${source}: cases is ${describe(cases)}; at least one case was expected, else nothing is compared.`,
    );
  }
  const seen = new Set<string>();
  return cases.map((item: unknown, i) => {
    const fields = fieldsOf(item, `${source}: cases[${i}]`, [
      'id',
      'problem',
      'expected',
      'tolerance',
      'comment',
    ]);
    const id = fields.get('id');
    if (typeof id !== 'string' || id.trim() === '') {
      throw new UsageError(
        `${source}: cases[${i}].id is ${describe(id)}; a name for the reports was expected.`,
      );
    }
    if (seen.has(id)) {
      throw new UsageError(
        `${source}: cases[${i}].id is ${JSON.stringify(id)} again; every case needs its own.`,
      );
    }
    seen.add(id);
    return readCase(fields, id, source, `${source}: case ${JSON.stringify(id)}`);
  });
}
