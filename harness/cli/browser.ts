import { spawn } from 'node:child_process';
import { exitCodes, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import type { ParityReport } from '../parity/index';
import type { PageConfig } from '../parity/page/index';
import { defineCommand, type FlagsOf } from './command';
import * as options from './options';
import { checkFolder, openOutputs, say } from './outputs';

const { choice, duration, option, text, yes } = options;

const table = {
  browser: text(
    '--browser <path>',
    'drive this Chromium, Chrome, Edge or Firefox; without it the address is shown and opened in your own browser',
  ),
  sides: text(
    '--sides <list>',
    'run only these, and each must run: cpu, wasm, webgl, webgpu; with :as-is by the layers of TensorFlow.js as they are, with :forward with small operations forwarded to JavaScript, with :f16 in half precision (webgl)',
  ),
  headed: yes('--headed', 'with --browser: show its window'),
  only: options.onlyFlag('run only cases whose id'),
  seed: options.seedFlag('seed of all random numbers'),
  quick: yes('--quick', 'run fewer problems'),
  timeout: option('--timeout <duration>', 'time limit of the whole run', duration(1)).default(900, '900s'),
  gpu: choice(
    '--gpu <kind>',
    'real: a graphics card must have computed; software: allow a program that stands in for one (default)',
    ['real', 'software'],
  ),
  json: options.jsonFlag('the whole report'),
  html: text('--html <file>', 'write the report as one page, readable offline'),
  junit: text('--junit <file>', 'write the report as JUnit XML, for CI servers'),
  out: text(
    '--out <dir>',
    'save failing problems there, the first of each class of failure, for rnn-parity replay',
  ),
  case: text('--case <file>', 'run only the problem of this case file, which fuzz or --out wrote'),
  save: text(
    '--save <file>',
    'only write the page itself, one file that runs from disk in any browser, with the other options in it',
  ),
};
type Flags = FlagsOf<typeof table>;

export const defineBrowser = defineCommand({
  name: 'browser',
  description:
    "compare the scratch network with TensorFlow.js in a browser, on this device's webgl, webgpu, wasm and cpu",
  flags: table,
  help: `${options.exitText}.
3 also where --gpu real was asked for and no graphics card computed.

Examples:
  rnn-parity browser
  rnn-parity browser --browser /usr/bin/chromium --sides webgl,webgpu --json report.json --out cases
  rnn-parity browser --case fuzz-cases/1-17-browser-webgl.json
  rnn-parity browser --save page.html`,
  run(flags, { line, refuseIdle }) {
    if (flags.browser === undefined) refuseIdle('without --browser', 'headed');
    if (flags.case !== undefined) refuseIdle('with --case', 'only', 'seed', 'quick', 'out');
    if (flags.save !== undefined)
      refuseIdle(
        'with --save',
        ...(['browser', 'headed', 'timeout', 'gpu', 'json', 'html', 'junit', 'out'] as const),
      );
    return browser(flags, line);
  },
});

async function browser(flags: Flags, settings: readonly string[]): Promise<Outcome> {
  const { formatJunit, formatSummary } = await import('../parity/index.js');
  const { runBrowser } = await import('../parity/browser/index.js');
  const { pageHtml, withConfig } = await import('../sides/remote/index.js');
  const { pageTitle, parityPage } = await import('../parity/html/index.js');
  const { browserSummary } = await import('../parity/page/index.js');
  const { visible } = await import('../reports/index.js');
  const config = await configOf(flags);
  const outputs = await openOutputs(
    flags,
    {
      json: 'rnn-parity-report/',
      junit: '<testsuites name="rnn-parity"',
      html: `<title>${pageTitle}</title>`,
      save: '(rnn-parity ',
    },
    flags.case === undefined ? [] : [flags.case],
  );
  const { browser: path, headed = false, gpu, out } = flags;
  if (out !== undefined) await checkFolder('--out', out);
  if (flags.save !== undefined) {
    await outputs.write('save', async () => withConfig(await pageHtml(), config));
    return { exitCode: exitCodes.parity, text: `${flags.save} is the page; open it in any browser.` };
  }
  const found = await runBrowser({
    config,
    browser: path === undefined ? undefined : { path, headed, software: gpu !== 'real' },
    open: openAddress,
    timeoutSeconds: flags.timeout,
    progress: say,
  });
  const { report, faults, charts } = found;
  const cards = gpu === 'real' ? withoutCard(report) : [];
  const text = [
    formatSummary(report),
    ...browserSummary(report),
    ...(out === undefined ? [] : await saved(out, report, config)),
    ...faults.slice(0, 20).map((fault) => `contradiction: ${fault}`),
    ...(faults.length > 0
      ? [
          `MISMATCH: the report of the page does not follow from its own numbers (${faults.length} contradictions)`,
        ]
      : []),
    ...(cards.length > 0
      ? [`NOT RUN: --gpu real was asked for, but no graphics card computed: ${cards.join('; ')}`]
      : []),
  ]
    .flatMap((part) => part.split('\n'))
    // a page may send commands to a terminal
    .map((line) => visible(line))
    .join('\n');
  const exitCode = exitCodeOf(report.exitCode, faults.length > 0, cards.length > 0);
  return outputs.outcome(
    { exitCode, text, json: report, machine: found.text, summarizes: true },
    {
      junit: () => formatJunit(report),
      html: () => parityPage({ report, charts, command: 'browser', settings }),
    },
  );
}

/** @throws UsageError for a side that there is not, or a file that holds no case */
async function configOf(flags: Flags): Promise<PageConfig> {
  const { parsePageSides, writeProblem } = await import('../sides/page/index.js');
  const sides = flags.sides === undefined ? undefined : sideNames(flags.sides, parsePageSides);
  if (flags.gpu === 'real' && sides?.some(isOnGpu) === false)
    throw new UsageError(
      `--gpu real asks for a graphics card, but --sides ${flags.sides ?? ''} names no side on one; add webgl or webgpu.`,
    );
  const chosen = sides && { sides };
  if (flags.case !== undefined) {
    const { readCaseFile } = await import('../fuzz/case-file.js');
    const { problem } = await readCaseFile(flags.case);
    const what = { problem: writeProblem(problem), only: problem.id, flags: ['--case', flags.case] };
    return { ...chosen, ...what };
  }
  const { only, seed, quick } = flags;
  return { ...chosen, ...(only !== undefined && { only }), seed, extent: quick === true ? 'quick' : 'usual' };
}

const isOnGpu = (side: string): boolean => side.startsWith('browser:webg');

/** Why no graphics card has computed, or not everything that a GPU computed; none where one has. */
function withoutCard({ sides, browser }: ParityReport): string[] {
  const gpus = sides.filter(({ name }) => isOnGpu(name));
  const soft = (browser?.sides ?? []).filter(({ name, software }) => isOnGpu(name) && software);
  const ran = gpus.filter(({ status }) => status === 'ran');
  if (soft.length > 0) return soft.map(({ name, version }) => `${name} ran on a software GPU (${version})`);
  const reasons = ran.length > 0 ? [] : [...new Set(gpus.map(({ reason = 'not run' }) => reason))];
  return reasons.map(
    (why) => `${gpus.flatMap(({ name, reason }) => (reason === why ? [name] : [])).join(', ')}: ${why}`,
  );
}

/** Saves failing problems, and says how each is run again. */
async function saved(out: string, report: ParityReport, config: PageConfig): Promise<string[]> {
  const { keepPageCases } = await import('../fuzz/keep-page-cases.js');
  const { quoted } = await import('../reports/index.js');
  const files = await keepPageCases(out, report, config);
  return files.map((file) => `saved: rnn-parity replay ${quoted(file)}`);
}

/** A contradiction outranks what the report says of itself; a software GPU counts where all else is well. */
function exitCodeOf(reported: ExitCode, contradicted: boolean, lacksCard: boolean): ExitCode {
  if (contradicted && reported !== exitCodes.usage) return exitCodes.mismatch;
  return lacksCard && reported === exitCodes.parity ? exitCodes.backendNotRun : reported;
}

function sideNames(list: string, parse: (list: string) => readonly { readonly name: string }[]): string[] {
  try {
    return parse(list).map(({ name }) => name);
  } catch (error) {
    throw new UsageError(`--sides ${list}: ${(error as Error).message}`, { cause: error });
  }
}

/** Shows the address, and opens it where the system has a way to. */
function openAddress(address: string): void {
  say(`open ${address} in a browser of this machine`);
  const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
    darwin: ['open'],
    win32: ['cmd', '/c', 'start', ''],
    linux: ['xdg-open'],
  };
  const opener = openers[process.platform];
  if (opener === undefined) return;
  const [program, ...before] = opener;
  const child = spawn(program, [...before, address], { stdio: 'ignore', detached: true });
  // where there is no such program, the address on stderr is enough
  child.once('error', () => undefined);
  child.unref();
}
