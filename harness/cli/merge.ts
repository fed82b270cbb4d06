import type { DefineCommand } from './command';
import { exitText, jsonOption } from './options';
import { checkOutputs, outputOf, withJson, type JsonFlag } from './outputs';

/** `rnn-parity merge` */
export const defineMerge: DefineCommand = (program, finish) => {
  program
    .command('merge')
    .description('merge the summaries of all shards of a fuzz series into one verdict')
    .argument('<files...>', 'the files that fuzz --json FILE wrote, one for each shard')
    .addOption(jsonOption('the merged summary'))
    .addHelpText(
      'after',
      `
${exitText}.
The exit code is that of one run of all problems; a shard that is missing, given twice or cut short is an error (2).

Example:
  rnn-parity merge shard-*.json`,
    )
    .action(async (files: string[], { json }: { readonly json?: JsonFlag }) => {
      const { mergeSummaries, readSummaries } = await import('../fuzz/merge.js');
      const { formatFuzzSummary } = await import('../fuzz/summary-text.js');
      await checkOutputs(outputOf('--json', json, 'rnn-parity-fuzz/'), files);
      const merged = mergeSummaries(await readSummaries(files), files);
      const text = formatFuzzSummary(merged);
      finish(await withJson({ exitCode: merged.exitCode, text, json: merged, summarizes: true }, json));
    });
};
