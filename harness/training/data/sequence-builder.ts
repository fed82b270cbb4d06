import { UsageError } from '../../base/outcome';
import { LabelTable } from './labels';
import type { Malformed } from './malformed';
import { quoted, warnAlike, type Notes } from './notes';
import type { Decimal } from '../../base/number-text';
import { allocateInputs, type SequenceData } from './sequences';

export interface BuilderOptions {
  readonly needLabels: boolean;
  /** how messages call what holds the labels */ readonly labels: string;
  /** of labels that are numbers */ readonly decimal?: Decimal;
  readonly notes: Notes;
}

/** Collects rows (one time step each) of many sequences, in any order, compactly: 8 bytes a number and 16 a row. */
export class SequenceBuilder {
  private readonly sequences = new Map<string, number>();
  private readonly labelTable: LabelTable;
  private readonly labels = new GrowingNumbers();
  private readonly counts = new GrowingNumbers();
  private readonly lastStep = new GrowingNumbers();
  private readonly firstLine = new GrowingNumbers();
  private readonly rowSequence = new GrowingNumbers();
  private readonly rowStep = new GrowingNumbers();
  private readonly values = new GrowingNumbers();
  private readonly dropped = new Set<number>();
  private ascending = true;
  /** between the first two whole-numbered steps */ private distance: number | undefined;
  /** the first sequence with another distance between steps */ private uneven: string | undefined;

  constructor(
    private readonly source: string,
    private readonly malformed: Malformed,
    private readonly options: BuilderOptions,
  ) {
    this.labelTable = new LabelTable(source, options.labels, options.decimal);
  }

  /** Whether a row of this sequence was seen. */
  has(id: string): boolean {
    return this.sequences.has(id);
  }

  /** Leaves out a sequence, because one of its rows is malformed. */
  drop(id: string): void {
    this.dropped.add(this.sequenceOf(id, 0));
  }

  /**
   * Adds one time step.
   *
   * @param step orders the sequence's rows; undefined: the order of arrival
   * @param label empty: as the sequence's other rows say
   */
  addRow(
    id: string,
    step: number | undefined,
    features: ArrayLike<number>,
    label: string,
    line: number,
  ): void {
    const sequence = this.sequenceOf(id, line);
    if (label.trim() !== '') {
      const index = this.labelTable.index(label, `line ${line}`);
      const known = this.labels.at(sequence);
      if (known < 0) this.labels.set(sequence, index);
      else if (known !== index) {
        this.labelTable.refuseReal();
        this.malformed.add(
          `line ${line}`,
          `sequence ${quoted(id)} is labelled ${quoted(label)} here and otherwise before; give every row of a sequence the same label`,
        );
        this.dropped.add(sequence);
        return;
      }
    }
    const at = step ?? this.counts.at(sequence);
    const distance = at - this.lastStep.at(sequence);
    if (distance <= 0) this.ascending = false;
    else this.lastStep.set(sequence, at);
    if (Number.isInteger(distance) && distance !== (this.distance ??= distance)) this.uneven ??= quoted(id);
    this.counts.set(sequence, this.counts.at(sequence) + 1);
    this.rowSequence.push(sequence);
    this.rowStep.push(at);
    for (let i = 0; i < features.length; i++) this.values.push(features[i]);
  }

  private sequenceOf(id: string, line: number): number {
    let sequence = this.sequences.get(id);
    if (sequence === undefined) {
      sequence = this.sequences.size;
      this.sequences.set(id, sequence);
      this.labels.push(-1);
      this.counts.push(0);
      this.lastStep.push(-Infinity);
      this.firstLine.push(line);
    }
    return sequence;
  }

