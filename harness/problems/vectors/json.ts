import { keyGivenTwice } from '../../base/json-text';
import { UsageError } from '../../base/outcome';
import { isLayered } from '../../base/problem';
import { fieldsOf, describe } from './field';
import { readCase, type VectorCase } from './vector-case';

/** The second also knows problems about networks of layers: with `problem.model`, and everything by layer. */
export const vectorsFormats = ['rnn-parity-vectors/1', 'rnn-parity-vectors/2'] as const;

/** @throws UsageError when it is no format of vectors, or holds a layered problem that its format does not know */
export function checkFormat(format: unknown, cases: readonly VectorCase[], source: string): void {
  if (!(vectorsFormats as readonly unknown[]).includes(format))
    throw new UsageError(
      `${source}: format is ${describe(format)}; "${vectorsFormats.join('" or "')}" was expected.`,
    );
  const layered = cases.find(({ problem }) => isLayered(problem));
  if (layered !== undefined && format === vectorsFormats[0])
    throw new UsageError(
      `${source}: case ${JSON.stringify(layered.id)} has problem.model, which "${vectorsFormats[0]}" does not know; write "${vectorsFormats[1]}" as the format.`,
    );
}

/**
 * Reads vectors from JSON text (`rnn-parity-vectors/1` and `/2`).
 *
 * @param source how messages call the file
 * @throws UsageError with the file, the case and the field
 */
export function parseVectors(text: string, source: string): VectorCase[] {
  if (typeof text !== 'string')
    throw new TypeError(`parseVectors: the text is a ${typeof text}; pass what the file holds, as text.`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(
      `${source} is not JSON: ${(error as Error).message}; NaN and Infinity are not JSON either, and no vector may hold them.`,
      { cause: error },
    );
  }
  const twice = keyGivenTwice(text);
  if (twice !== undefined)
    throw new UsageError(
      `${source}: ${JSON.stringify(twice.key)} is given twice in one object, the second time on line ${twice.line}; keep one of them.`,
    );
  return readVectors(value, source);
}

/** Reads vectors from what JSON.parse gave. */
export function readVectors(value: unknown, source: string): VectorCase[] {
  const file = fieldsOf(value, source, ['format', 'cases']);
  const format = file.get('format');
  checkFormat(format, [], source);
  const cases = file.get('cases');
  if (!Array.isArray(cases) || cases.length === 0) {
    throw new UsageError(
      `${source}: cases is ${describe(cases)}; at least one case was expected, else nothing is compared.`,
    );
  }
  const seen = new Set<string>();
  const read = cases.map((item: unknown, i) => {
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
  checkFormat(format, read, source);
  return read;
}
