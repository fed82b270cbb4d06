const chunkSize = 1 << 16;

/** Numbers appended one by one, 8 bytes each, in chunks that can be given back while they are read out in order. */
export class GrowingNumbers {
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
