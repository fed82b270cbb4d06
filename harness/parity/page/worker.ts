import {
  BackendUnavailableError,
  describeWebgl,
  describeWebgpu,
  evaluateWithTfjsAsync,
  loadBrowserBackend,
  TfNetwork,
  updateWithTfjsAsync,
  type LoadedBackend,
} from '../../../src/browser/index';
import wasmSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import { asError } from '../../base/side-errors';
import { catalogue, plant } from '../../faults/index';
import { describeArithmetic } from '../../sides/arithmetic/index';
import { isLayered, type AnyProblem, type Evaluation, type Implementation } from '../../base/problem';
import type { OpenSide } from '../../sides/index';
import { ChartData } from '../html/chart-data';
import { runSide } from '../run-side';
import { casesOf } from './config';
import { judgeAsHalf } from './half';
import type { FromWorker, ToWorker } from './messages';
import { casesOn } from './plan';
import { readBack } from './read-back';
import { byModelAsync, refusesLayers, type PageSide } from '../../sides/page/index';

/** A side in a worker of its own: tfjs reads its flags once, and a side that hangs or crashes takes no other with it. */
const say = (message: FromWorker): void => {
  postMessage(message);
};
const complaints: string[] = [];
const started = performance.now();
let opening: Promise<LoadedBackend> | undefined;
let queue: Promise<unknown> = Promise.resolve();

// one order after the other: a device computes one thing at a time
addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  queue = queue.then(() => obey(data));
});

async function obey(order: ToWorker): Promise<void> {
  try {
    opening ??= open(order.side);
    const backend = await opening;
    if (order.type === 'read back') {
      say({ type: 'read', verdict: await readBack(backend, order.side, order.numbers) });
      return;
    }
    if (order.type === 'run') {
      await run(backend, order);
      return;
    }
    const given = await answer(sideOn(backend, order.side), order.problem);
    say({ type: 'answered', id: order.id, answer: given, version: backend.version });
  } catch (error) {
    if (error instanceof BackendUnavailableError && order.type !== 'answer') {
      say({ type: 'unavailable', reason: `${error.reason}; ${error.fix}` });
      return;
    }
    const { message: own, stack = '' } = asError(error);
    const message = [own, ...complaints].join('; ');
    say({ type: 'threw', ...(order.type === 'answer' && { id: order.id }), message, trace: stack });
  }
}

async function open({ backend: name, flags, asIs }: PageSide): Promise<LoadedBackend> {
  // the kernels with SIMD alone, which every browser of today has: those without would be 110 KB more of the page
  const files = [
    'tfjs-backend-wasm.wasm',
    'tfjs-backend-wasm-simd.wasm',
    'tfjs-backend-wasm-threaded-simd.wasm',
  ];
  const wasmPaths = Object.fromEntries(files.map((file) => [file, wasmSimd]));
  const backend = await loadBrowserBackend(name, { flags, asIs, wasmPaths });
  listenForComplaints(backend);
  return backend;
}

/** What a driver that is reset does. */
function loseDevice({ name, tf }: LoadedBackend): void {
  if (name === 'webgpu')
    (tf.backend() as unknown as { readonly device: { destroy(): void } }).device.destroy();
  if (name !== 'webgl') return;
  const { canvas } = tf.backend() as unknown as { readonly canvas: OffscreenCanvas };
  canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
}

/** tfjs goes on silently where a shader does not compile or the device is gone. */
function listenForComplaints({ name, tf }: LoadedBackend): void {
  const complain = (text: string): void => {
    const [line] = text.split('\n');
    if (complaints.length < 20 && !complaints.includes(line)) complaints.push(line);
  };
  // what is read from a device that is gone never arrives
  const lost = (message: string): void => say({ type: 'threw', message, trace: '' });
  if (name === 'webgpu') {
    const { device } = tf.backend() as unknown as {
      readonly device: EventTarget & {
        readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
      };
    };
    device.addEventListener('uncapturederror', (event) => {
      complain(`uncaptured error: ${(event as unknown as { error: { message: string } }).error.message}`);
    });
    void device.lost.then(({ reason, message }) => lost(`device lost (${reason || 'unknown'}): ${message}`));
  }
  if (name === 'webgl') {
    const { canvas } = tf.backend() as unknown as { readonly canvas?: EventTarget };
    canvas?.addEventListener('webglcontextlost', () => lost('context lost'));
  }
}

async function deviceOf({ backend }: PageSide): Promise<{ readonly software: boolean }> {
  if (backend === 'webgl') return describeWebgl() ?? { software: false };
  const device = backend === 'webgpu' ? await describeWebgpu() : 'none';
  return typeof device === 'string' ? { software: false } : device;
}

async function run(backend: LoadedBackend, order: ToWorker & { readonly type: 'run' }): Promise<void> {
  const { side, config } = order;
  const { version } = backend;
  const { software } = await deviceOf(side);
  const opened = performance.now() - started;
  say({ type: 'opened', version, software, opened });
  const cases = casesOn(side, await casesOf(config));
  const charts = new ChartData();
  const open = openSide(backend, order);
  const found = await runSide(open, true, cases, {
    observer: charts,
    progress: () => ({
      step: (id = '') => {
        say({ type: 'step', id });
        if (config.lose === true) loseDevice(backend);
      },
      stop: () => undefined,
    }),
  });
  // a single problem that is wrong may be so because the device computes in half precision
  const isMeasured = config.only === undefined || found.cases.some(({ status }) => status === 'fail');
  const arithmetic = isMeasured ? await describeArithmetic(backend) : undefined;
  const half = arithmetic?.halfPrecision === true ? await judgeAsHalf(open, cases) : undefined;
  const facts = {
    ...{ name: side.name, version, software, flags: side.flags, complaints, opened },
    ...(arithmetic && { arithmetic }),
    ...(half && { half }),
    took: performance.now() - started,
  };
  say({ type: 'done', found, charts: charts.sides.at(0), facts });
}

function openSide(
  backend: LoadedBackend,
  { side, config: { plant: name } }: ToWorker & { readonly type: 'run' },
): OpenSide {
  const plain = sideOn(backend, side);
  const fault = catalogue.find((one) => one.name === name);
  if (name !== undefined && fault === undefined) throw new Error(`there is no fault ${JSON.stringify(name)}`);
  return {
    implementation: fault === undefined ? plain : plant(fault, plain),
    version: backend.version,
    update: (options) => updateWithTfjsAsync(backend, options),
  };
}

/** The twin on a backend with asynchronous reads, or TensorFlow.js as it is. */
function sideOn(
  backend: LoadedBackend,
  side: PageSide,
): Implementation & Required<Pick<Implementation, 'layered'>> {
  return {
    ...{ name: side.name, precision: 'float32' },
    evaluate: (problem) => evaluateWithTfjsAsync(backend, problem),
    layered: {
      ...byModelAsync((options) => new TfNetwork({ backend, ...options })),
      refuses: (model) => refusesLayers(side, model),
    },
  };
}

function answer(side: ReturnType<typeof sideOn>, problem: AnyProblem): Evaluation | Promise<Evaluation> {
  return isLayered(problem) ? side.layered.evaluate(problem) : side.evaluate(problem);
}
