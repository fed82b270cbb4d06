import { UsageError } from '../../base/outcome';

export type OnMalformed = 'fail' | 'skip';

/** Collects what is wrong with a file, place by place, so that the user can fix all of it at once. */
export class Malformed {
  private readonly shown: string[] = [];
  private found = 0;

  /**
   * @param file how reports call the source
   * @param policy `fail`: `settle` throws; `skip`: the reader leaves out the sequences concerned, and `onReport` gets each report
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

  /**
   * Adds a row that does not tell which sequence it belongs to.
   *
   * @throws UsageError when malformed rows are skipped: a sequence would stay in the data without one of its steps
   */
  addOrphan(place: string, reason: string): void {
    this.refuseOrphan(place, reason);
    this.add(place, reason);
  }

  /** The refusal of `addOrphan` alone, for a row that was added before. */
  refuseOrphan(place: string, reason: string): void {
    if (this.policy === 'skip')
      throw new UsageError(
        `${this.file}: ${place}: ${reason}. --skip-malformed leaves out whole sequences, but this row does not tell which sequence it belongs to; fix or delete the row.`,
      );
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
