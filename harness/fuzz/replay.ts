import { isDeepStrictEqual } from 'node:util';
import type { OpenSide } from '../sides/index';
import { formatPlace } from '../judge/index';
import { BackendNotRunError, exitCodes, type ExitCode } from '../base/outcome';
import type { AnyProblem } from '../base/problem';
import type { CaseFile } from './case-file';
import { put, withFaultClass, type PutVerdict } from './judge-problem';
import { sizesOfCase } from './summary';
import { formatSizes } from './summary-text';
import { versionsOf, type Versions } from './versions';

export const replayFormat = 'rnn-parity-replay/1';

/** The verdict on one side now, on a saved case. */
export interface Replay {
  readonly side: string;
  readonly versions: Versions;
  /** the versions in the file and those of now, where they differ */
  readonly differences: Readonly<Record<string, { readonly then?: string; readonly now?: string }>>;
  readonly verdict: PutVerdict;
  /** the same verdict as in the file, to the last digit; absent when the side is not the file's */
  readonly identical?: boolean;
  /** not identical, and the same but for the last digits of numbers: another engine of JavaScript has another tanh and exp */
  readonly alike?: boolean;
}

export interface ReplayResult {
  readonly format: typeof replayFormat;
  readonly id: string;
  /** the file's verdict */ readonly then: PutVerdict;
  readonly replays: readonly Replay[];
  readonly exitCode: ExitCode;
}

/**
 * Runs a saved case on sides again. The exit code follows from the verdicts now: 1 while the failure is there, 0 once it is fixed.
 *
 * @throws BackendNotRunError where a side does not have what the problem asks for
 */
export async function replayCase(
  found: CaseFile,
  problem: AnyProblem,
  sides: readonly OpenSide[],
): Promise<ReplayResult> {
  const replays: Replay[] = [];
  for (const { implementation, version, candidate = false } of sides) {
    const plain = await put(implementation, problem, candidate);
    if (plain.refused !== undefined)
      throw new BackendNotRunError(
        `${implementation.name} does not run ${found.id}: ${plain.refused}; name other sides with --backends.`,
      );
    // the fault class is determined only where the file names one
    const { verdict } =
      found.verdict.kind === undefined ? plain : await withFaultClass(implementation, plain);
    const versions = versionsOf([{ name: implementation.name, version }]);
    const own = implementation.name === found.side.name;
    replays.push({
      side: implementation.name,
      versions,
      differences: own ? differencesOf(found.versions, versions) : {},
      verdict,
      ...(own && likeness(verdict, found.verdict)),
    });
  }
  const statuses = replays.map(({ verdict }) => verdict.status);
  const exitCode = statuses.includes('error')
    ? exitCodes.usage
    : statuses.includes('fail')
      ? exitCodes.mismatch
      : exitCodes.parity;
  return { format: replayFormat, id: found.id, then: found.verdict, replays, exitCode };
}

/** A page's references are computed by the browser, and those of `replay` by Node. */
function likeness(now: PutVerdict, then: PutVerdict): Pick<Replay, 'identical' | 'alike'> {
  if (isDeepStrictEqual(asRead(now), then)) return { identical: true };
  const rounded = (verdict: PutVerdict): string =>
    JSON.stringify(verdict, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(9)) : value,
    );
  return { identical: false, ...(rounded(now) === rounded(then) && { alike: true }) };
}

/** As it is after a round trip through JSON: undefined fields are gone. */
function asRead(verdict: PutVerdict): unknown {
  return JSON.parse(JSON.stringify(verdict));
}

function differencesOf(then: Versions, now: Versions): Replay['differences'] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].filter((n) => then[n] !== now[n]);
  return Object.fromEntries(
    names.map((name) => [
      name,
      { ...(name in then && { then: then[name] }), ...(name in now && { now: now[name] }) },
    ]),
  );
}

/** For people: the verdict of each side, and both verdicts where they are not the same. */
export function formatReplay({ id, then, replays }: ReplayResult, problem: AnyProblem): string {
  const lines = [`${id}: ${formatSizes(sizesOfCase(problem))}`];
  for (const { side, differences, verdict, identical, alike } of replays) {
    lines.push('', `${side}: ${describeVerdict(verdict)}`);
    for (const [name, { then: was = 'none', now = 'none' }] of Object.entries(differences))
      lines.push(`  version changed since the failure was found: ${name} ${was}, now ${now}`);
    if (identical === true) lines.push('  the verdict is identical to the one in the file');
    if (alike === true)
      lines.push('  the verdict is the one in the file, but for the last digits of some numbers');
    else if (identical === false)
      lines.push('  the verdict differs from the one in the file, which was:', `  ${describeVerdict(then)}`);
  }
  return lines.join('\n');
}

const views = {
  results: 'in the results',
  steps: 'as one equation by itself',
  probe: 'in the weight probe',
  repeat: 'when it was asked again',
} as const;

function describeVerdict({ status, phase, tensor, kind, error, failing }: PutVerdict): string {
  if (status === 'pass') return 'right';
  if (status === 'ill') return 'ill-conditioned: neither right nor wrong';
  if (status === 'error') return `error: ${error ?? 'it threw'}`;
  const [{ view, at = {}, given, expected, allowed, reason }] = failing;
  const place = formatPlace(at);
  const numbers =
    given === undefined
      ? (reason ?? '')
      : `${String(given)}, expected ${String(expected)}, allowed error ${String(allowed)}`;
  const how = views[view];
  return `wrong: ${tensor ?? ''} (${phase ?? ''}, ${how})${place === '' ? '' : ` at ${place}`}: ${numbers}; ${failing.length} tensors fail in all${kind === undefined ? '' : `; looks like ${kind.join(' or ')}`}`;
}
