import { SideUnavailableError } from '../base/side-errors';
import type { OpenSide, SideSource } from '../sides/index';
import type { Cases } from './cases';
import { noFindings, type Collected } from './collected';
import type { SideReport } from './report';
import { SideRun, type SideOptions } from './side-run';

/** Opens a side, runs every case on it and closes it. One that this machine does not have is reported as not run. */
export async function runSource(source: SideSource, cases: Cases, options: SideOptions): Promise<Collected> {
  const { name, required } = source;
  let side: OpenSide;
  try {
    side = await source.open();
  } catch (error) {
    if (!(error instanceof SideUnavailableError)) throw error;
    return { ...noFindings(), sides: [{ name, status: 'not run', required, reason: error.message }] };
  }
  const findings = await runSide(side, required, cases, options);
  side.implementation.dispose?.();
  return findings;
}

/** Runs every case on a side and collects what is found. */
export async function runSide(
  side: OpenSide,
  required: boolean,
  cases: Cases,
  options: SideOptions,
): Promise<Collected> {
  const findings = noFindings();
  const { name, omits = [], layered } = side.implementation;
  const run = new SideRun(side, options, findings);
  await run.put(cases);
  const { refusal: reason } = run;
  const all = [...omits, ...(layered?.omits ?? [])];
  const { version } = side;
  const ran = { name, status: 'ran', required, ...(version !== undefined && { version }) } as const;
  const report: SideReport =
    reason === undefined
      ? { ...ran, ...(all.length > 0 && { omits: all }) }
      : { name, status: 'not run', required, reason };
  return { ...findings, sides: [report] };
}
