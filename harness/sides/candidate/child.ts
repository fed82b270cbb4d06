// Runs in a process of its own, so that a candidate that loops, exits or prints cannot hurt the run.
import { Worker } from 'node:worker_threads';
import { serveMessages } from '../../base/process/index';
import { CandidateCalls } from './calls';
import { candidateOf, checkCandidate, type CandidateDeclaration } from './check';
import { importModule } from './import-module';
import type { CandidateOperations } from './load';

let calls: CandidateCalls | undefined;

serveMessages<CandidateOperations>((request) => {
  if (request.op === 'load') return load(request.file);
  if (calls === undefined) throw new Error('no candidate is loaded');
  return calls.evaluate(request.problem);
});
endWithParent();

/**
 * Ends this process when its parent is gone, also in a loop without end, which hears of nothing: a thread of its own looks twice a second.
 * What the candidate started is of its group, and ends with it.
 */
function endWithParent(): void {
  const look = `const { ppid } = require('node:worker_threads').workerData;
    const end = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch {} };
    setInterval(() => { if (process.ppid !== ppid) { end(-process.pid); end(process.pid); } }, 500);`;
  new Worker(look, { eval: true, workerData: { ppid: process.ppid } }).unref();
}

async function load(file: string): Promise<CandidateDeclaration> {
  const candidate = candidateOf(await importModule(file), file);
  calls = new CandidateCalls(candidate);
  return checkCandidate(candidate, file);
}
