import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Tensor } from '../../../scratch/index';
import { childScript } from '../../../src/index';
import { UsageError } from '../../base/outcome';

/** A dataset of an HDF5 file. */
export interface H5Entry {
  /** from the root: `layers/lstm/cell/vars/0` */ readonly name: string;
  readonly shape: readonly number[];
  /** @throws UsageError when it holds no numbers, or its numbers cannot be read */ read(): Tensor;
}

export interface H5 {
  readonly entries: readonly H5Entry[];
  /** an attribute of the root that is text */ readonly text: (attribute: H5Attribute) => string | undefined;
}

const attributes = ['model_config', 'keras_version'] as const;
type H5Attribute = (typeof attributes)[number];

/** What the worker is asked: to read a file, or to make one of arrays (float32). */
export type H5Question =
  | { readonly bytes: Uint8Array; readonly where: string; readonly attributes: readonly string[] }
  | { readonly write: readonly ArrayToWrite[] };

/** An array for a file, with the groups that it lies in: `layers/lstm/cell/vars/0`. */
export interface ArrayToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A dataset as the worker hands it over: with its numbers, or why it has none. */
export interface H5Array {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numbers: Float64Array | string;
}

export type H5Answer =
  | { readonly arrays: readonly H5Array[]; readonly texts: Readonly<Record<string, string | undefined>> }
  | { readonly refused: string }
  | { readonly written: Uint8Array };

/**
 * Opens an HDF5 file in a thread of its own (h5-child.ts), because a damaged file can make the HDF5 library loop for ever.
 *
 * @throws UsageError when it is no sound HDF5 file, holds more than a model does, or takes longer than any sound file of its size
 */
export async function openH5(
  bytes: Uint8Array,
  where: string,
  seconds = Math.ceil(patience.least + patience.perByte * bytes.length),
): Promise<H5> {
  const refuse = (what: string): UsageError => new UsageError(`${where} ${what}; save the model again.`);
  if (!isH5(bytes)) throw refuse('is not an HDF5 file');
  const answer = await ask({ bytes, where, attributes }, refuse, seconds);
  if ('refused' in answer) throw new UsageError(answer.refused);
  if (!('arrays' in answer)) throw new Error('openH5: the worker wrote a file');
  return {
    text: (attribute) => answer.texts[attribute],
    entries: answer.arrays.map(({ name, shape, numbers }) => ({
      name,
      shape,
      read() {
        if (typeof numbers === 'string') throw refuse(`has the array ${name} ${numbers}`);
        return { shape, data: numbers };
      },
    })),
  };
}

/** The bytes of an HDF5 file of float32 arrays. */
export async function formatH5(arrays: readonly ArrayToWrite[]): Promise<Buffer> {
  const size = arrays.reduce((sum, { data }) => sum + 4 * data.length, 0);
  const answer = await ask(
    { write: arrays },
    (what) => new UsageError(`The HDF5 library ${what}.`),
    Math.ceil(patience.least + patience.perByte * size),
  );
  if (!('written' in answer))
    throw new Error(`formatH5: ${'refused' in answer ? answer.refused : 'the worker read a file'}`);
  return Buffer.from(answer.written);
}

export const isH5 = (bytes: Uint8Array): boolean =>
  bytes.length > 8 && Buffer.from(bytes.subarray(0, 8)).equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'));

/**
 * Seconds of processor time for a file: a sound one of 100 MB takes about one. On a busy machine a thread may wait for a long time before it
 * computes; one that does not compute at all is ended after `waiting` times as long.
 */
const patience = { least: 20, perByte: 1e-7, waiting: 20 };

/** One thread reads all files, one after the other; it does not keep the process alive, and is replaced when it had to be ended. */
let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

function ask(question: H5Question, refuse: (what: string) => UsageError, seconds: number): Promise<H5Answer> {
  const answer = last.then(() => answerTo(question, refuse, seconds));
  last = answer.catch(() => undefined);
  return answer;
}

function answerTo(
  question: H5Question,
  refuse: (what: string) => UsageError,
  seconds: number,
): Promise<H5Answer> {
  thread ??= startThread();
  const worker = thread;
  return new Promise<H5Answer>((resolve, reject) => {
    const end = (error: Error): void => {
      stop();
      thread = undefined;
      void worker.terminate();
      reject(error);
    };
    const [began, before] = [performance.now(), process.cpuUsage()];
    const look = (): void => {
      const elapsed = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(before);
      if (elapsed < seconds || (user + system < 1e6 * seconds && elapsed < patience.waiting * seconds))
        return;
      end(refuse(`is not a sound HDF5 file (reading it did not end within ${seconds} s)`));
    };
    const timer = setInterval(look, 100 * seconds);
    const onError = (error: Error): void => end(refuse(`is not a sound HDF5 file (${error.message})`));
    const onExit = (): void => end(refuse('is not a sound HDF5 file (its reader ended without an answer)'));
    const onMessage = (answer: H5Answer): void => {
      stop();
      resolve(answer);
    };
    const stop = (): void => {
      clearInterval(timer);
      worker.off('error', onError).off('exit', onExit).off('message', onMessage).unref();
    };
    worker.on('error', onError).on('exit', onExit).on('message', onMessage).ref();
    worker.postMessage(question);
  });
}

function startThread(): Worker {
  const [script, ...argv] = childScript(path.join(__dirname, 'h5-child'));
  return new Worker(script, { argv });
}
