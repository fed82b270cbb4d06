import type { FromWorker, ToWorker } from './messages';

/** Without a sign of life for so long, a side is given up: its device hangs. */
const patience = 300_000;

/** The worker of one side; its source is in the page itself, so that a page opened from disk needs no second file. */
export class SideWorker {
  private readonly worker: Worker;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(hear: (message: FromWorker) => void) {
    const source = document.getElementById('worker')?.textContent ?? '';
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    this.worker = new Worker(url);
    URL.revokeObjectURL(url);
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.wait();
      hear(data);
    };
    this.worker.onerror = (event) => {
      hear({ type: 'threw', message: `the worker ended: ${event.message}`, trace: '' });
    };
    this.giveUp = () => {
      hear({
        type: 'threw',
        message: `no sign of life for ${patience / 1000} s: the device hangs`,
        trace: '',
      });
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

  private readonly giveUp: () => void;

  private wait(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.giveUp, patience);
  }
}
