import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Tf from '@tensorflow/tfjs';
import { formatShape } from '../../scratch/index';
import {
  encodeSessionConfig,
  type DType,
  type GraphBuilder,
  type Placeholder,
  type Signature,
} from './builder/index';
import { threadsFor } from './threads';

/** What is needed of a loaded backend. */
export interface SessionBackend {
  readonly tf: typeof Tf;
  /** makes it TensorFlow.js's current backend */ use(): void;
}

/**
 * The four methods of tfjs-node's backend that run SavedModels. `tf.node.loadSavedModel` is a wrapper of these that
 * parses the file a second time in JavaScript (130 ms for 784 unrolled steps) and is asynchronous for that reason only.
 */
interface NativeSessions {
  loadSavedModelMetaGraph(path: string, tags: string): number;
  runSavedModel(
    session: number,
    inputs: readonly Tf.Tensor[],
    inputInfos: readonly { readonly name: string }[],
    outputNames: readonly string[],
  ): Tf.Tensor[];
  deleteSavedModel(session: number): void;
  getNumOfSavedModels(): number;
}

/** Graphs need the native library; wasm and cpu have no sessions. */
export class GraphUnavailableError extends Error {
  override readonly name = 'GraphUnavailableError';
}

/** How many sessions are open in the native library, this module's and others'. */
export function openSessions(backend: SessionBackend): number {
  return nativeSessions(backend).getNumOfSavedModels();
}

/**
 * One graph, compiled by TensorFlow and ready to run. `run` checks names, types and shapes before the call, because
 * TensorFlow does not enforce a placeholder's shape and a failing call leaks its inputs.
 */
export class GraphSession {
  private readonly native: NativeSessions;
  private id: number | undefined;

  /**
   * Writes the graph to a directory of its own, loads it, and deletes the directory: a session needs it no longer. Our build
   * of the addon (src/native/addon-source.ts) takes the session's threads from `session_config.pb`; others ignore that file.
   *
   * @param chains parts of the graph that do not wait for each other
   */
  constructor(
    private readonly backend: SessionBackend,
    graph: GraphBuilder,
    chains = 1,
  ) {
    this.native = nativeSessions(backend);
    const folder = mkdtempSync(join(tmpdir(), `rnn-parity-graph-${process.pid}-`));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), graph.toSavedModel(), { mode: 0o600 });
      writeFileSync(join(folder, 'session_config.pb'), encodeSessionConfig(threadsFor(chains)));
      this.id = this.native.loadSavedModelMetaGraph(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /**
   * One native call. The caller disposes the results (or lets `tf.tidy` do it).
   *
   * @throws RangeError when a feed is missing, has another type, or a shape that does not fit; before the call
   */
  run<I extends string, O extends string>(
    signature: Signature<I, O>,
    feeds: Readonly<Record<I, Tf.Tensor>>,
  ): Record<O, Tf.Tensor> {
    if (this.id === undefined) {
      throw new Error(`${signature.name}: the session was disposed; open another one.`);
    }
    checkFeeds(signature, feeds);
    const keys = Object.keys(signature.inputs) as I[];
    const outputs = Object.keys(signature.outputs) as O[];
    this.backend.use();
    const results = this.native.runSavedModel(
      this.id,
      keys.map((key) => feeds[key]),
      keys.map((key) => ({ name: signature.inputs[key].ref })),
      outputs.map((key) => signature.outputs[key].ref),
    );
    return Object.fromEntries(outputs.map((key, i) => [key, results[i]])) as Record<O, Tf.Tensor>;
  }

  /** Frees the native session; a second call does nothing. */
  dispose(): void {
    if (this.id === undefined) return;
    this.native.deleteSavedModel(this.id);
    this.id = undefined;
  }
}

function checkFeeds(signature: Signature, feeds: Readonly<Record<string, Tf.Tensor | undefined>>): void {
  const letters = new Map<string, number>();
  for (const [key, placeholder] of Object.entries(signature.inputs)) {
    const feed = feeds[key];
    const name = `${signature.name}: ${key}`;
    if (feed === undefined) throw new RangeError(`${name} is missing; feed every input of the signature.`);
    if (feed.dtype !== placeholder.dtype) {
      throw new RangeError(`${name} is ${feed.dtype} but ${placeholder.dtype} was expected; cast it.`);
    }
    checkShape(name, feed.shape, placeholder, letters);
  }
}

function checkShape(
  name: string,
  shape: readonly number[],
  { shape: expected }: Placeholder<DType>,
  letters: Map<string, number>,
): void {
  const fits =
    shape.length === expected.length &&
    expected.every((size, axis) => {
      if (typeof size === 'number') return shape[axis] === size;
      const known = letters.get(size);
      if (known === undefined) letters.set(size, shape[axis]);
      return shape[axis] > 0 && (known === undefined || known === shape[axis]);
    });
  if (fits) return;
  const bound = [...letters].map(([letter, size]) => `${letter} = ${size}`).join(', ');
  throw new RangeError(
    `${name} has shape ${formatShape(shape)} but ${formatShape(expected)} was expected${bound === '' ? '' : ` with ${bound}`}; ` +
      'reshape it or build the graph for these sizes.',
  );
}

function nativeSessions(backend: SessionBackend): NativeSessions {
  backend.use();
  const current: unknown = backend.tf.backend();
  if (typeof current === 'object' && current !== null && 'runSavedModel' in current) {
    return current as NativeSessions;
  }
  throw new GraphUnavailableError(
    `The backend "${backend.tf.getBackend()}" cannot run graphs: sessions are a part of the native library. ` +
      'Load the backend "tensorflow" (`rnn-parity setup` builds it), or use the eager twin.',
  );
}
