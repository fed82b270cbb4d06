import { existsSync } from 'node:fs';
import { UsageError } from '../../base/outcome';
import { readArchive } from './archive';
import { readDelimited } from './delimited';
import type { LoadOptions } from './load-options';
import { loadDigits } from '../../problems/index';
import { memoryData, notebookData } from './generated';
import { readJsonLines } from './json-lines';
import type { SequenceData } from './sequences';

/** The names that are data sets, not files. */
export const builtInData = ['digits', 'notebook', 'memory'] as const;

/**
 * Loads a built-in data set (`digits`, `notebook`, `memory`) or a file (.npz, .csv, .tsv, .jsonl).
 *
 * @throws UsageError that names file, line and reason of everything malformed
 */
export async function loadData(source: string, options: LoadOptions = {}): Promise<SequenceData> {
  if (source === 'digits') return digitsData();
  if (source === 'notebook') return notebookData(options.seed ?? 1);
  if (source === 'memory') {
    const { timeSteps = 20, examples } = options;
    return memoryData({
      seed: options.seed ?? 1,
      timeSteps,
      ...(examples === undefined ? {} : { examples }),
    });
  }
  const extension = /\.(npz|csv|tsv|jsonl)$/i.exec(source)?.[1].toLowerCase();
  if (extension === undefined || !existsSync(source)) {
    const what = extension === undefined ? 'is no kind of data that is known' : 'does not exist';
    throw new UsageError(
      `--data ${source} ${what}; give ${builtInData.join(', ')}, or a file ending in .npz, .csv, .tsv or .jsonl.`,
    );
  }
  if (extension === 'npz') return readArchive(source, options);
  if (extension === 'jsonl') return readJsonLines(source, options);
  return readDelimited(source, options.delimiter ?? (extension === 'tsv' ? '\t' : ','), options);
}

async function digitsData(): Promise<SequenceData> {
  const { inputs, labels } = await loadDigits();
  return {
    source: 'digits',
    inputs: { data: inputs.data, shape: [labels.length, 28, 28] },
    lengths: new Int32Array(labels.length).fill(28),
    labels,
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    skipped: 0,
  };
}
