import type { FromWorker, ToWorker } from './messages';
import { patienceFor } from './patience';

export interface SideWorkerOptions {
  /** seconds that it may be silent at least */ readonly least?: number | undefined;
  /** nothing that it says is heard: the harness tests itself */ readonly hangs?: boolean;
}

/** What a worker says while it works. */
export type Meanwhile = FromWorker & { readonly type: 'opened' | 'step' };

/** How an order ended. */
export type End = Exclude<FromWorker, Meanwhile>;

/** The worker of one side; its source is in the page itself, so that a page opened from disk needs no second file. */
export class SideWorker {
  private readonly worker: Worker;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silentSince = 0;
  private slowest = 0;
  private hear: (message: FromWorker) => void = () => undefined;
  /** it was silent for too long, or ended: it answers no order any more */ isOver = false;

  constructor(private readonly options: SideWorkerOptions) {
    const source = document.getElementById('worker')?.textContent ?? '';
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (options.hangs === true) return;
      this.slowest = Math.max(this.slowest, (performance.now() - this.silentSince) / 1000);
      this.wait();
      this.hear(data);
    };
    this.worker.onerror = (event) => {
      this.hear({ type: 'threw', message: `the worker ended: ${event.message}`, trace: '' });
    };
  }

  /**
   * Gives an order and waits for its end. One order after the other.
   *
   * @param meanwhile hears what the worker says before the end
   */
  ask(order: ToWorker, meanwhile: (message: Meanwhile) => void = () => undefined): Promise<End> {
    return new Promise((resolve) => {
      this.hear = (message) => {
        if (message.type === 'opened' || message.type === 'step') {
          meanwhile(message);
          return;
        }
        clearTimeout(this.timer);
        this.isOver ||= message.type === 'silent' || (message.type === 'threw' && message.id === undefined);
        resolve(message);
      };
      this.wait();
      this.worker.postMessage(order);
    });
  }

  end(): void {
    clearTimeout(this.timer);
    this.worker.terminate();
  }

  private wait(): void {
    clearTimeout(this.timer);
    this.silentSince = performance.now();
    const seconds = patienceFor(this.slowest, this.options.least);
    this.timer = setTimeout(() => this.hear({ type: 'silent', seconds }), seconds * 1000);
  }
}
