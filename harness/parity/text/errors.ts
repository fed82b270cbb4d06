import type { ParityReport } from '../report';
import { list, type Part, count, listed, oneLine } from '../../reports/index';

const mostErrors = 8;

/** What sides threw: the first with its stack. */
export function errorPart({ errors }: ParityReport): Part {
  const heads = errors.map(
    ({ implementation, caseId, message }) => `error: ${implementation}, ${caseId}: ${oneLine(message)}`,
  );
  if (heads.length === 0) return { least: 0, lines: () => [] };
  const [first, ...others] = heads;
  const rest = list(others, mostErrors, (left) => `... and ${count(left, 'more error')} (--json tells all)`);
  return {
    least: 1 + rest.least,
    lines: (room) => {
      const free = Math.min(room, mostErrors) - 1 - rest.least;
      const stack = stackOf(errors[0].trace).slice(0, Math.max(0, free));
      return [first, ...stack, ...rest.lines(Math.min(room, mostErrors) - 1 - stack.length)];
    },
  };
}

function stackOf(trace: string): string[] {
  return trace
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => `  ${line.trim()}`);
}

/** What the ledger misses. */
export function auditPart({ audit }: ParityReport): Part {
  return list(
    audit.map((fault) => `not accounted for: ${oneLine(fault)}`),
    6,
  );
}

/** Tensors that no case could show to be right, a line a side. */
export function unshownPart({ unshown }: ParityReport): Part {
  const sides = [...new Set(unshown.map(({ implementation }) => implementation))];
  return list(
    sides.map((side) => {
      const tensors = unshown.filter(({ implementation }) => implementation === side);
      return `not shown: ${side} never had to prove ${listed(tensors.map(({ tensor }) => tensor))} (ill-conditioned or vanished in every case)`;
    }),
    4,
  );
}

/** What no case of the run could have shown. */
export function warningPart({ warnings }: ParityReport): Part {
  return list(
    warnings.map((warning) => `warning: ${oneLine(warning)}`),
    6,
  );
}

export function notePart({ notes }: ParityReport): Part {
  return list(
    notes.map((note) => `note: ${oneLine(note)}`),
    5,
  );
}
