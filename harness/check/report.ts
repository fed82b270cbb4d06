import {
  count,
  junitOf,
  percent,
  table,
  textOf,
  type Cell,
  type Document,
  type TestCase,
} from '../reports/index';
import type { CheckReport } from './check-model';
import { didCompare, isLacking, isTrained, type CheckedSide } from './check-sides';
import type { Difference } from './difference';

/** The verdict in one sentence. */
export function checkVerdict({ file, sides, verdict, training }: CheckReport): string {
  const ran = sides.filter(({ status }) => status !== 'absent' && status !== 'cannot run');
  const names = ran.map(({ name }) => (name === 'expected' ? 'the expected outputs' : name)).join(', ');
  if (verdict === 'mismatch') {
    const wrong = sides.filter(({ status }) => status === 'mismatch');
    const [first] = wrong;
    const others = wrong.length === 1 ? '' : `; ${count(wrong.length, 'side')} differ`;
    return `MISMATCH: ${first.name} ${differenceInWords(first.differences[0])}${others}`;
  }
  if (verdict === 'side not run') {
    if (ran.length > 0 && !ran.some(didCompare))
      return `NOTHING COMPARED: rounding alone may move every number of ${file} so far that it shows nothing (${names}: ill-conditioned); give other inputs`;
    const missing = sides.filter((side) => side.required && isLacking(side));
    if (missing.length === 0)
      return ran.length > 0
        ? `NOT TRAINED: ${ran.some(({ updates = 0 }) => updates > 0) ? `rounding alone may move the weights of ${file} as far as a training step does, so that nothing could be compared; give other inputs or a larger learning rate` : `no side can take a training step of ${file}`}; ${names} agree with the reference when predicting`
        : `NOTHING COMPARED: no side can run ${file}`;
    const why = ({ name, status, tensors, unclear, updates = 0 }: CheckedSide): string =>
      status === 'absent' || status === 'cannot run'
        ? name
        : tensors === unclear
          ? `${name} (all its numbers are ill-conditioned)`
          : `${name} (its training steps${updates > 0 ? ', which are ill-conditioned' : ''})`;
    return `NOT RUN: ${missing.map(why).join(', ')}${ran.length === 0 ? '; nothing was compared' : missing.some(({ untrained }) => untrained !== undefined) ? '; what else was compared agrees with the reference' : `; ${names} agree with the reference`}`;
  }
  const ill = ran.filter(({ status }) => status === 'ill');
  const parts = ill.map(({ name, tensors, unclear }) => `${name}: ${unclear} of ${tensors} tensors`);
  const but =
    ill.length === 0 ? '' : `; neither right nor wrong, because ill-conditioned: ${parts.join(', ')}`;
  const trained = ran.filter(isTrained).map(({ name }) => name);
  const steps =
    training === undefined
      ? ''
      : `, and ${count(training.steps, 'training step')} of ${training.optimizer.name} ${training.steps === 1 ? 'makes' : 'make'} the same weights in ${trained.join(', ')}`;
  return `PARITY: ${file} is the same function in the float64 reference and in ${names}${steps}, within rounding${but}`;
}

/** `differs at layer 2 lstm (LSTM), time step 0, unit 3: 0.5 instead of 0.25: its recurrent activation is ...` */
export function differenceInWords({
  layerNumber,
  layer,
  kind,
  tensor,
  row,
  timeStep,
  unit,
  gate: gradientGate,
  shapes,
  given,
  expected,
  causes,
}: Difference): string {
  const step = timeStep === undefined ? '' : `, time step ${timeStep}`;
  const inside = row === undefined ? '' : `, row ${row}`;
  const gates = gradientGate === undefined ? causes.flatMap((cause) => cause.gates ?? []) : [gradientGate];
  const gate =
    (causes.length === 1 || gradientGate !== undefined) && gates.length > 0
      ? `, gate${gates.length === 1 ? '' : 's'} ${gates.join(' ')}`
      : '';
  const what =
    shapes === undefined
      ? `${given.toPrecision(7)} instead of ${expected.toPrecision(7)}`
      : shapesInWords(shapes);
  const column = unit === undefined ? '' : `, unit ${unit}`;
  const at = shapes === undefined ? `${inside}${step}${column}${gate}` : '';
  const place = `differs at layer ${layerNumber} ${layer} (${kind}), ${tensor}${at}: ${what}`;
  if (causes.length === 0) return shapes === undefined ? `${place}; no known cause explains it` : place;
  const words = causes.slice(0, 4).map((cause) => cause.words);
  return `${place}: it looks as if ${words.join(', or as if ')}${causes.length > 1 ? ' (these numbers cannot tell them apart)' : ''}`;
}

