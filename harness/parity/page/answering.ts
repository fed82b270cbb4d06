import { asError } from '../../base/side-errors';
import { partOf, partsOf, type AnyProblem } from '../../base/problem';
import type { PageConfig } from './config';
import { silenceInWords } from './patience';
import { SideWorker, type End } from './side-worker';
import {
  browserIn,
  pageSides,
  readAsked,
  writeAnswered,
  type Asked,
  type PageSide,
  type Thrown,
} from '../../sides/page/index';

type Heard = End & { readonly type: 'answered' | 'threw' | 'silent' };

/**
 * So many workers answer for one side: while one waits for the device to compile a program, another one goes on. WebGPU compiles few
 * programs, and its side has one worker: SwiftShader, the software GPU of Chromium, keeps about 7,000 pieces of memory mapped for each
 * WebGPU device, of the 65,530 that Linux gives a process (vm.max_map_count), and its process ends where there are no more.
 */
const workersOf = ({ backend }: PageSide): number => (backend === 'webgpu' ? 1 : 4);

/**
 * Answers problems that Node asks until there are no more: Node examines and judges the sides that run here. A side has a few workers, and
 * problems of the same units go to the same one, which has their programs. A problem without an answer in time is asked once more, of a new
 * worker, with twice the time.
 *
 * @param say shows what it is doing
 */
export async function answerProblems(config: PageConfig, say: (line: string) => void): Promise<void> {
  const answerers = new Map<string, Answerer>();
  const answer = async (asked: Asked): Promise<string> => {
    const side = pageSides.find(({ name }) => name === asked.side);
    if (side === undefined) return writeAnswered(asked, thrown(`there is no side ${asked.side}`));
    const key = `${side.name} ${hashOfUnits(asked.problem) % workersOf(side)}`;
    let answerer = answerers.get(key);
    if (answerer === undefined) answerers.set(key, (answerer = new Answerer(side, config)));
    const heard = await answerer.answer(asked);
    return 'answer' in heard
      ? writeAnswered(asked, heard.answer, `${heard.version}, ${browserIn(navigator.userAgent)}`)
      : writeAnswered(asked, heard);
  };
  const page = crypto.randomUUID();
  let count = 0;
  const failures: Error[] = [];
  for (;;) {
    const response = await post('next', page);
    if (failures.length > 0) throw failures[0];
    if (response.status === 204) continue;
    if (!response.ok) break;
    const asked = readAsked(await response.text());
    say(`Answering problem ${++count} of rnn-parity: ${asked.side}`);
    void answer(asked)
      .then((body) => post('answered', body))
      .catch((error: unknown) => failures.push(asError(error)));
  }
  say(`rnn-parity has no more problems. ${count} were answered.`);
  for (const answerer of answerers.values()) answerer.end();
}

/**
 * The same for all questions about networks of the same units, whatever else a problem has: most of their programs are the same, and each
 * worker would compile its own.
 */
function hashOfUnits(problem: AnyProblem): number {
  const weights = partsOf(problem).filter((name) => name.startsWith('weights.'));
  const units = weights.map((name) => partOf(problem, name)?.shape.at(-1) ?? 0);
  return units.reduce((hash, count) => (31 * hash + count) % 65_521, 7);
}

/** A worker of one side, and a new one after it ended or gave no sign of life. */
class Answerer {
  private worker: SideWorker | undefined;
  private attempts = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly side: PageSide,
    private readonly config: PageConfig,
  ) {}

  /** After those that were asked before. */
  answer(asked: Asked): Promise<(Heard & { readonly type: 'answered' }) | Thrown> {
    const answer = this.last.then(() => this.answerNow(asked));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async answerNow(asked: Asked): Promise<(Heard & { readonly type: 'answered' }) | Thrown> {
    const first = await this.ask(asked, this.config.patience);
    if (first.type !== 'silent') return first;
    const second = await this.ask(asked, 2 * first.seconds);
    if (second.type !== 'silent') return second;
    return { ...thrown(silenceInWords(first.seconds, second.seconds, false)), unanswered: true };
  }

  end(): void {
    this.worker?.end();
    this.worker = undefined;
  }

  private async ask({ id, problem }: Asked, least: number | undefined): Promise<Heard> {
    const { side } = this;
    if (this.worker?.isOver === true) this.end();
    const worker = (this.worker ??= new SideWorker({
      least,
      hangs: this.attempts < (this.config.hangs ?? 0),
    }));
    this.attempts++;
    const heard = await worker.ask({ type: 'answer', id, side, problem });
    if (worker.isOver) this.end();
    return heard as Heard;
  }
}

const thrown = (message: string): Thrown => ({ message, trace: '' });

/** To the server that this page came from, on the same address. */
export function post(path: string, body: string): Promise<Response> {
  return fetch(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
}
