import { existsSync } from 'node:fs';
import { readNpz, writeNpz } from '../base/files/index';
import { exitCodes, UsageError, type Outcome } from '../base/outcome';
import { claimDirectory } from '../models/directory';
import { readSavedModel, save } from '../models/saved-model';
import type { ExportFlags, ImportFlags } from './exchange';
import { readLayout, writeLayout } from '../models/layouts';

/** `rnn-parity import`. */
export async function importCommand(flags: ImportFlags): Promise<Outcome> {
  const { layout, weights, notes } = readLayout(await readNpz(flags.from), flags.from, flags.layout);
  const [features, units] = weights.kernel.shape;
  const classes = weights.outputBias.shape[0];
  const classNames = flags.classNames?.split(',').map((name) => name.trim());
  if (classNames !== undefined && classNames.length !== classes)
    throw new UsageError(
      `--class-names has ${classNames.length} names for ${classes} classes; give one each.`,
    );
  await claimDirectory(flags.out, flags.force ?? false);
  await save(
    { name: 'scratch', classes, getWeights: () => weights },
    flags.out,
    classNames ? { classNames } : {},
  );
  const lines = [
    `${flags.from} (${layout}): ${features} features, ${units} units, ${classes} classes -> ${flags.out}`,
    ...notes.map((note) => `note: ${note}`),
  ];
  return {
    exitCode: exitCodes.parity,
    text: lines.join('\n'),
    json: { layout, features, units, classes, notes },
  };
}

/** `rnn-parity export`. */
export async function exportCommand(flags: ExportFlags): Promise<Outcome> {
  if (!flags.out.endsWith('.npz'))
    throw new UsageError(`--out ${flags.out} must end in .npz, the only format that is written.`);
  if (existsSync(flags.out) && flags.force !== true)
    throw new UsageError(`--out ${flags.out} exists; choose another name, or pass --force to replace it.`);
  const { weights, metadata } = await readSavedModel(flags.model);
  const entries = writeLayout(flags.layout, weights);
  await writeNpz(flags.out, entries);
  const lines = Object.entries(entries).map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  if (flags.layout === 'pytorch')
    lines.push('note: weights are transposed; bias_ih_l0 holds the bias, bias_hh_l0 is zeros');
  if (metadata.standardisation)
    lines.push(
      'note: the model standardises its inputs first; mean and scale are in its config.json, not in this file',
    );
  return {
    exitCode: exitCodes.parity,
    text: `${flags.out}:\n${lines.join('\n')}`,
    json: { layout: flags.layout },
  };
}
