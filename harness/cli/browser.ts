import { spawn } from 'node:child_process';
import { Option, type Command } from 'commander';
import { exitCodes, UsageError, type ExitCode, type Outcome } from '../base/outcome';
import { argumentsOf, type DefineCommand } from './command';
import * as options from './options';
import { checkOutputs, outputOf, withJson, writeOutput, type JsonFlag } from './outputs';

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
      new Option('--save <file>', 'only write the page itself, one file that runs from disk in any browser'),
    ])
    .addHelpText(
      'after',
      `
${options.exitText}.
3 also where --gpu real was asked for and a GPU side ran on a program that stands in for a graphics card.

Examples:
  rnn-parity browser
  rnn-parity browser --browser /usr/bin/chromium --sides webgl,webgpu --json report.json
  rnn-parity browser --save page.html`,
    )
    .action(async (flags: Flags, command: Command) => finish(await browser(flags, argumentsOf(command))));
};

async function browser(flags: Flags, args: readonly string[]): Promise<Outcome> {
  const { formatJunit, formatSummary } = await import('../parity/index.js');
  const { runBrowser } = await import('../parity/browser/index.js');
  const { pageHtml } = await import('../sides/remote/index.js');
  const { pageTitle, parityPage } = await import('../parity/html/index.js');
  const { browserSummary } = await import('../parity/page/index.js');
  const { parsePageSides } = await import('../sides/page/index.js');
  const junit = outputOf('--junit', flags.junit, '<testsuites name="rnn-parity"');
  const html = outputOf('--html', flags.html, `<title>${pageTitle}</title>`);
  const save = outputOf('--save', flags.save, '(rnn-parity ');
  await checkOutputs([...outputOf('--json', flags.json, 'rnn-parity-report/'), ...junit, ...html, ...save]);
  if (save.length > 0) {
    await writeOutput(save, pageHtml);
    return { exitCode: exitCodes.parity, text: `${flags.save ?? ''} is the page; open it in any browser.` };
  }
  const {
    report,
    text: machine,
    faults,
  } = await runBrowser({
    config: {
      ...(flags.sides !== undefined && { sides: sideNames(flags.sides, parsePageSides) }),
      ...(flags.only !== undefined && { only: flags.only }),
      seed: flags.seed,
      extent: flags.quick === true ? 'quick' : 'usual',
    },
    browser:
      flags.browser === undefined
        ? undefined
        : { path: flags.browser, headed: flags.headed === true, software: flags.gpu !== 'real' },
    open: openAddress,
    timeoutSeconds: flags.timeout,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  await writeOutput(junit, () => formatJunit(report));
  await writeOutput(html, () => parityPage({ report, charts: [], settings: args, sections: [] }));
  const software = (report.browser?.sides ?? []).filter((side) => side.software).map(({ name }) => name);
  const wantsReal = flags.gpu === 'real' && software.length > 0;
  const text = [
    formatSummary(report),
    ...browserSummary(report),
    ...faults.slice(0, 20).map((fault) => `contradiction: ${fault}`),
    ...(faults.length > 0
      ? [
          `MISMATCH: the report of the page does not follow from its own numbers (${faults.length} contradictions)`,
        ]
      : []),
    ...(wantsReal
      ? [`NOT RUN: --gpu real was asked for, but ${software.join(', ')} ran on a software GPU`]
      : []),
  ].join('\n');
  const exitCode = exitCodeOf(report.exitCode, faults.length > 0, wantsReal);
  return withJson({ exitCode, text, json: report, machine, summarizes: true }, flags.json);
}

/** A contradiction outranks what the report says of itself; a software GPU counts where all else is well. */
function exitCodeOf(reported: ExitCode, contradicted: boolean, wantsReal: boolean): ExitCode {
  if (contradicted && reported !== exitCodes.usage) return exitCodes.mismatch;
  return wantsReal && reported === exitCodes.parity ? exitCodes.backendNotRun : reported;
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
