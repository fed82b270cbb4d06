import { problemIdOf } from '../examine/index';

/**
 * Whether a case is meant by `--only`: a part of its id, letter case ignored; with `*` (anything) and `?` (one character) the
 * pattern must match the whole id. The ids of single views (`generated/017, weight probe`) mean their problem.
 */
export function isSelected(id: string, only: string | undefined): boolean {
  if (only === undefined) return true;
  const name = id.toLowerCase();
  const pattern = problemIdOf(only).toLowerCase();
  if (!/[*?]/.test(pattern)) return name.includes(pattern);
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}
