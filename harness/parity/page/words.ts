import { ofSide, type BrowserFacts, type ParityReport } from '../report';
import { listed } from '../../reports/index';
import { defectsOf, hiddenByForwarding } from './defects';

/** `webgl as it is`, for `browser:webgl:as-is`. */
export function sideInWords(name: string): string {
  const [, backend = name, ...rest] = name.split(':');
  const asIs = rest.includes('as-is') ? ' by TensorFlow.js as it is' : '';
  const forwards = rest.includes('forward') ? ', forwarding on' : '';
  return `${backend}${asIs}${forwards}${rest.includes('f16') ? ' in half precision' : ''}`;
}

/** How a side ended. */
export type SideState = 'right' | 'wrong' | 'error' | 'not run' | 'unfinished';

export function stateOf(report: ParityReport, name: string): SideState {
  const { sides, errors, cases, audit } = ofSide(report, name);
  if (sides.some((one) => one.name === name && one.status === 'not run')) return 'not run';
  if (errors.length > 0) return 'error';
  if (cases.some(({ status }) => status === 'fail')) return 'wrong';
  return audit.some((line) => line.startsWith(`${name},`) || line.startsWith(`${name}:`))
    ? 'unfinished'
    : 'right';
}

/** A sentence about some sides; nothing about none. */
const saidOf = (words: string, names: readonly string[]): string =>
  names.length === 0 ? '' : ` ${words} ${listed(names)}.`;

/** The verdict in one sentence, or two: what is wrong and where, and what is right. */
export function verdictInWords(report: ParityReport): string {
  const states = report.sides.map(({ name }) => ({ name, state: stateOf(report, name) }));
  const of = (state: SideState): string[] =>
    states.filter((one) => one.state === state).map(({ name }) => name);
  const right = of('right');
  const backends = [...new Set(right.filter((name) => !name.includes('as-is')).map(sideInWords))];
  const good = saidOf('The twin is right on', backends);
  const notRun = saidOf('Not run:', of('not run').map(sideInWords));
  const unfinished = saidOf('Not finished:', of('unfinished').map(sideInWords));
  const [wrong, errors] = [of('wrong'), of('error')];
  const unknown = errors.length === 0 ? '' : `${wrongInWords(report, errors)}.`;
  if (wrong.length > 0)
    return `NO: ${wrongInWords(report, wrong)}.${unknown && ` Not shown: ${unknown}`}${good}${unfinished}${notRun}`;
  if (errors.length > 0) return `NOT SHOWN: ${unknown}${good}${unfinished}${notRun}`;
  if (report.verdict === 'parity') {
    const asIs = [
      ...new Set(right.filter((name) => name.includes('as-is')).map((name) => name.split(':')[1])),
    ];
    const also = saidOf('TensorFlow.js as it is, is right on', asIs);
    return `YES: every gradient, state and loss is within what rounding explains.${good}${also}${notRun}`;
  }
  return `NOT SHOWN: ${report.audit.length > 0 ? 'a part of the plan has not been run' : 'a side did not run'}.${good}${unfinished}${notRun}`;
}

export function unknownInWords(comparisons: number): string {
  const [are, them] = comparisons === 1 ? ['comparison is', 'it'] : ['comparisons are', 'them'];
  return `${comparisons} ${are} wrong, and no known defect of TensorFlow.js explains ${them}`;
}

function wrongInWords(report: ParityReport, wrong: readonly string[]): string {
  const sentences = new Map<string, string[]>();
  for (const name of wrong) {
    const { found, unexplained } = defectsOf(report, name);
    const words = found.map(({ defect }) => defect.words);
    const half = halfInWords(report, name);
    const own = report.errors.find(({ implementation }) => implementation === name);
    if (half !== undefined) words.push(half);
    else if (own !== undefined) words.push(`an error: ${own.message.replace(/\.$/, '')}`);
    else if (unexplained > 0) words.push(unknownInWords(unexplained));
    const key = words.join('; ');
    sentences.set(key, [...(sentences.get(key) ?? []), name]);
  }
  return [...sentences].map(([words, names]) => `${listed(names.map(sideInWords))}: ${words}`).join('. ');
}

/** Of a side that computes in half precision: what it is worth as such. Undefined for any other. */
export function halfInWords({ browser }: ParityReport, side: string): string | undefined {
  const half = browser?.sides.find(({ name }) => name === side)?.half;
  if (half === undefined) return undefined;
  const as =
    half.wrong === 0 ? 'right as half' : `and ${half.wrong} of ${half.problems} problems wrong as half`;
  return `computes in half precision (11 bits): wrong as single precision, ${as}`;
}

/** What runs at all, in words: a software GPU says nothing about a graphics card. */
export function deviceInWords({ sides }: BrowserFacts): string {
  const gpus = sides.filter(({ name }) => /webg/.test(name));
  const soft = gpus.filter(({ software }) => software);
  const names = [...new Set(gpus.map(({ version }) => version.replace(/^[^,]*, /, '')))];
  if (gpus.length === 0) return 'No GPU side has run.';
  const device = `GPU: ${names.join('; ')}.`;
  return soft.length === gpus.length
    ? `${device} This is a SOFTWARE GPU: it says nothing about a graphics card.`
    : device;
}

/** What the run could not show, a sentence each. */
export function unseenInWords(report: ParityReport): string[] {
  const { browser, sides } = report;
  const gpus = (browser?.sides ?? []).filter(({ name }) => /webg/.test(name));
  const hidden = ['webgl', 'webgpu'].flatMap((backend) => {
    const ids = hiddenByForwarding(report, backend);
    return ids.length === 0
      ? []
      : [
          `${backend}: ${ids.length} problems that are wrong on the device are right with forwarding on, because tfjs then computes small operations in JavaScript (flag ${backend.toUpperCase()}_CPU_FORWARD): a small test does not test the device.`,
        ];
  });
  return [
    ...hidden,
    ...(gpus.some(({ software }) => !software)
      ? []
      : ['A graphics card: every GPU side ran on a program that stands in for one, or none ran.']),
    ...(sides.some(({ name }) => name.endsWith(':f16'))
      ? []
      : ['Textures in half precision (side webgl:f16).']),
    ...(report.plan.some(({ problem }) => problem?.layers !== undefined)
      ? []
      : ['Networks of layers: LSTM, GRU, both directions.']),
    ...(report.plan.some(({ caseId }) => caseId.startsWith('trajectory/'))
      ? []
      : ['Training over several steps.']),
    'Problems of more than a few thousand numbers.',
  ];
}

/** For a terminal, below the report: the device, known defects with their causes, and what could not be seen. */
export function browserSummary(report: ParityReport): string[] {
  const { browser, sides } = report;
  if (browser === undefined) return [];
  const known = new Map<string, string[]>();
  for (const { name } of sides)
    for (const { defect } of defectsOf(report, name).found) {
      const reported =
        defect.issue === undefined ? 'no upstream report is known' : `reported as ${defect.issue}`;
      const line = `${defect.backend}: ${defect.words}. Cause: ${defect.cause} (${reported})`;
      known.set(line, [...(known.get(line) ?? []), name]);
    }
  return [
    browser.userAgent,
    deviceInWords(browser),
    ...[...known].map(([line, names]) => `known defect, seen on ${names.join(', ')}: ${line}`),
    ...unseenInWords(report).map((line) => `not seen: ${line}`),
    verdictInWords(report),
  ];
}
