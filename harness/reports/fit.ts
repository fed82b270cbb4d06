/** A part of a text that can be longer or shorter, but is never left out. */
export interface Part {
  /** lines it cannot do without; 0 for one that has nothing to say */ readonly least: number;
  /** at most `room` lines (`room` is at least `least`); whatever it shortens, it counts */
  lines(room: number): readonly string[];
}

/**
 * Shares out `room` lines: every part gets what it cannot do without, then the parts take more in the order of `urgent`.
 *
 * @param parts in the order in which they are shown
 * @param urgent the same parts, the one that may grow first in front
 */
export function fit(parts: readonly Part[], urgent: readonly Part[], room: number): string[] {
  const shown = new Map<Part, readonly string[]>();
  let free = room - parts.reduce((sum, { least }) => sum + least, 0);
  for (const part of urgent) {
    const lines = part.least === 0 ? [] : part.lines(part.least + Math.max(0, free));
    shown.set(part, lines);
    free -= lines.length - part.least;
  }
  return parts.flatMap((part) => shown.get(part) ?? []);
}

/** A plain list of lines that ends with a count of what has no room. */
export function list(
  lines: readonly string[],
  most: number,
  rest: (left: number) => string = (left) => `... and ${left} more (--verbose shows them)`,
): Part {
  return {
    least: Math.min(lines.length, 1),
    lines: (room) => {
      const allowed = Math.min(room, most);
      if (lines.length <= allowed) return lines;
      return [...lines.slice(0, allowed - 1), rest(lines.length - allowed + 1)];
    },
  };
}
