import fs from 'node:fs';
import os from 'node:os';
import { SetUpError } from './set-up-error';

/** What of this machine decides whether the native engine can run on it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** undefined with another C library, such as musl */ readonly glibc: string | undefined;
  readonly cpu: string;
  /** of the features that libtensorflow asks for or profits from, those that the CPU has; undefined if unknown */
  readonly cpuFeatures: readonly string[] | undefined;
}

const features = [
  'sse4_1',
  'sse4_2',
  'avx',
  'avx2',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
];

export function thisPlatform(): Platform {
  return {
    os: process.platform,
    architecture: process.arch,
    glibc: glibcVersion(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpuFeatures: cpuFeatures(),
  };
}

function glibcVersion(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // Without this the report looks up the names of open connections.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function cpuFeatures(): string[] | undefined {
  let text: string;
  try {
    text = fs.readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return undefined;
  }
  const flags = /^flags\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/);
  return flags && features.filter((feature) => flags.includes(feature));
}

const elsewhere = 'use the wasm backend on this machine';

/** @throws {SetUpError} when the libraries of the wheel cannot run on this machine */
export function checkPlatform(platform: Platform): void {
  const { os: system, architecture, glibc, cpu, cpuFeatures: has } = platform;
  if (system !== 'linux' || architecture !== 'x64')
    throw new SetUpError(
      `the native engine is built for linux x64, this is ${system} ${architecture}`,
      elsewhere,
    );
  if (glibc === undefined)
    throw new SetUpError(
      'the C library of this system is not glibc (musl?), which libtensorflow needs',
      elsewhere,
    );
  const [major = 0, minor = 0] = glibc.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 27))
    throw new SetUpError(`libtensorflow needs glibc 2.27 or newer, this system has ${glibc}`, elsewhere);
  if (has !== undefined && !has.includes('avx'))
    throw new SetUpError(`libtensorflow needs a CPU with AVX, this one (${cpu}) has none`, elsewhere);
}

/** @throws {SetUpError} when the disk of this directory is too full for the build */
export function checkFreeSpace(directory: string, needed: number): void {
  const { bavail, bsize } = fs.statfsSync(directory);
  const free = bavail * bsize;
  if (free < needed)
    throw new SetUpError(
      `${directory} has ${megabytes(free)} free, the build needs ${megabytes(needed)}`,
      'free some space, or set XDG_CACHE_HOME to a directory on a larger disk',
    );
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
