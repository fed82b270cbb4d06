import { UsageError } from '../../base/outcome';

export type OnMalformed = 'fail' | 'skip';

/** Collects what is wrong with a file, place by place, so that all of it can be fixed at once and nothing goes unsaid. */
export class Malformed {
  private readonly shown: string[] = [];
  private found = 0;

  /**
   * @param file how reports call the source
   * @param policy `fail`: `settle` throws; `skip`: the sequences concerned are left out, each report passed to `onReport`
   */
  constructor(
    private readonly file: string,
    private readonly policy: OnMalformed,
    private readonly onReport: (line: string) => void = () => undefined,
  ) {}

  get count(): number {
    return this.found;
  }

  /** @param place `line 7`, `example 3` */
  add(place: string, reason: string): void {
    const line = `${this.file}: ${place}: ${reason}`;
    this.found++;
    if (this.policy === 'skip') this.onReport(line);
    else if (this.shown.length < 20) this.shown.push(line);
    if (this.policy === 'fail' && this.found >= 1000) this.settle();
  }

  /** Throws UsageError when the policy is `fail` and anything was reported. */
  settle(): void {
    if (this.policy === 'skip' || this.found === 0) return;
    const more = this.found - this.shown.length;
    throw new UsageError(
      [
        `${this.file} has ${this.found}${this.found >= 1000 ? ' or more' : ''} malformed ${this.found === 1 ? 'row' : 'rows'}:`,
        ...this.shown,
        ...(more > 0 ? [`... and ${more} more`] : []),
        'Fix them, or pass --skip-malformed to leave out the sequences they belong to.',
      ].join('\n'),
    );
  }
}
