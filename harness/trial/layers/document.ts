import { bullets, section, table, textOf, type Section } from '../../reports/index';
import type { LayersTrialReport, LayersTrialRow } from './report';

/** Misses that a terminal shows. */
const shownMisses = 12;

const groups: readonly (readonly [title: string, belongs: (row: LayersTrialRow) => boolean])[] = [
  ['Forward pass', ({ phase, singleStep }) => phase === 'forward' && !singleStep],
  ['Loss', ({ phase, singleStep }) => phase === 'loss' && !singleStep],
  ['Backward pass', ({ phase, singleStep }) => phase === 'backward' && !singleStep],
  ['One time step alone', ({ singleStep }) => singleStep],
];

/** The trial of a network of layers for a terminal: a line for each fault, what was missed, the score, and the verdict last. */
export function formatLayersTrial(report: LayersTrialReport): string {
  const { rows, layers, misses, score, seconds, exitCode, seed, seeds, hosts, equivalents } = report;
  const head = ['fault', 'planted', 'caught', 'located', 'named', 'side'];
  const planted = rows.reduce((sum, row) => sum + row.planted, 0);
  const sections: Section[] = [
    ...groups.flatMap(([title, belongs]) => {
      const own = rows.filter(belongs);
      const lines = own.map((row) => [row.name, row.planted, row.caught, row.located, row.named, row.side]);
      return section(`${title}: ${own.length} faults`, own.length === 0 ? [] : [table(lines, { head })]);
    }),
    ...section(
      'Changes that no problem of this trial shows: nothing may be blamed',
      bullets(equivalents.map(({ name, planted: n, blamed }) => `${name}: planted ${n}, blamed ${blamed}`)),
    ),
    ...section('Misses', bullets(misses.slice(0, shownMisses))),
  ];
  const verdict =
    exitCode === 0
      ? `TRIAL PASSED: at least ${report.break} % caught, no right side blamed, no wrong name`
      : `TRIAL FAILED: ${percent(score.caught)} caught (--break ${report.break}), ${score.wrongNames + score.wrongSides + score.equivalentsBlamed} wrong names or sides`;
  return [
    textOf({ sections }),
    `${layers}: ${rows.length} mistakes, planted ${planted.toLocaleString('en')} times in ${hosts.join(', ')} (${seeds} times each, seed ${seed}), ${seconds.toFixed(0)} s`,
    `caught ${percent(score.caught)}; single steps located ${percent(score.located)}; named ${percent(score.named)}, alone ${percent(score.alone)}; side named ${percent(score.side)}; wrong names ${score.wrongNames}, wrong sides ${score.wrongSides}, equivalents blamed ${score.equivalentsBlamed}\n${verdict}`,
  ].join('\n\n');
}

/** Rounded down, so that 100 means all. */
function percent(value: number): string {
  return `${Math.floor(value * 10) / 10} %`;
}
