// Bytes received and not yet read: appended at one end, taken from the other, without copying all for every chunk.

export class ByteQueue {
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #start = 0
  #end = 0

  get size(): number {
    return this.#end - this.#start
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#bytes.length) {
      const roomier = Buffer.allocUnsafe(Math.max(this.#bytes.length, 2 * (this.size + chunk.length)))
      this.#end = this.#bytes.copy(roomier, 0, this.#start, this.#end)
      this.#bytes = roomier
      this.#start = 0
    }
    this.#end += chunk.copy(this.#bytes, this.#end)
  }

  /** Position of `marker` from the first unread byte on, -1 when it is not there. */
  indexOf(marker: string, from = 0): number {
    return this.#bytes.subarray(this.#start, this.#end).indexOf(marker, from, 'latin1')
  }

  /** Takes the first `count` bytes out, as a copy. */
  take(count: number): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(this.#start, this.#start + count))
    this.#start += count
    return taken
  }

  /** The first bytes as text, for a failure's message. */
  preview(): string {
    return this.#bytes.toString('latin1', this.#start, Math.min(this.#end, this.#start + 200))
  }
}
