import type { FromWorker, ToWorker } from './messages';
import { patienceFor } from './patience';

export interface SideWorkerOptions {
  /** seconds that it may be silent at least */ readonly least?: number | undefined;
  /** nothing that it says is heard: the harness tests itself */ readonly hangs?: boolean;
}

/** The worker of one side; its source is in the page itself, so that a page opened from disk needs no second file. */
export class SideWorker {
  private readonly worker: Worker;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silentSince = 0;
  private slowest = 0;

  constructor(
    private readonly hear: (message: FromWorker) => void,
    private readonly options: SideWorkerOptions = {},
  ) {
    const source = document.getElementById('worker')?.textContent ?? '';
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (options.hangs === true) return;
      this.slowest = Math.max(this.slowest, (performance.now() - this.silentSince) / 1000);
      this.wait();
      hear(data);
    };
    this.worker.onerror = (event) => {
      hear({ type: 'threw', message: `the worker ended: ${event.message}`, trace: '' });
    };
  }

  tell(order: ToWorker): void {
    this.wait();
    this.worker.postMessage(order);
  }

  /** Nothing is being asked, so that nothing need be heard. */
  rest(): void {
    clearTimeout(this.timer);
  }

  end(): void {
    this.rest();
    this.worker.terminate();
  }

  private wait(): void {
    clearTimeout(this.timer);
    this.silentSince = performance.now();
    const seconds = patienceFor(this.slowest, this.options.least);
    this.timer = setTimeout(() => this.hear({ type: 'silent', seconds }), seconds * 1000);
  }
}
