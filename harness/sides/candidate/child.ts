// Runs in a process of its own, so that a candidate that loops, exits or prints cannot hurt the run.
import { Worker } from 'node:worker_threads';
import { describeThrown } from '../../base/side-errors';
import { CandidateCalls } from './calls';
import { candidateOf, checkCandidate } from './check';
import { importModule } from './import-module';
import type { FromCandidate, ToCandidate } from './protocol';

let calls: CandidateCalls | undefined;

process.on('message', (message: ToCandidate) => {
  void handle(message).then((answer) => {
    send(answer);
  });
});
process.on('disconnect', () => process.exit(0));
endWithParent();

/** Ends this process when its parent is gone, also in a loop without end, which hears of nothing: a thread of its own looks twice a second. */
function endWithParent(): void {
  const look = `const { ppid } = require('node:worker_threads').workerData;
    setInterval(() => { if (process.ppid !== ppid) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(look, { eval: true, workerData: { ppid: process.ppid } }).unref();
}

async function handle(message: ToCandidate): Promise<FromCandidate> {
  if (message.type === 'load') return load(message.file);
  try {
    if (calls === undefined) throw new Error('no candidate is loaded');
    return { type: 'answer', answer: await calls.evaluate(message.problem) };
  } catch (error) {
    return { type: 'threw', ...describeThrown(error) };
  }
}

async function load(file: string): Promise<FromCandidate> {
  try {
    const module = await importModule(file);
    const candidate = candidateOf(module, file);
    calls = new CandidateCalls(candidate);
    return { type: 'loaded', declaration: checkCandidate(candidate, file) };
  } catch (error) {
    return { type: 'refused', ...describeThrown(error) };
  }
}

function send(message: FromCandidate): void {
  process.send?.(message);
}
