// The memory of a WebAssembly program, in the layouts of Emscripten's C library (musl, wasm32).
import type { WasmMemory } from './web-assembly.ts'

const PAGE_BYTES = 65_536
const STAT_BYTES = 96

export class GuestMemory {
  /** The program asked for more than it may have. */
  isExhausted = false
  readonly limitBytes: number
  #memory: WasmMemory | undefined

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  attach(memory: WasmMemory): void {
    this.#memory = memory
  }

  get view(): DataView {
    return new DataView(this.#memory!.buffer)
  }

  grow(sizeBytes: number): boolean {
    const memory = this.#memory!
    if (sizeBytes > this.limitBytes) {
      this.isExhausted = true
      return false
    }
    memory.grow(Math.ceil((sizeBytes - memory.buffer.byteLength) / PAGE_BYTES))
    return true
  }

  /** A string that ends with NUL. */
  text(pointer: number): string {
    const octets = new Uint8Array(this.#memory!.buffer)
    return Buffer.from(octets.subarray(pointer, octets.indexOf(0, pointer))).toString('utf8')
  }

  /** The buffers of a read or a write (struct iovec). */
  vectors(pointer: number, count: number): Uint8Array[] {
    const { view } = this
    return Array.from({ length: count }, (_, i) => {
      const at = pointer + 8 * i
      return new Uint8Array(view.buffer, view.getUint32(at, true), view.getUint32(at + 4, true))
    })
  }

  /** struct stat, all of it that is not zero here. */
  writeStat(pointer: number, mode: number, sizeBytes: number): void {
    const { view } = this
    new Uint8Array(view.buffer, pointer, STAT_BYTES).fill(0)
    view.setInt32(pointer + 4, mode, true)
    view.setInt32(pointer + 8, 1, true)
    view.setBigInt64(pointer + 24, BigInt(sizeBytes), true)
    view.setInt32(pointer + 32, 4_096, true)
  }
}