  /** Sorts, pads and hands over; the builder is empty afterwards. */
  build(features: number, featureNames?: readonly string[]): SequenceData {
    const places = this.ascending ? undefined : this.sortRows();
    const anyLabel = this.checkLabels();
    if (this.malformed.count > 0) this.labelTable.refuseReal();
    this.malformed.settle();
    const { notes } = this.options;
    if (this.ascending && this.uneven !== undefined)
      notes.say(`steps are not equally far apart, first in sequence ${this.uneven}; only their order counts`);
    if (places !== undefined) notes.say('rows sorted by step within their sequences');
    warnAlike('sequence ids', this.sequences.keys(), notes);
    const kept = [...this.sequences].filter(([, s]) => !this.dropped.has(s) && this.counts.at(s) > 0);
    if (kept.length === 0)
      throw new UsageError(
        `${this.source} holds no usable sequence; it needs a header and at least one row.`,
      );
    const place = new Int32Array(this.sequences.size).fill(-1);
    kept.forEach(([, s], n) => (place[s] = n));
    const lengths = Int32Array.from(kept, ([, s]) => this.counts.at(s));
    const timeSteps = lengths.reduce((most, length) => Math.max(most, length), 0);
    const data = allocateInputs(this.source, kept.length, timeSteps, features);
    const next = new Int32Array(kept.length);
    for (let row = 0; row < this.rowSequence.length; row++) {
      const n = place[this.rowSequence.at(row)];
      if (n >= 0) {
        const t = places === undefined ? next[n]++ : places[row];
        for (let f = 0; f < features; f++)
          data[(n * timeSteps + t) * features + f] = this.values.at(row * features + f);
      }
      if (row % 8192 === 0) this.values.release(row * features);
    }
    const labels = Int32Array.from(kept, ([, s]) => this.labels.at(s));
    return {
      source: this.source,
      inputs: { data, shape: [kept.length, timeSteps, features] },
      lengths,
      ...(anyLabel ? this.labelTable.sorted(labels, notes) : { classNames: [] }),
      ...(featureNames === undefined ? {} : { featureNames }),
      ids: kept.map(([id]) => id),
      skipped: this.sequences.size - kept.length,
    };
  }

  /** Each row's place in its sequence when the file does not have them in order; equal steps are reported. */
  private sortRows(): Int32Array {
    const rows = Uint32Array.from({ length: this.rowSequence.length }, (_, row) => row);
    rows.sort(
      (a, b) =>
        this.rowSequence.at(a) - this.rowSequence.at(b) || this.rowStep.at(a) - this.rowStep.at(b) || a - b,
    );
    const places = new Int32Array(rows.length);
    const names = [...this.sequences.keys()];
    for (let i = 0, at = 0; i < rows.length; i++) {
      const sequence = this.rowSequence.at(rows[i]);
      const same = i > 0 && this.rowSequence.at(rows[i - 1]) === sequence;
      at = same ? at + 1 : 0;
      places[rows[i]] = at;
      if (same && this.rowStep.at(rows[i]) === this.rowStep.at(rows[i - 1])) {
        this.malformed.add(
          `sequence ${quoted(names[sequence])}`,
          `step ${this.rowStep.at(rows[i])} is given twice; number the steps of a sequence without repetition`,
        );
        this.dropped.add(sequence);
      }
    }
    return places;
  }

  /** Whether there are labels to use; reports the sequences that lack one. */
  private checkLabels(): boolean {
    const kept = [...this.sequences].filter(([, s]) => !this.dropped.has(s));
    const bare = kept.filter(([, s]) => this.labels.at(s) < 0);
    const { needLabels, notes } = this.options;
    if (!needLabels && bare.length > 0) {
      if (bare.length < kept.length)
        notes.say(`labels are not used: ${bare.length} of ${kept.length} sequences have none`);
      return false;
    }
    for (const [id, s] of bare) {
      this.malformed.add(
        `line ${this.firstLine.at(s)}`,
        `sequence ${quoted(id)} has no label; label at least one of its rows`,
      );
      this.dropped.add(s);
    }
    return true;
  }
}

const chunkSize = 1 << 16;

/** Numbers appended one by one, 8 bytes each, in chunks that can be given back while they are read out in order. */
class GrowingNumbers {
  private readonly chunks: Float64Array[] = [];
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(value: number): void {
    const at = this.used % chunkSize;
    if (at === 0) this.chunks.push(new Float64Array(chunkSize));
    this.chunks[this.chunks.length - 1][at] = value;
    this.used++;
  }

  at(index: number): number {
    return this.chunks[Math.floor(index / chunkSize)][index % chunkSize];
  }

  set(index: number, value: number): void {
    this.chunks[Math.floor(index / chunkSize)][index % chunkSize] = value;
  }

  /** Gives back the memory of everything before `index`, which may not be read again. */
  release(index: number): void {
    for (let i = Math.floor(index / chunkSize) - 1; i >= 0 && this.chunks[i].length > 0; i--)
      this.chunks[i] = new Float64Array(0);
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.used = length;
    this.chunks.length = Math.ceil(length / chunkSize);
  }
}
