import type { Readable, Writable } from 'node:stream';
import {
  decodeFloat32,
  decodeWeights,
  encodeTensor,
  encodeWeights,
  serveLines,
  type WireRequest,
} from '../../base/process/index';
import type { BenchEngine, EngineProblem } from './engine';
import type { Checked, Operations, WireProblem } from './protocol';
import { quantile } from '../statistics';
import type { Task } from '../task';

/** Answers requests, one line each, until the input ends. `load` makes the engine on `start`. */
export async function serveEngine(
  load: () => Promise<BenchEngine>,
  input: Readable,
  output: Writable,
): Promise<void> {
  const server = new EngineServer(load);
  await serveLines<Operations>((request) => server.perform(request), input, output);
}

class EngineServer {
  private engine: BenchEngine | undefined;
  private problem: EngineProblem | undefined;

  constructor(private readonly load: () => Promise<BenchEngine>) {}

  perform(request: WireRequest<Operations>): Promise<Operations[keyof Operations]['result']> | object {
    switch (request.op) {
      case 'start':
        return this.start();
      case 'open':
        return this.open(request.problem);
      case 'check':
        return this.check();
      case 'warm':
        return this.warm(request.task, request.calls, request.milliseconds);
      case 'run':
        return this.run(request.task, request.calls);
      case 'product':
        return this.product();
      case 'status':
        return this.status();
    }
  }

  private async start(): Promise<Operations['start']['result']> {
    const before = performance.now();
    const engine = await this.load();
    this.engine = engine;
    const { versions, tasks, settings } = engine;
    const milliseconds = performance.now() - before;
    return { versions, tasks, milliseconds, ...(settings === undefined ? {} : { settings }) };
  }

  private async open(wire: WireProblem): Promise<object> {
    this.problem = {
      size: wire.size,
      inputs: { shape: wire.inputs.shape, data: decodeFloat32(wire.inputs) },
      labels: Int32Array.from(wire.labels),
      weights: decodeWeights(wire.weights),
      learningRate: wire.learningRate,
    };
    await this.started().open(this.problem);
    return {};
  }

  private async check(): Promise<Checked> {
    const engine = this.started();
    const problem = this.opened();
    const { classes } = problem.size;
    await engine.open({ ...problem, learningRate: 1 });
    const scores = async (examples: 1 | 256) =>
      encodeTensor({ shape: [examples, classes], data: await engine.forward(examples) });
    const checked = {
      scores: engine.scores,
      ...(engine.tasks.includes('forward1') ? { forward1: await scores(1) } : {}),
      ...(engine.tasks.includes('forward256') ? { forward256: await scores(256) } : {}),
      ...(engine.tasks.includes('step')
        ? { loss: await engine.trainStep(), weights: encodeWeights(await engine.weights()) }
        : {}),
    };
    await engine.open(problem);
    return checked;
  }

  private async warm(task: Task, calls: number, milliseconds: number): Promise<Operations['warm']['result']> {
    const begin = performance.now();
    const times: number[] = [];
    while (times.length < calls || performance.now() - begin < milliseconds) {
      times.push((await this.run(task, 1)).milliseconds);
    }
    const warmMilliseconds = quantile(times.slice(Math.floor(times.length / 2)), 0.5);
    return { calls: times.length, firstMilliseconds: times[0], warmMilliseconds };
  }

  private async run(task: Task, calls: number): Promise<Operations['run']['result']> {
    const engine = this.started();
    this.opened();
    if (task === 'setup') return { milliseconds: await timeSetUp(engine, calls) };
    const call = {
      step: () => engine.trainStep(),
      epoch: () => engine.epoch(),
      forward1: () => engine.forward(1),
      forward256: () => engine.forward(256),
    }[task];
    let result: unknown;
    const before = performance.now();
    for (let i = 0; i < calls; i++) {
      const soon = call();
      result = soon instanceof Promise ? await soon : soon;
    }
    const milliseconds = performance.now() - before;
    if (typeof result === 'number' && !Number.isFinite(result)) {
      throw new RangeError(
        `${task}: the loss became ${result} while timing; a benchmark of overflowing numbers says nothing, so lower the learning rate.`,
      );
    }
    return { milliseconds };
  }

  private product(): Operations['product']['result'] {
    const { product } = this.started();
    if (product === undefined) throw new Error('This engine measures no products.');
    return { milliseconds: product() };
  }

  private status(): Operations['status']['result'] {
    const tensors = this.engine?.tensors?.();
    const { user, system } = process.cpuUsage();
    return {
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      ...(tensors === undefined ? {} : { tensors }),
    };
  }

  private started(): BenchEngine {
    if (this.engine === undefined) throw new Error('The engine was not started; send "start" first.');
    return this.engine;
  }

  private opened(): EngineProblem {
    if (this.problem === undefined) throw new Error('No problem is open; send "open" first.');
    return this.problem;
  }
}

async function timeSetUp(engine: BenchEngine, calls: number): Promise<number> {
  let milliseconds = 0;
  for (let i = 0; i < calls; i++) {
    const before = performance.now();
    const release = await engine.setUp();
    milliseconds += performance.now() - before;
    release();
  }
  return milliseconds;
}
