import { isBackendByName } from '../base/framework-names';
import { isOfLayers, type Networks } from '../problems/index';
import { bullets, count, paragraph, quoted, stepsInWords, textOf, type Section } from '../reports/index';
import { isAbsent, type CaseSizes, type FailureGroup, type FuzzSummary, type SideSummary } from './summary';

/** Largest number of failure classes in the text of one side; the JSON holds all. */
const mostFailures = 12;

/** The summary for people: a block for each side, then one line of verdict. */
export function formatFuzzSummary(summary: FuzzSummary): string {
  const { sides, candidate, faults } = summary;
  const last = [...faults.map((fault) => `fault: ${fault}`), verdictLine(summary)];
  return textOf({
    subtitle: heading(summary),
    sections: [
      ...sides.map((side) => sideSection(side, candidate)),
      { title: '', blocks: last.map((line) => paragraph(line)) },
    ],
  });
}

function heading({ seed, plan, shards, networks }: FuzzSummary): string {
  const cases = shards.reduce((sum, shard) => sum + shard.cases, 0);
  const [first] = shards;
  const which =
    first.of === 1
      ? ''
      : shards.length === 1
        ? `, shard ${first.index} of ${first.of}`
        : `, all ${first.of} shards`;
  const planned = 'cases' in plan ? `of ${plan.cases} in all` : `in ${plan.seconds} s a shard`;
  const about = networks === undefined ? '' : aboutNetworks(networks);
  return `seed ${seed}${which}: ${count(cases, 'generated problem')}${about}${'cases' in plan && cases === plan.cases ? '' : ` ${planned}`}`;
}

function aboutNetworks(networks: Networks): string {
  const { shapes } = networks;
  const which = isOfLayers(networks)
    ? ` about ${'cell' in networks ? networks.cell.name : networks.layers}`
    : '';
  return shapes === undefined ? which : `${which} of ${count(shapes, 'shape')}`;
}

function sideSection(side: SideSummary, candidate: string | undefined): Section {
  const { name, status, reason, version, cases, pass, ill, fail, errors, left, compared, seconds } = side;
  if (status === 'not run') return { title: '', blocks: [paragraph(`${name}: not run: ${reason ?? ''}`)] };
  const numbers = compared.toLocaleString('en-US');
  const rate = seconds > 0 ? `, ${(cases / seconds).toPrecision(2)} a second` : '';
  const title = `${name}${version === undefined ? '' : ` (${version})`}: ${count(cases, 'problem')}, ${numbers} numbers compared${rate}`;
  const lines = [
    `${pass} right, ${fail} wrong, ${ill} ill-conditioned${errors > 0 ? `, ${count(errors, 'error')}` : ''}`,
  ];
  for (const [why, problems] of Object.entries(left))
    lines.push(`${count(problems, 'problem')} ${problems === 1 ? 'was' : 'were'} not run on it: ${why}`);
  if (reason !== undefined) lines.push(reason);
  const isBackend = name.startsWith('tfjs:') || isBackendByName(name);
  const how = isBackend || candidate === undefined ? '' : ` --candidate ${quoted(candidate)}`;
  for (const group of side.failures.slice(0, mostFailures)) lines.push(...failureLines(group, how));
  if (side.failures.length > mostFailures)
    lines.push(
      `... and ${side.failures.length - mostFailures} further classes of failure (--json lists all)`,
    );
  return { title, blocks: bullets(lines) };
}

function failureLines(group: FailureGroup, how: string): string[] {
  const { count: times, first, sizes, file } = group;
  const steps = group.timeSteps === undefined ? '' : ` and wrong at ${stepsInWords(group.timeSteps)}`;
  const lines = [
    `${describe(group)}: ${count(times, 'problem')}, first number ${first}; shrunk to ${formatSizes(sizes)}${steps}`,
  ];
  if (file !== undefined) lines.push(`  rnn-parity replay ${quoted(file)}${how}`);
  if (group.unsaved !== undefined) lines.push(`  not saved: ${group.unsaved}`);
  return lines;
}

/** `dPreActivations is wrong (backward; looks like carry/dropped; at fault: mine)`, or what the side threw. */
function describe({ signature, phase, tensor, kind, side, error }: FailureGroup): string {
  if (error !== undefined) return error;
  const said = [
    phase ?? 'unknown',
    ...(kind === undefined ? [] : [`looks like ${kind.join(' or ')}`]),
    ...(side === undefined ? [] : [`at fault: ${side}`]),
  ];
  return `${tensor ?? signature} is wrong (${said.join('; ')})`;
}

/** `B 1, T 2, F 1, U 1`, or `B 1, T 2, F 1, lstm:1,dense:2`. */
export function formatSizes(sizes: CaseSizes): string {
  if ('layers' in sizes) {
    const { batch, timeSteps, features, layers } = sizes;
    return `B ${batch}, T ${timeSteps}${features === undefined ? '' : `, F ${features}`}, ${layers}`;
  }
  const { batch, timeSteps, features, units, classes } = sizes;
  const output = classes === undefined ? '' : `, C ${classes}`;
  return `B ${batch}, T ${timeSteps}, F ${features}, U ${units}${output}`;
}

function verdictLine({ verdict, sides, faults, shards }: FuzzSummary): string {
  const ran = sides.filter(({ status }) => status === 'ran');
  const total = (of: (side: SideSummary) => number): number => ran.reduce((sum, side) => sum + of(side), 0);
  const notRun = sides.filter(isAbsent).map(({ name }) => name);
  const missing = notRun.length > 0 ? `; not run: ${notRun.join(', ')}` : '';
  const done = shards.reduce((sum, { cases }) => sum + cases, 0);
  switch (verdict) {
    case 'parity':
      return `PARITY: ${ran.map(({ name }) => name).join(', ')} right in ${total(({ pass }) => pass)} of ${count(
        total(({ cases }) => cases),
        'problem',
      )}, wrong in none${missing}`;
    case 'mismatch':
      return `MISMATCH: wrong in ${total(({ fail }) => fail)} of ${count(
        total(({ cases }) => cases),
        'problem',
      )}${missing}`;
    case 'error':
      return faults.length > 0 && total(({ errors }) => errors) === 0
        ? 'ERROR: this run shows nothing'
        : `ERROR: ${count(
            total(({ errors }) => errors),
            'problem',
          )} could not be judged, wrong in ${total(({ fail }) => fail)}${missing}`;
    case 'backend not run':
      return `NOT RUN: required, but not available: ${notRun.join(', ')}`;
    case 'interrupted':
      return `INTERRUPTED after ${count(done, 'problem')}: nothing wrong so far${missing}`;
  }
}
