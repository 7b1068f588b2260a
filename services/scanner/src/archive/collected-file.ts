// A file that comes out of the unpacker piece by piece: kept up to a bound, without a second copy of long ones.

const LONG_BYTES = 1024 * 1024

export class CollectedFile {
  readonly name: string
  /** Octets that came beyond the bound and were thrown away. */
  lostBytes = 0
  #limitBytes: number
  #pieces: Buffer[] = []
  #long: ArrayBuffer | undefined
  #sizeBytes = 0

  constructor(name: string, limitBytes: number) {
    this.name = name
    this.#limitBytes = limitBytes
  }

  /** Takes a copy; returns how many octets were kept. */
  write(bytes: Uint8Array): number {
    const kept = bytes.subarray(0, this.#limitBytes - this.#sizeBytes)
    this.lostBytes += bytes.length - kept.length
    if (kept.length === 0) return 0
    const target = this.#room(kept.length)
    if (target === undefined) this.#pieces.push(Buffer.from(kept))
    else target.set(kept, this.#sizeBytes)
    this.#sizeBytes += kept.length
    return kept.length
  }

  get bytes(): Buffer {
    if (this.#long !== undefined) return Buffer.from(this.#long, 0, this.#sizeBytes)
    return this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
  }

  /** The memory of a long file, which grows where it is; undefined for a short one. */
  #room(moreBytes: number): Buffer | undefined {
    const sizeBytes = this.#sizeBytes + moreBytes
    if (sizeBytes <= LONG_BYTES) return undefined
    this.#long ??= new ArrayBuffer(0, { maxByteLength: this.#limitBytes })
    this.#long.resize(sizeBytes)
    const target = Buffer.from(this.#long)
    let at = 0
    for (const piece of this.#pieces) at += piece.copy(target, at)
    this.#pieces = []
    return target
  }
}
