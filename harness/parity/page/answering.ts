import type { PageConfig } from './config';
import type { FromWorker } from './messages';
import { silenceInWords } from './patience';
import { SideWorker } from './side-worker';
import {
  browserIn,
  pageSides,
  readAsked,
  writeAnswered,
  type Asked,
  type PageSide,
  type Thrown,
} from '../../sides/page/index';

/** While a device computes, Node hears so often that the page is there, in milliseconds. */
const aliveMs = 20_000;

type Heard = FromWorker & { readonly type: 'answered' | 'threw' | 'silent' };

/**
 * Answers problems that Node asks, one after the other, until there are no more: Node examines and judges a side that runs here. A problem
 * without an answer in time is asked once more, of a new worker, with twice the time.
 *
 * @param say shows what it is doing
 */
export async function answerProblems(config: PageConfig, say: (line: string) => void): Promise<void> {
  const answerers = new Map<string, Answerer>();
  const answer = async (asked: Asked): Promise<string> => {
    const side = pageSides.find(({ name }) => name === asked.side);
    if (side === undefined) return writeAnswered(asked, thrown(`there is no side ${asked.side}`));
    let answerer = answerers.get(side.name);
    if (answerer === undefined) answerers.set(side.name, (answerer = new Answerer(side, config)));
    const heard = await answerer.answer(asked);
    return 'answer' in heard
      ? writeAnswered(asked, heard.answer, `${heard.version}, ${browserIn(navigator.userAgent)}`)
      : writeAnswered(asked, heard);
  };
  let count = 0;
  let body = '';
  for (;;) {
    const response = await post('next', body);
    body = '';
    if (response.status === 204) continue;
    if (!response.ok) break;
    const asked = readAsked(await response.text());
    say(`Answering problem ${++count} of rnn-parity: ${asked.side}`);
    // that Node does not hear one of these ends nothing: it hears the next, or the answer
    const alive = setInterval(() => void post('alive', '').catch(() => undefined), aliveMs);
    body = await answer(asked).finally(() => clearInterval(alive));
  }
  say(`rnn-parity has no more problems. ${count} were answered.`);
  for (const answerer of answerers.values()) answerer.end();
}

/** The worker of one side, and a new one after it ended or gave no sign of life. */
class Answerer {
  private worker: SideWorker | undefined;
  private waiting: ((message: Heard) => void) | undefined;
  private attempts = 0;

  constructor(
    private readonly side: PageSide,
    private readonly config: PageConfig,
  ) {}

  async answer(asked: Asked): Promise<(Heard & { readonly type: 'answered' }) | Thrown> {
    const first = await this.ask(asked, this.config.patience);
    if (first.type !== 'silent') return first;
    const second = await this.ask(asked, 2 * first.seconds);
    if (second.type !== 'silent') return second;
    return { ...thrown(silenceInWords(first.seconds, second.seconds)), unanswered: true };
  }

  end(): void {
    this.worker?.end();
    this.worker = undefined;
  }

  private ask({ id, problem }: Asked, least: number | undefined): Promise<Heard> {
    const { side } = this;
    this.worker ??= new SideWorker(
      (message) => {
        // a worker that ended answers nothing that was asked of it
        if (message.type === 'silent' || (message.type === 'threw' && message.id === undefined)) this.end();
        if (message.type === 'answered' || message.type === 'threw' || message.type === 'silent')
          this.waiting?.(message);
      },
      { least, hangs: this.attempts < (this.config.hangs ?? 0) },
    );
    this.attempts++;
    return new Promise((resolve) => {
      this.waiting = (message) => {
        this.waiting = undefined;
        this.worker?.rest();
        resolve(message);
      };
      this.worker?.tell({ type: 'answer', id, side, problem });
    });
  }
}

const thrown = (message: string): Thrown => ({ message, trace: '' });

function post(path: string, body: string): Promise<Response> {
  return fetch(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
}
