import { SingleBar } from 'cli-progress';
import { megabytes, type SetUpProgress, type SetUpStep } from '../../src/index';

const words: Record<SetUpStep, string> = {
  download: 'downloading TensorFlow with pip',
  extract: 'unpacking and compiling',
  compile: 'compiling',
  strip: 'removing symbol tables',
  check: 'checking that it computes',
};

const quietMillis = 10_000;

/** Shows the set-up's steps on stderr: a bar for the download on a terminal, else a line a step and now and then. */
export function showProgress(stderr: NodeJS.WriteStream = process.stderr): {
  readonly report: (progress: SetUpProgress) => void;
  readonly end: () => void;
} {
  let step: SetUpStep | undefined;
  let bar: SingleBar | undefined;
  let written = 0;
  const line = (text: string): void => {
    stderr.write(`native: ${text}\n`);
    written = Date.now();
  };
  const end = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const report = (progress: SetUpProgress): void => {
    const { done, total } = progress;
    if (progress.step !== step) {
      end();
      step = progress.step;
      line(`${words[step]}${total === undefined ? '' : ` (${megabytes(total)})`} ...`);
    }
    if (done === undefined || total === undefined) return;
    if (stderr.isTTY) {
      if (bar === undefined) {
        bar = new SingleBar({ format: '  {bar} {percentage}%  {eta_formatted}', stream: stderr });
        bar.start(total, done);
      }
      bar.update(Math.min(done, total));
    } else if (Date.now() - written > quietMillis) line(`${megabytes(done)} of ${megabytes(total)}`);
  };
  return { report, end };
}