function shapesInWords({ given, expected }: NonNullable<Difference['shapes']>): string {
  if (given === undefined) return `it is missing, where [${expected?.join(', ') ?? ''}] was expected`;
  const found = `it has the shape [${given.join(', ')}]`;
  return expected === undefined
    ? `${found}, and no such tensor was expected`
    : `${found} instead of [${expected.join(', ')}]`;
}

/** What the model is, what each side gave, and where they differ. */
export function checkDocument(report: CheckReport): Document {
  const { layers, sides, notes, inputs, file, writtenBy, parameters, training } = report;
  const size = (n: number | null, i: number): string => (n === null ? (i === 0 ? 'T' : 'N') : String(n));
  const rows = layers.map(({ number, name, kind, output, parameters: own }): Cell[] => [
    number,
    name,
    kind,
    `[B, ${output.map(size).join(', ')}]`,
    own,
  ]);
  const told = sides.flatMap(({ name, reason, note, untrained }) =>
    [
      reason,
      note,
      untrained === undefined ? undefined : `its training steps were not compared: ${untrained}`,
    ].flatMap((text) => (text === undefined ? [] : [`${name}: ${text}`])),
  );
  return {
    title: `Check of ${file}`,
    subtitle: `${writtenBy}; ${count(layers.length, 'layer')}, ${parameters} parameters; inputs ${inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')}`,
    facts: [
      { label: 'verdict', value: checkVerdict(report), tone: report.verdict === 'parity' ? 'good' : 'bad' },
    ],
    sections: [
      {
        title: 'The model',
        blocks: [
          table(rows, { head: ['', 'layer', 'kind', 'output', 'parameters'] }),
          ...(notes.length === 0
            ? []
            : [{ kind: 'list' as const, items: notes.map((note) => `note: ${note}`) }]),
        ],
      },
      {
        title: 'The sides',
        blocks: [
          table(
            sides.map((side) => sideRow(side, training !== undefined)),
            {
              head: [
                ...['side', 'result', 'tensors', 'of them gradients'],
                ...(training === undefined ? [] : ['of training steps']),
                ...['numbers', 'share of its budget'],
              ],
            },
          ),
          ...(told.length > 0 ? [{ kind: 'list' as const, items: told }] : []),
        ],
      },
      ...(sides.some(({ differences }) => differences.length > 0)
        ? [
            {
              title: 'What is different',
              blocks: [
                {
                  kind: 'list' as const,
                  items: sides.flatMap(({ name, differences }) =>
                    differences.map((one) => `${name} ${differenceInWords(one)}`),
                  ),
                },
              ],
            },
          ]
        : []),
    ],
  };
}

function sideRow(side: CheckedSide, hasTraining: boolean): Cell[] {
  const { name, status, tensors, gradients, unclear, numbers, used, version, updates = '' } = side;
  const label = version === undefined ? name : `${name} (${version})`;
  const row = (
    result: string,
    shown: Cell = '',
    ofGradients: Cell = '',
    all: Cell = '',
    share: Cell = '',
  ): Cell[] => [...[label, result, shown, ofGradients], ...(hasTraining ? [updates] : []), ...[all, share]];
  if (status === 'absent') return row('not on this machine');
  if (status === 'cannot run') return row('cannot run it');
  const words = {
    parity: 'parity',
    mismatch: 'MISMATCH',
    ill: unclear === tensors ? 'ill-conditioned' : `parity, ${unclear} ill-conditioned`,
  }[status];
  return row(words, tensors, gradients, numbers, Number.isFinite(used) ? percent(used) : 'beyond');
}

export function formatCheck(report: CheckReport): string {
  return `${textOf(checkDocument({ ...report }))}\n${checkVerdict(report)}`;
}

/** One test case a side. */
export function checkJunit(report: CheckReport): string {
  const cases = report.sides.map(({ name, status, reason = '', required, differences }): TestCase => {
    if (status === 'mismatch') {
      const all = differences.map(differenceInWords);
      return { name, outcome: { kind: 'failure', type: 'mismatch', message: all[0], text: all.join('\n') } };
    }
    if (status !== 'absent' && status !== 'cannot run') return { name };
    return { name, outcome: { kind: required ? 'error' : 'skipped', type: status, message: reason } };
  });
  return junitOf('rnn-parity check', [{ name: report.file, cases }]);
}
