import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { BackendNotRunError } from '../../base/outcome';

export interface LaunchOptions {
  /** the browser's program: Chromium, Chrome, Edge or Firefox */ readonly path: string;
  /** with a window; default: without */ readonly headed?: boolean;
  /** allow a program that stands in for a graphics card; default true */ readonly software?: boolean;
  /** where everything is sent that is not for this machine; default: a port of this machine that nothing listens at */
  readonly proxyPort?: number;
}

/** A port that nothing listens at: "discard". */
const deadPort = 9;

export interface Browser {
  /** settles when the process has ended, with how it ended */ readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Where Debian, and others, install a Chromium. */
const usualPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine: of CHROMIUM_PATH, or where it is usually installed. */
export function findChromium(): string | undefined {
  const paths = [process.env['CHROMIUM_PATH'] ?? '', ...usualPaths];
  return paths.find((path) => path !== '' && existsSync(path));
}

const isFirefox = (path: string): boolean => /firefox/i.test(basename(path));

/**
 * Settings of Firefox: WebGL without a graphics card, WebGPU where it is built in, and nothing that calls elsewhere by itself. What calls
 * all the same is sent to the proxy; this machine itself is never reached through it.
 */
const firefoxSettings = ({
  software = true,
  proxyPort = deadPort,
}: LaunchOptions): Readonly<Record<string, boolean | number | string>> => ({
  'network.proxy.type': 1,
  ...Object.fromEntries(
    ['http', 'ssl'].flatMap((kind): [string, string | number][] => [
      [`network.proxy.${kind}`, '127.0.0.1'],
      [`network.proxy.${kind}_port`, proxyPort],
    ]),
  ),
  'network.trr.mode': 5,
  'network.dns.disabled': true,
  'network.dns.disablePrefetch': true,
  'webgl.force-enabled': software,
  'dom.webgpu.enabled': true,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'services.settings.server': `http://127.0.0.1:${deadPort}`,
});

function argumentsFor(options: LaunchOptions, profile: string): string[] {
  const { path, headed = false, software = true, proxyPort = deadPort } = options;
  if (isFirefox(path)) return [...(headed ? [] : ['--headless']), '--no-remote', '--profile', profile];
  return [
    ...(headed ? [] : ['--headless=new']),
    `--user-data-dir=${profile}`,
    ...['--no-first-run', '--no-default-browser-check', '--disable-background-networking', '--disable-sync'],
    ...['--disable-component-update', '--disable-default-apps', '--disable-extensions'],
    ...['--enable-unsafe-webgpu', `--proxy-server=http://127.0.0.1:${proxyPort}`],
    ...(software ? ['--enable-unsafe-swiftshader'] : ['--disable-software-rasterizer']),
    // Chromium refuses its sandbox to root
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
}

/** On other systems than these a window needs no variable. */
function lacksDisplay(): boolean {
  const { DISPLAY = '', WAYLAND_DISPLAY = '' } = process.env;
  return ['linux', 'freebsd', 'openbsd'].includes(process.platform) && DISPLAY + WAYLAND_DISPLAY === '';
}

/**
 * Starts a browser of its own, with an empty profile, on a page of this machine; it reaches nothing else. `close` ends it with all its processes and removes the profile.
 *
 * @throws BackendNotRunError where the program cannot be started
 */
export async function launchBrowser(options: LaunchOptions, address: string): Promise<Browser> {
  if (options.headed === true && lacksDisplay())
    throw new BackendNotRunError(
      'a window needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set; leave --headed out, or run the command in a desktop or by xvfb-run.',
    );
  const profile = await mkdtemp(join(tmpdir(), 'rnn-parity-browser-')).catch((error: unknown) => {
    throw new BackendNotRunError(
      `a browser needs a profile, and no folder can be made in ${tmpdir()} (${(error as NodeJS.ErrnoException).code}); set TMPDIR to a folder that you may write to.`,
      { cause: error },
    );
  });
  if (isFirefox(options.path)) {
    const settings = Object.entries(firefoxSettings(options));
    const lines = settings.map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    await writeFile(join(profile, 'user.js'), lines.join(''));
  }
  // a process group of its own, so that its helper processes end with it
  const child = spawn(options.path, [...argumentsFor(options, profile), address], {
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`);
    });
    child.once('error', (error) => resolve(`because it could not be started: ${error.message}`));
  });
  const dismiss = child.pid === undefined ? undefined : guard(child.pid, profile);
  const close = async (): Promise<void> => {
    endGroup(child);
    if (child.pid !== undefined) await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    dismiss?.();
  };
  if (child.pid === undefined) {
    const how = await ended;
    await close();
    throw new BackendNotRunError(
      `the browser ${options.path} did not start: it ended ${how}; name another one with --browser PATH.`,
    );
  }
  return { ended, close };
}

/**
 * Ends the browser and removes its profile when this process is gone: one that is killed cannot do it itself, and a browser does not notice.
 *
 * @returns ends the guard
 */
function guard(browser: number, profile: string): () => void {
  const watch = `
    const [browser, profile] = process.argv.slice(1);
    process.stdin.resume().on('end', () => {
      try { process.kill(-browser, 'SIGKILL'); } catch {}
      require('node:fs').rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    });`;
  // a group of its own, so that Ctrl-C does not reach it
  const child = spawn(process.execPath, ['-e', watch, String(browser), profile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.on('error', () => undefined);
  child.unref();
  (child.stdin as Writable & { unref(): void }).unref();
  return () => void child.kill('SIGKILL');
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}
