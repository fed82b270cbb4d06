import { SideUnavailableError } from '../base/side-errors';
import type { OpenSide, SideSource } from '../sides/index';
import { silentProgress } from '../base/progress';
import type { Cases } from './cases';
import type { ParityOptions } from './options';
import { noFindings, type Collected } from './collected';
import { SideRun } from './side-run';

type Options = Pick<ParityOptions, 'tolerance' | 'observer' | 'progress' | 'diagnoses'>;

/** Opens a side, runs every case on it and closes it. One that this machine does not have is reported as not run. */
export async function runSource(source: SideSource, cases: Cases, options: Options): Promise<Collected> {
  let side: OpenSide;
  try {
    side = await source.open();
  } catch (error) {
    if (!(error instanceof SideUnavailableError)) throw error;
    const { name, required } = source;
    const findings = noFindings();
    findings.sides.push({ name, status: 'not run', required, reason: error.message });
    return findings;
  }
  const findings = await runSide(side, source.required, cases, options);
  side.implementation.dispose?.();
  return findings;
}

/** Runs every case on a side and collects what is found. */
export async function runSide(
  side: OpenSide,
  required: boolean,
  cases: Cases,
  options: Options,
): Promise<Collected> {
  const findings = noFindings();
  const { name, omits = [], layered } = side.implementation;
  const all = [...omits, ...(layered?.omits ?? [])];
  const version = side.version === undefined ? {} : { version: side.version };
  findings.sides.push({ name, status: 'ran', required, ...version, ...(all.length > 0 && { omits: all }) });
  const run = new SideRun({ side, options, findings, start: options.progress ?? silentProgress });
  await run.put(cases);
  if (run.refusal !== undefined)
    findings.sides.splice(0, 1, { name, status: 'not run', required, reason: run.refusal });
  return findings;
}
