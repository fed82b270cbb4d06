import { BackendNotRunError } from '../../base/outcome';
import type { AnyProblem, Evaluation, Implementation, Problem } from '../../base/problem';
import { SideUnavailableError, UnansweredError } from '../../base/side-errors';
import { parsePageSides, readAnswered, refusesLayers, writeAsked, type Answered } from '../page/index';
import type { OpenSide, SideSource } from '../side';
import { findChromium, launchBrowser, type Browser } from './launch';
import { pageHtml } from './build-page';
import { deferred, servePage, type Deferred, type PageServer } from './server';

/** A page is asked anew after so long, so that no connection is cut for doing nothing. */
const pollMs = 15_000;
/** A page asks for problems also while it owes answers; it decides itself when a device hangs. */
const silenceMs = 360_000;

type Waiting = Deferred<Given> & { readonly problem: AnyProblem };

/** An answer, and the engine, device and browser that gave it. */
interface Given {
  readonly answer: Evaluation;
  readonly version: string;
}

/** A page in a browser that answers problems, those of one side one after the other; all sides of this process share one. */
class AnsweringPage {
  private readonly waiting = new Map<number, Waiting>();
  private readonly asked: string[] = [];
  private ask: Deferred<undefined> | undefined;
  private next = 0;
  private server: PageServer | undefined;
  private browser: Browser | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private ended: Error | undefined;
  /** how the page calls itself */ private page: string | undefined;

  /** @throws SideUnavailableError where there is no browser */
  static async start(tested: RemoteTest = {}): Promise<AnsweringPage> {
    const path = findChromium();
    if (path === undefined)
      throw new SideUnavailableError('there is no Chromium here; install one, or name it in CHROMIUM_PATH');
    const page = new AnsweringPage();
    page.server = await servePage(
      await pageHtml(),
      { answers: true, ...tested },
      { next: (body) => page.giveNext(body), answered: (body) => page.hear(body) },
    );
    try {
      page.browser = await launchBrowser({ path }, page.server.address);
    } catch (error) {
      await page.server.close();
      if (error instanceof BackendNotRunError)
        throw new SideUnavailableError(error.message, { cause: error });
      throw error;
    }
    void page.browser.ended.then((how) => page.end(new Error(`the browser ended ${how}`)));
    return page;
  }

  async evaluate(side: string, problem: AnyProblem): Promise<Given> {
    if (this.ended !== undefined) throw this.ended;
    const id = this.next++;
    const answer = deferred<Given>();
    this.waiting.set(id, { ...answer, problem });
    this.asked.push(writeAsked({ id, side, problem }));
    this.ask?.resolve(undefined);
    this.heard();
    return answer.promise.finally(() => {
      this.waiting.delete(id);
      this.heard();
    });
  }

  async close(): Promise<void> {
    this.end(new Error('the page was closed'));
    await this.browser?.close();
    await this.server?.close();
  }

  /** The page is there; while it owes an answer it must say so again. */
  private heard(): void {
    clearTimeout(this.silence);
    if (this.waiting.size > 0)
      this.silence = setTimeout(() => {
        const message = `not answered: the page gave no sign of life for ${silenceMs / 1000} s`;
        this.end(new UnansweredError(message));
      }, silenceMs);
  }

  /** The page asks for the next problem, also while it computes others; it gets none for now where nothing is asked. */
  private async giveNext(page: string): Promise<string | undefined> {
    this.page ??= page;
    // what the page before it was asked is lost with it
    if (this.page !== page) this.end(new UnansweredError('not answered: the page was loaded anew'));
    this.heard();
    if (this.asked.length === 0) {
      const ask = deferred<undefined>();
      this.ask = ask;
      const timer = setTimeout(() => ask.resolve(undefined), pollMs);
      await ask.promise.catch(() => undefined);
      clearTimeout(timer);
    }
    return this.asked.shift();
  }

  private hear(body: string): string {
    this.heard();
    try {
      this.settle(readAnswered(body, (id) => this.waiting.get(id)?.problem));
    } catch (error) {
      this.end(error as Error);
      throw error;
    }
    return '';
  }

  private settle(answered: Answered): void {
    const waiting = this.waiting.get(answered.id);
    if ('answer' in answered) waiting?.resolve(answered);
    else if (answered.unanswered === true) waiting?.reject(new UnansweredError(answered.message));
    else waiting?.reject(new Error(answered.message));
  }

  /** It answers nothing any more. */
  private end(error: Error): void {
    this.ended ??= error;
    clearTimeout(this.silence);
    for (const { reject } of this.waiting.values()) reject(error);
    this.ask?.resolve(undefined);
  }
}

/** The harness tests itself: so many attempts of every side give no sign of life for `patience` seconds. */
export interface RemoteTest {
  readonly hangs?: number;
  readonly patience?: number;
}

let shared: { readonly page: Promise<AnsweringPage>; users: number } | undefined;

/**
 * A side that runs in a browser of this machine, without a window, while Node examines and judges it: `browser:webgl`, or any other of
 * `pageSides`. It answers problems; training steps run on the page of `rnn-parity browser` only.
 */
export function remoteSide(name: string, required: boolean, tested?: RemoteTest): SideSource {
  const [side] = parsePageSides(name);
  return {
    name,
    required,
    open: async (): Promise<OpenSide> => {
      shared ??= { page: AnsweringPage.start(tested), users: 0 };
      const mine = shared;
      mine.users++;
      const leave = (): void => {
        if (--mine.users > 0) return;
        if (shared === mine) shared = undefined;
        void mine.page.then((page) => page.close()).catch(() => undefined);
      };
      try {
        const page = await mine.page;
        const evaluate = async (problem: AnyProblem): Promise<Evaluation> =>
          (await page.evaluate(name, problem)).answer;
        const implementation: Implementation = {
          ...{ name, precision: 'float32', evaluate },
          layered: { refuses: (model) => refusesLayers(side, model), evaluate },
          dispose: leave,
        };
        const { version } = await page.evaluate(name, smallest);
        return { implementation, version, isElsewhere: true };
      } catch (error) {
        leave();
        if (error instanceof SideUnavailableError) throw error;
        throw new SideUnavailableError((error as Error).message, { cause: error });
      }
    },
  };
}

const one = { data: Float64Array.of(0.5), shape: [1, 1] };

/** Shows whether the device is there. */
const smallest: Problem = {
  id: 'smallest',
  inputs: { ...one, shape: [1, 1, 1] },
  weights: { kernel: one, recurrentKernel: one, bias: { ...one, shape: [1] } },
};
