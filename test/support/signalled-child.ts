import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { GraphSimpleRNNClassifier, loadBackend } from '../../src/index';

/** What Linux says of each of TensorFlow's threads that compute. */
const computing = (): string[] =>
  readdirSync('/proc/self/task')
    .map((thread) => readFileSync(`/proc/self/task/${thread}/status`, 'utf8'))
    .filter((status) => status.startsWith('Name:\ttf_Compute\n'));

/**
 * Trains, in the thread that takes the process's signals, while another process sends signals; prints whether any arrived, whether
 * TensorFlow has threads of its own, and how many of these would take one.
 */
async function main(): Promise<void> {
  const backend = await loadBackend('tensorflow');
  let arrived = 0;
  process.on('SIGUSR2', () => arrived++);
  const [batch, timeSteps, features] = [32, 8, 28];
  const model = new GraphSimpleRNNClassifier({ backend, features, units: 128, classes: 10, chains: 1 });
  const data = Float32Array.from({ length: batch * timeSteps * features }, (_, i) => Math.sin(i));
  const labels = new Int32Array(batch);
  const send = `for i in $(seq 200); do kill -USR2 ${process.pid} || exit 1; sleep 0.002; done`;
  const sender = spawn('/bin/sh', ['-c', send], { stdio: 'ignore' });
  while (sender.exitCode === null && sender.signalCode === null) {
    for (let i = 0; i < 10; i++) model.trainOnBatch({ data, shape: [batch, timeSteps, features] }, labels);
    await new Promise(setImmediate);
  }
  model.dispose();
  const threads = computing();
  const takers = threads.filter((status) => /^SigBlk:\t0*$/m.test(status));
  process.stdout.write(`${arrived > 0}, ${threads.length > 0}, ${takers.length} threads\n`);
}

void main();
