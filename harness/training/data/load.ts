import { checkRegularFile } from '../../base/files/index';
import { UsageError } from '../../base/outcome';
import { readArchive } from './archive';
import { wideHint } from './columns';
import { readDelimited } from './delimited';
import { checkLoadOptions, type LoadOptions } from './load-options';
import { loadDigits } from '../../problems/digits/index';
import { memoryData, notebookData } from './generated';
import { readJsonLines } from './json-lines';
import { Notes } from './notes';
import type { SequenceData } from './sequences';

/** The names that are data sets, not files. */
export const builtInData = ['digits', 'notebook', 'memory'] as const;

/**
 * Loads a built-in data set (`digits`, `notebook`, `memory`) or a file (.npz, .csv, .tsv, .jsonl).
 *
 * @throws RangeError for an option that does not exist, UsageError that names file, line and reason of everything malformed
 */
export async function loadData(source: string, options: LoadOptions = {}): Promise<SequenceData> {
  checkLoadOptions(options);
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
  if (extension === undefined)
    throw new UsageError(
      `--data ${source} is not a kind of data that can be read; give ${builtInData.join(', ')}, or a file ending in .npz, .csv, .tsv or .jsonl.${conversion(source)}`,
    );
  await checkRegularFile(source);
  const notes = new Notes();
  let data: SequenceData;
  try {
    data = await readFile(source, extension, options, notes);
  } catch (error) {
    if (!(error instanceof UsageError) || notes.lines.length === 0) throw error;
    // What was guessed may be what is wrong.
    throw new UsageError([error.message, ...notes.lines].join('\n'), { cause: error });
  }
  if (data.inputs.shape[1] === 1)
    notes.warn(
      `every sequence has one time step, so nothing recurs.${wideHint(data.featureNames ?? []) || ' Give the steps of a sequence as rows (.csv) or along the second axis (.npz, .jsonl).'}`,
    );
  return { ...data, notes: notes.lines };
}

function readFile(
  source: string,
  extension: string,
  options: LoadOptions,
  notes: Notes,
): Promise<SequenceData> {
  if (extension === 'npz') return readArchive(source, options, notes);
  if (extension === 'jsonl') return readJsonLines(source, options, notes);
  return readDelimited(source, extension === 'tsv' ? '\t' : ',', options, notes);
}

/** How common files of other kinds become one that is read. */
function conversion(source: string): string {
  if (/\.(xlsx?|ods)$/i.test(source)) return ' Save the sheet as "CSV UTF-8".';
  if (/\.npy$/i.test(source)) return ' Save it as np.savez("data.npz", inputs=x, labels=y).';
  if (/\.(gz|zip|bz2|xz)$/i.test(source)) return ' Unpack it first.';
  if (/\.(txt|dat|tab)$/i.test(source))
    return ' Rename a table to .csv; --delimiter tells what separates its fields.';
  if (/\.(json|ndjson)$/i.test(source)) return ' Write one JSON object a line into a .jsonl file.';
  return '';
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
