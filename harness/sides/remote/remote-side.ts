import { BackendNotRunError } from '../../base/outcome';
import type { AnyProblem, Evaluation, Implementation, Problem } from '../../base/problem';
import { SideUnavailableError } from '../../base/side-errors';
import { parsePageSides, readAnswered, refusesLayers, writeAsked, type Answered } from '../page/index';
import type { OpenSide, SideSource } from '../side';
import { deferred, type Deferred } from './deferred';
import { findChromium, launchBrowser, type Browser } from './launch';
import { pageHtml } from './page-file';
import { servePage, type PageServer } from './server';

/** A page is asked anew after so long, so that no connection is cut for doing nothing. */
const pollMs = 15_000;
/** A problem that has no answer after so long has none: the device hangs. */
const patienceMs = 360_000;

/** A page in a browser that answers problems, one after the other; all sides of this process share one. */
class AnsweringPage {
  private readonly waiting = new Map<number, Deferred<Evaluation> & { readonly problem: AnyProblem }>();
  private readonly asked: string[] = [];
  private ask: Deferred<undefined> | undefined;
  private next = 0;
  private server: PageServer | undefined;
  private browser: Browser | undefined;

  /** @throws SideUnavailableError where there is no browser */
  static async start(): Promise<AnsweringPage> {
    const path = findChromium();
    if (path === undefined)
      throw new SideUnavailableError('there is no Chromium here; install one, or name it in CHROMIUM_PATH');
    const page = new AnsweringPage();
    page.server = await servePage(await pageHtml(), { answers: true }, { next: (body) => page.hear(body) });
    try {
      page.browser = await launchBrowser({ path }, page.server.address);
    } catch (error) {
      await page.server.close();
      if (error instanceof BackendNotRunError)
        throw new SideUnavailableError(error.message, { cause: error });
      throw error;
    }
    void page.browser.ended.then((how) => page.fail(new Error(`the browser ended ${how}`)));
    return page;
  }

  evaluate(side: string, problem: AnyProblem): Promise<Evaluation> {
    const id = this.next++;
    const answer = deferred<Evaluation>();
    this.waiting.set(id, { ...answer, problem });
    this.asked.push(writeAsked({ id, side, problem }));
    this.ask?.resolve(undefined);
    const timer = setTimeout(() => {
      answer.reject(new Error(`${side} had no answer after ${patienceMs / 1000} s: the device hangs`));
    }, patienceMs);
    return answer.promise.finally(() => {
      clearTimeout(timer);
      this.waiting.delete(id);
    });
  }

  async close(): Promise<void> {
    this.fail(new Error('the page was closed'));
    await this.browser?.close();
    await this.server?.close();
  }

  /** What the page posts: its last answer. It gets the next problem, or nothing for now. */
  private async hear(body: string): Promise<string | undefined> {
    if (body !== '') {
      try {
        this.settle(readAnswered(body, (id) => this.waiting.get(id)?.problem));
      } catch (error) {
        this.fail(error as Error);
        throw error;
      }
    }
    if (this.asked.length === 0) {
      const ask = deferred<undefined>();
      this.ask = ask;
      const timer = setTimeout(() => ask.resolve(undefined), pollMs);
      await ask.promise.catch(() => undefined);
      clearTimeout(timer);
    }
    return this.asked.shift();
  }

  private settle(answered: Answered): void {
    const waiting = this.waiting.get(answered.id);
    if ('answer' in answered) waiting?.resolve(answered.answer);
    else waiting?.reject(new Error(answered.message));
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.ask?.resolve(undefined);
  }
}

let shared: { readonly page: Promise<AnsweringPage>; users: number } | undefined;

/**
 * A side that runs in a browser of this machine, without a window, while Node examines and judges it: `browser:webgl`, or any other of
 * `pageSides`. It answers problems; training steps run on the page of `rnn-parity browser` only.
 */
export function remoteSide(name: string, required: boolean): SideSource {
  const [side] = parsePageSides(name);
  return {
    name,
    required,
    open: async (): Promise<OpenSide> => {
      shared ??= { page: AnsweringPage.start(), users: 0 };
      const mine = shared;
      mine.users++;
      const leave = (): void => {
        if (--mine.users > 0) return;
        if (shared === mine) shared = undefined;
        void mine.page.then((page) => page.close()).catch(() => undefined);
      };
      try {
        const page = await mine.page;
        const implementation: Implementation = {
          ...{ name, precision: 'float32' },
          evaluate: (problem) => page.evaluate(name, problem),
          layered: {
            refuses: (model) => refusesLayers(side, model),
            evaluate: (problem) => page.evaluate(name, problem),
          },
          dispose: leave,
        };
        await implementation.evaluate(smallest);
        return { implementation, version: 'in Chromium' };
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
