import type { SequenceData } from './sequences';
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
      ? `${t} time steps`
      : `${lengths[0]} to ${t} time steps (mean ${short(lengths[1] / n)}, shorter ones padded and masked)`;
  const lines = [
    `data        ${data.source}: ${n} sequences, ${steps}, ${f} ${f === 1 ? 'feature' : 'features'}, ${data.classNames.length} classes`,
    `split       ${split.train.length} to train on, ${split.validation.length} kept back for validation`,
  ];
  if (data.skipped > 0) lines.push(`left out    ${data.skipped} sequences with malformed rows`);
  lines.push(...classLines(data, split), ...rangeLines(data));
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
        `${JSON.stringify(name).slice(1, -1)}: ${train[c]}${split.validation.length > 0 ? `+${validation[c]}` : ''}`,
    );
  if (classNames.length > 30) shown.push(`and ${classNames.length - 30} more`);
  const lines = [`classes     ${shown.join(', ')}`];
  const absent = classNames.filter((_, c) => train[c] === 0);
  if (absent.length > 0)
    lines.push(`warning     no example to train on for class ${absent.slice(0, 10).join(', ')}`);
  return lines;
}

function rangeLines(data: SequenceData): string[] {
  const [, t, f] = data.inputs.shape;
  const least = new Float64Array(f).fill(Infinity);
  const most = new Float64Array(f).fill(-Infinity);
  const sum = new Float64Array(f);
  let steps = 0;
  data.lengths.forEach((length, n) => {
    steps += length;
    for (let i = 0; i < length * f; i++) {
      const x = data.inputs.data[n * t * f + i];
      if (x < least[i % f]) least[i % f] = x;
      if (x > most[i % f]) most[i % f] = x;
      sum[i % f] += x;
    }
  });
  if (f > 8) {
    const mean = sum.reduce((a, b) => a + b, 0) / (steps * f);
    return [
      `values      ${short(least.reduce((a, b) => Math.min(a, b)))} to ${short(most.reduce((a, b) => Math.max(a, b)))}, mean ${short(mean)}`,
    ];
  }
  return Array.from(least, (low, i) => {
    const name = data.featureNames?.[i] ?? `feature ${i}`;
    return `values      ${name}: ${short(low)} to ${short(most[i])}, mean ${short(sum[i] / steps)}`;
  });
}
