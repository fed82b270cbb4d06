import type { EpochRecord } from './history';
import type { SummaryFileWriter, TensorflowNode } from '../../src/index';
import { BackendNotRunError, UsageError } from '../base/outcome';

/** Writes TensorBoard event files; the numbers of each epoch under `loss`, `accuracy`, ... with one tag a side. */
export interface SummaryWriter {
  write(record: EpochRecord): void;
  flush(): void;
}

function openWriter(node: TensorflowNode, directory: string): SummaryFileWriter {
  try {
    return node.summaryFileWriter(directory);
  } catch (error) {
    const reason = String(error)
      .replace(/^Error: /, '')
      .replace(/\s+/g, ' ');
    throw new UsageError(
      `--tensorboard ${directory} cannot be written to (TensorFlow: ${reason}); choose a directory that can be made.`,
      { cause: error },
    );
  }
}

/** Opens TensorFlow's own summary writer; it needs the native backend, whichever side is trained. Throws BackendNotRunError,
 * or UsageError where the directory cannot be made. */
export async function openSummaries(directory: string): Promise<SummaryWriter> {
  const { loadBackend } = await import('../../src/index.js');
  const backend = await loadBackend('tensorflow').catch((error: unknown) => {
    throw new BackendNotRunError(
      `--tensorboard needs TensorFlow to write its files: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  if (backend.node === undefined)
    throw new BackendNotRunError('--tensorboard: this TensorFlow backend writes no summaries.');
  backend.use();
  const writer = openWriter(backend.node, directory);
  const put = (tag: string, value: number | undefined, step: number): void => {
    if (value !== undefined) writer.scalar(tag, value, step);
  };
  return {
    write: ({ epoch, sides, learningRate, agreement }) => {
      backend.use();
      for (const side of sides) {
        put(`loss/${side.name}`, side.loss, epoch);
        put(`accuracy/${side.name}`, side.accuracy, epoch);
        put(`validation_loss/${side.name}`, side.validationLoss, epoch);
        put(`validation_accuracy/${side.name}`, side.validationAccuracy, epoch);
        put(`gradient_norm/${side.name}`, side.gradientNorm, epoch);
      }
      put('learning_rate', learningRate, epoch);
      put('agreement/drift', agreement?.drift, epoch);
      put('agreement/noise', agreement?.noise, epoch);
      writer.flush();
    },
    flush: () => writer.flush(),
  };
}
