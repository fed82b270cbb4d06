import type { SizeReport, TaskReport } from './schema';
import { speedup } from '../statistics';

/** The baselines when none is asked for: the plainest use of TensorFlow.js that was timed. */
const preferred = ['layers:tensorflow', 'layers:wasm', 'layers:cpu', 'scratch'];

/** The engine that ratios are taken over when none was asked for; undefined when nothing was timed. */
export function chooseBaseline(sizes: readonly SizeReport[]): string | undefined {
  const timed = new Set(
    sizes.flatMap(({ tasks }) => tasks.flatMap(({ results }) => results.map(({ engine }) => engine))),
  );
  return preferred.find((name) => timed.has(name)) ?? [...timed][0];
}

/** The same reports with each result's speed-up over the baseline, round by round, where the baseline was timed. */
export function withSpeedups(sizes: readonly SizeReport[], baseline: string): SizeReport[] {
  return sizes.map((report) => ({ ...report, tasks: report.tasks.map((task) => rate(task, baseline)) }));
}

function rate(report: TaskReport, baseline: string): TaskReport {
  const base = report.results.find(({ engine }) => engine === baseline)?.milliseconds.map(present);
  const results = report.results.map(({ speedup: _before, ...result }) => {
    const faster = base && speedup(result.milliseconds.map(present), base);
    return { ...result, ...(faster && { speedup: faster }) };
  });
  return { ...report, results };
}

const present = (time: number | null): number | undefined => time ?? undefined;
