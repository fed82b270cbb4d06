import { Argument } from 'commander';
import { defineCommand } from './command';
import { exitText, jsonFlag } from './options';
import { openOutputs } from './outputs';

export const defineMerge = defineCommand({
  name: 'merge',
  description: 'merge the summaries of all shards of a fuzz series into one verdict',
  argument: new Argument('<files...>', 'the files that fuzz --json FILE wrote, one for each shard'),
  flags: { json: jsonFlag('the merged summary') },
  help: `${exitText}.
The exit code is that of one run of all problems; a shard that is missing, given twice or cut short is an error (2).

Example:
  rnn-parity merge shard-*.json`,
  async run(flags, { values: files }) {
    const { mergeSummaries, readSummaries } = await import('../fuzz/merge.js');
    const { formatFuzzSummary } = await import('../fuzz/summary-text.js');
    const outputs = await openOutputs(flags, { json: 'rnn-parity-fuzz/' }, files);
    const merged = mergeSummaries(await readSummaries(files), files);
    const text = formatFuzzSummary(merged);
    return outputs.outcome({ exitCode: merged.exitCode, text, json: merged, summarizes: true });
  },
});
