import { setTimeout as rest } from 'node:timers/promises';
import { machineCpuSeconds, shareOfOthers } from './machine';
import type { Status } from './process/protocol';
import type { MemoryReading, TaskReport, TaskResult } from './report/schema';
import { anotherRound, callsPerSample, shuffledRounds, type Effort } from './schedule';
import type { EngineSession } from './process/session';
import { spreadOf } from './statistics';
import type { Task } from './task';

/** Reports progress while measuring, as one short line. */
export type Tell = (line: string) => void;

/** One engine's record of a task. */
interface Turn {
  readonly session: EngineSession;
  readonly first: number;
  readonly calls: number;
  readonly before: Status;
  readonly times: (number | undefined)[];
}

/**
 * Times one task on all engines that can do it. First each warms up; then rounds, and in each round every engine takes
 * one sample, in shuffled order, so that a machine that slows down slows all of them.
 */
export async function measureTask(
  task: Task,
  sessions: readonly EngineSession[],
  options: { readonly effort: Effort; readonly seed: number; readonly tell: Tell },
): Promise<TaskReport> {
  const { effort, seed, tell } = options;
  const turns: Turn[] = [];
  for (const session of sessions.filter((candidate) => candidate.can(task))) {
    tell(`${task}: warming up ${session.entry.name}`);
    const warmed = await session.warm(task);
    const before = warmed && (await session.status());
    if (warmed === undefined || before === undefined) continue;
    const calls = callsPerSample(warmed.warm, effort.sampleMilliseconds);
    turns.push({ session, first: warmed.first, calls, before, times: [] });
  }
  const meter = startMeter(turns);
  const nextOrder = shuffledRounds(turns, seed);
  const begin = performance.now();
  let rounds = 0;
  for (; turns.length > 0 && anotherRound(rounds, performance.now() - begin, effort); rounds++) {
    tell(`${task}: round ${rounds + 1} of at most ${effort.rounds}`);
    for (const { session, calls, times } of nextOrder()) {
      await rest(effort.restMilliseconds);
      times.push(await session.sample(task, calls));
    }
  }
  const after = await readAll(turns);
  const othersShare = meter(after);
  const results = turns.flatMap((turn, i) => resultOf(turn, after[i]));
  return { task, rounds, ...(othersShare === undefined ? {} : { othersShare }), results };
}

function resultOf(turn: Turn, after: Status | undefined): TaskResult[] {
  const measured = turn.times.filter((time) => time !== undefined);
  if (measured.length === 0 || after === undefined) return [];
  return [
    {
      engine: turn.session.entry.name,
      firstMilliseconds: turn.first,
      callsPerRound: turn.calls,
      milliseconds: turn.times.map((time) => time ?? null),
      spread: spreadOf(measured),
      memory: { before: memoryOf(turn.before), after: memoryOf(after) },
    },
  ];
}

/** The memory part of a status. */
export function memoryOf({ rssBytes, tensors }: Status): MemoryReading {
  return tensors === undefined ? { rssBytes } : { rssBytes, tensors };
}

async function readAll(turns: readonly Turn[]): Promise<(Status | undefined)[]> {
  const readings: (Status | undefined)[] = [];
  for (const { session } of turns) readings.push(await session.status());
  return readings;
}

/** Starts to watch the processors; call the result at the end for the share that others used. */
function startMeter(turns: readonly Turn[]): (after: readonly (Status | undefined)[]) => number | undefined {
  const machineBefore = machineCpuSeconds();
  const ownBefore = process.cpuUsage();
  return (after) => {
    const machineAfter = machineCpuSeconds();
    if (machineBefore === undefined || machineAfter === undefined || after.includes(undefined))
      return undefined;
    const { user, system } = process.cpuUsage(ownBefore);
    const engines = turns.reduce(
      (sum, { before }, i) => sum + (after[i]?.cpuSeconds ?? 0) - before.cpuSeconds,
      0,
    );
    return shareOfOthers(machineBefore, machineAfter, (user + system) / 1e6 + engines);
  };
}
