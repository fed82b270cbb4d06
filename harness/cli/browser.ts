import { spawn } from 'node:child_process';
import { Option, type Command } from 'commander';
import { exitCodes, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import type { ParityReport } from '../parity/index';
import type { PageConfig } from '../parity/page/index';
import { argumentsOf, refuseIdle, type DefineCommand } from './command';
import * as options from './options';
import { checkFolder, checkOutputs, outputOf, withJson, writeOutput, type JsonFlag } from './outputs';

interface Flags {
  readonly browser?: string;
  readonly sides?: string;
  readonly headed?: true;
  readonly only?: string;
  readonly seed: number;
  readonly quick?: true;
  readonly timeout: number;
  readonly gpu?: 'real' | 'software';
  readonly json?: JsonFlag;
  readonly html?: string;
  readonly junit?: string;
  readonly out?: string;
  readonly case?: string;
  readonly save?: string;
}

/** `rnn-parity browser` */
export const defineBrowser: DefineCommand = (program, finish) => {
  const command = program
    .command('browser')
    .description(
      "compare the scratch network with TensorFlow.js in a browser, on this device's webgl, webgpu, wasm and cpu",
    );
  options
    .addOptions(command, [
      new Option(
        '--browser <path>',
        'drive this Chromium, Chrome, Edge or Firefox; without it the address is shown and opened in your own browser',
      ),
      new Option(
        '--sides <list>',
        'run only these, and each must run: cpu, wasm, webgl, webgpu; with :as-is by the layers of TensorFlow.js as they are, with :forward with small operations forwarded to JavaScript, with :f16 in half precision (webgl)',
      ),
      new Option('--headed', 'with --browser: show its window'),
      new Option('--only <pattern>', 'run only cases whose id contains this text; * and ? are wildcards'),
      options.seedOption('seed of all random numbers'),
      new Option('--quick', 'run fewer problems'),
      options.option('--timeout <duration>', 'time limit of the whole run', options.duration(1), 900, '900s'),
      new Option(
        '--gpu <kind>',
        'real: a graphics card must have computed; software: allow a program that stands in for one (default)',
      ).choices(['real', 'software']),
      options.jsonOption('the whole report'),
      new Option('--html <file>', 'write the report as one page, readable offline'),
      new Option('--junit <file>', 'write the report as JUnit XML, for CI servers'),
      new Option(
        '--out <dir>',
        'save failing problems there, the first of each class of failure, for rnn-parity replay',
      ),
      new Option('--case <file>', 'run only the problem of this case file, which fuzz or --out wrote'),
      new Option(
        '--save <file>',
        'only write the page itself, one file that runs from disk in any browser, with the other options in it',
      ),
    ])
    .addHelpText(
      'after',
      `
${options.exitText}.
3 also where --gpu real was asked for and no graphics card computed.

Examples:
  rnn-parity browser
  rnn-parity browser --browser /usr/bin/chromium --sides webgl,webgpu --json report.json --out cases
  rnn-parity browser --case fuzz-cases/1-17-browser-webgl.json
  rnn-parity browser --save page.html`,
    )
    .action(async (flags: Flags, command: Command) => {
      if (flags.browser === undefined) refuseIdle(command, 'without --browser', ['headed']);
      if (flags.case !== undefined) refuseIdle(command, 'with --case', ['only', 'seed', 'quick', 'out']);
      const running = ['browser', 'headed', 'timeout', 'gpu', 'json', 'html', 'junit', 'out'];
      if (flags.save !== undefined) refuseIdle(command, 'with --save', running);
      finish(await browser(flags, argumentsOf(command)));
    });
};

async function browser(flags: Flags, args: readonly string[]): Promise<Outcome> {
  const { formatJunit, formatSummary } = await import('../parity/index.js');
  const { runBrowser } = await import('../parity/browser/index.js');
  const { pageHtml, withConfig } = await import('../sides/remote/index.js');
  const { pageTitle, parityPage } = await import('../parity/html/index.js');
  const { browserSummary } = await import('../parity/page/index.js');
  const { visible } = await import('../reports/index.js');
  const config = await configOf(flags);
  const junit = outputOf('--junit', flags.junit, '<testsuites name="rnn-parity"');
  const html = outputOf('--html', flags.html, `<title>${pageTitle}</title>`);
  const save = outputOf('--save', flags.save, '(rnn-parity ');
  const outputs = [...outputOf('--json', flags.json, 'rnn-parity-report/'), ...junit, ...html, ...save];
  await checkOutputs(outputs, flags.case === undefined ? [] : [flags.case]);
  if (flags.out !== undefined) await checkFolder('--out', flags.out);
  if (save.length > 0) {
    await writeOutput(save, async () => withConfig(await pageHtml(), config));
    return { exitCode: exitCodes.parity, text: `${flags.save ?? ''} is the page; open it in any browser.` };
  }
  const {
    report,
    text: machine,
    faults,
    charts,
  } = await runBrowser({
    config,
    browser:
      flags.browser === undefined
        ? undefined
        : { path: flags.browser, headed: flags.headed === true, software: flags.gpu !== 'real' },
    open: openAddress,
    timeoutSeconds: flags.timeout,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const cards = flags.gpu === 'real' ? withoutCard(report) : [];
  const text = [
    formatSummary(report),
    ...browserSummary(report),
    ...(flags.out === undefined ? [] : await saved(flags.out, report, config)),
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
  return withJson({ exitCode, text, json: report, machine, summarizes: true }, flags.json, [
    [junit, () => formatJunit(report)],
    [html, () => parityPage({ report, charts, command: 'browser', settings: args, sections: [] })],
  ]);
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
  process.stderr.write(`open ${address} in a browser of this machine\n`);
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
