import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Tf from '@tensorflow/tfjs';
import { formatShape } from '../../scratch/index';
import { checkBackend } from '../backends/index';
import {
  encodeSessionConfig,
  type AnyTensor,
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

/** @throws GraphUnavailableError where there is no place for temporary files: TensorFlow reads a graph from a file */
function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), `rnn-parity-graph-${process.pid}-`));
  } catch (error) {
    throw new GraphUnavailableError(
      `a graph is loaded from a file, and no folder can be made in ${tmpdir()} (${(error as NodeJS.ErrnoException).code}); set TMPDIR to a folder that you may write to.`,
      { cause: error },
    );
  }
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
  private readonly calls = new WeakMap<Signature, NativeCall<string>>();

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
    const folder = temporaryFolder();
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
    const { inputs, infos, outputs, refs } = this.callOf(signature);
    const letters: Letters = {};
    const fed = inputs.map(([key, placeholder]) =>
      checkedFeed(signature.name, key, placeholder, feeds[key], letters),
    );
    this.backend.use();
    const results = this.native.runSavedModel(this.id, fed, infos, refs);
    const named = {} as Record<O, Tf.Tensor>;
    outputs.forEach((key, i) => (named[key as O] = results[i]));
    return named;
  }

  /** What a call of that signature hands over, made once. */
  private callOf<I extends string>(signature: Signature<I>): NativeCall<I> {
    let call = this.calls.get(signature);
    if (call === undefined) {
      const inputs = Object.entries<Placeholder<DType>>(signature.inputs);
      const outputs = Object.entries<AnyTensor>(signature.outputs);
      call = {
        inputs,
        infos: inputs.map(([, { ref }]) => ({ name: ref })),
        outputs: outputs.map(([key]) => key),
        refs: outputs.map(([, { ref }]) => ref),
      };
      this.calls.set(signature, call);
    }
    return call as NativeCall<I>;
  }

  get isOpen(): boolean {
    return this.id !== undefined;
  }

  /** Frees the native session; a second call does nothing. */
  dispose(): void {
    if (this.id === undefined) return;
    this.native.deleteSavedModel(this.id);
    this.id = undefined;
  }
}

interface NativeCall<I extends string> {
  readonly inputs: readonly (readonly [I, Placeholder<DType>])[];
  readonly infos: readonly { readonly name: string }[];
  readonly outputs: readonly string[];
  readonly refs: readonly string[];
}

/** Sizes by the letters that placeholders have for them. */
type Letters = Record<string, number | undefined>;

function checkedFeed(
  call: string,
  key: string,
  { dtype, shape: expected }: Placeholder<DType>,
  feed: Tf.Tensor | undefined,
  letters: Letters,
): Tf.Tensor {
  if (feed === undefined) {
    throw new RangeError(`${call}: ${key} is missing; feed every input of the signature.`);
  }
  if (feed.dtype !== dtype) {
    throw new RangeError(`${call}: ${key} is ${feed.dtype} but ${dtype} was expected; cast it.`);
  }
  const { shape } = feed;
  const fits =
    shape.length === expected.length &&
    expected.every((size, axis) => {
      if (typeof size === 'number') return shape[axis] === size;
      const known = (letters[size] ??= shape[axis]);
      return shape[axis] > 0 && known === shape[axis];
    });
  if (fits) return feed;
  const bound = Object.entries(letters).map(([letter, size]) => `${letter} = ${size}`).join(', '); // prettier-ignore
  throw new RangeError(
    `${call}: ${key} has shape ${formatShape(shape)} but ${formatShape(expected)} was expected${bound === '' ? '' : ` with ${bound}`}; ` +
      'reshape it or build the graph for these sizes.',
  );
}

/**
 * @param name of what is given the backend, for messages
 * @throws TypeError when it is no loaded backend, GraphUnavailableError when it has no sessions
 */
export function checkSessions(backend: SessionBackend, name: string): void {
  checkBackend(backend, name, 'tensorflow');
  nativeSessions(backend, `${name}: `);
}

function nativeSessions(backend: SessionBackend, where = ''): NativeSessions {
  backend.use();
  const current: unknown = backend.tf.backend();
  if (typeof current === 'object' && current !== null && 'runSavedModel' in current) {
    return current as NativeSessions;
  }
  throw new GraphUnavailableError(
    `${where}the backend "${backend.tf.getBackend()}" cannot run graphs: sessions are a part of the native library. ` +
      'Load the backend "tensorflow" (`rnn-parity setup` builds it), or use the eager twin.',
  );
}
