import { clip, visible } from '../../reports/index';
import { momentsOf } from './moments';
import type { SequenceData } from './sequences';
import { featureName } from './standardisation';
import type { Split } from './split';

const short = (x: number): string => String(Number(x.toPrecision(4)));

/** Sizes, class balance and value ranges in a few lines, for reading before training starts. */
export function summarize(data: SequenceData, split: Split): string[] {
  const [n, t, f] = data.inputs.shape;
  const lengths = data.lengths.reduce(
    ([least, sum], length) => [Math.min(least, length), sum + length],
    [t, 0],
  );
  const steps =
    lengths[0] === t
      ? `${t} time ${t === 1 ? 'step' : 'steps'}`
      : `${lengths[0]} to ${t} time steps (mean ${short(lengths[1] / n)}, shorter ones padded and masked)`;
  const lines = [
    `data        ${data.source}: ${n} sequences, ${steps}, ${f} ${f === 1 ? 'feature' : 'features'}, ${data.classNames.length} classes`,
    `split       ${split.train.length} to train on, ${split.validation.length} kept back for validation`,
  ];
  if (data.skipped > 0) lines.push(`left out    ${data.skipped} sequences with malformed rows`);
  lines.push(...(data.notes ?? []), ...classLines(data, split), ...rangeLines(data));
  return lines;
}

function classLines(data: SequenceData, split: Split): string[] {
  const { labels, classNames } = data;
  if (labels === undefined) return [];
  const count = (examples: Int32Array): number[] => {
    const counts = classNames.map(() => 0);
    for (const n of examples) counts[labels[n]]++;
    return counts;
  };
  const train = count(split.train);
  const validation = count(split.validation);
  const shown = classNames
    .slice(0, 30)
    .map(
      (name, c) =>
        `${clip(visible(name), 40)}: ${train[c]}${split.validation.length > 0 ? `+${validation[c]}` : ''}`,
    );
  if (classNames.length > 30) shown.push(`and ${classNames.length - 30} more`);
  const lines = [`classes     ${shown.join(', ')}`];
  const absent = classNames.filter((_, c) => train[c] === 0);
  if (absent.length > 0)
    lines.push(
      `warning     no example to train on for class ${absent
        .slice(0, 10)
        .map((name) => clip(visible(name), 40))
        .join(', ')}`,
    );
  return lines;
}

function rangeLines(data: SequenceData): string[] {
  const moments = momentsOf(
    data,
    data.lengths.map((_, n) => n),
  );
  if (moments.length > 8) {
    const least = moments.reduce((low, { least }) => Math.min(low, least), Infinity);
    const most = moments.reduce((high, { most }) => Math.max(high, most), -Infinity);
    const mean = moments.reduce((sum, { mean }) => sum + mean / moments.length, 0);
    return [`values      ${short(least)} to ${short(most)}, mean ${short(mean)}`];
  }
  return moments.map(
    ({ least, most, mean }, f) =>
      `values      ${featureName(data, f)}: ${short(least)} to ${short(most)}, mean ${short(mean)}`,
  );
}
