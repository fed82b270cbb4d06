import { UsageError } from '../base/outcome';

export type Json = Readonly<Record<string, unknown>>;

/** An object as it is, anything else as an empty one. */
export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export const isTexts = (value: unknown): value is readonly string[] =>
  // a copy first, in which a hole is undefined
  Array.isArray(value) && Array.from(value as unknown[]).every((x) => typeof x === 'string');

/** A value for a message, short. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Nothing that a model's configuration needs is nested deeper; JSON.parse itself and every reader recurse. */
const deepest = 200;

/**
 * Parses JSON that came from elsewhere.
 *
 * @param what how messages call it
 * @throws UsageError when it is no JSON, or is nested deeper than any model is
 */
export function parseJson(text: string, what: string): unknown {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inText) {
      if (c === '\\') i++;
      else if (c === '"') inText = false;
    } else if (c === '"') inText = true;
    else if (c === '[' || c === '{') {
      if (++depth > deepest)
        throw new UsageError(
          `${what} is nested deeper than ${deepest} levels, which no model is; save the model again.`,
        );
    } else if (c === ']' || c === '}') depth--;
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UsageError(`${what} is not JSON (${(error as Error).message}); save the model again.`, {
      cause: error,
    });
  }
}
