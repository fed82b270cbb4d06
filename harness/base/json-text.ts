/** What JSON.parse does not tell: how a value is written, and which key an object has twice, of which it keeps the last. */

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The values of one key of a JSON object as they are written (a number with all its digits); of nested values, the first token. */
export function sourcesOf(text: string, key: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let name = '';
  let wanted = false;
  for (const [part] of text.matchAll(token)) {
    if (wanted) found.push(part);
    wanted = depth === 1 && part === ':' && decoded(name) === key;
    if (part === '{' || part === '[') depth++;
    if (part === '}' || part === ']') depth--;
    name = part;
  }
  return found;
}

/** The first key that an object at any depth has twice, and the line of the second; undefined where there is none. */
export function keyGivenTwice(text: string): { readonly key: string; readonly line: number } | undefined {
  /** the keys so far of every object around, nothing for an array */ const around: (
    Set<unknown> | undefined
  )[] = [];
  let name = '';
  for (const { 0: part, index } of text.matchAll(token)) {
    if (part === '{') around.push(new Set());
    else if (part === '[') around.push(undefined);
    else if (part === '}' || part === ']') around.pop();
    else if (part === ':') {
      const [key, keys] = [decoded(name), around.at(-1)];
      if (keys?.has(key)) return { key: String(key), line: text.slice(0, index).split('\n').length };
      keys?.add(key);
    }
    name = part;
  }
  return undefined;
}

/** A name as JSON.parse reads it: `"\u0069d"` is id. */
const decoded = (name: string): unknown => (name.includes('\\') ? JSON.parse(name) : name.slice(1, -1));
