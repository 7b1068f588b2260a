// What a WebAssembly program takes for a file system: one file to read, and files that it writes, which are collected.

const INPUT = '/in'
const INPUT_FD = 3
const FIRST_OUTPUT_FD = 16
const MODE = { file: 0o100600, directory: 0o040700 }

/** What becomes of the files that the program writes and of the text that it prints. What these throw ends it. */
export interface Sink {
  open(name: string): (bytes: Uint8Array) => void
  print(line: string): void
}

export class GuestFiles {
  /** Where its output goes. */
  static readonly output = '/o'
  static readonly input = INPUT
  #input: Uint8Array
  #position = 0
  #outputs = new Map<number, (bytes: Uint8Array) => void>()
  #directories = new Set<string>(['/', GuestFiles.output])
  #nextFd = FIRST_OUTPUT_FD
  #lastOutput: string | undefined
  #line = ''
  #sink: Sink

  constructor(input: Uint8Array, sink: Sink) {
    this.#input = input
    this.#sink = sink
  }

  /** Of the files it wrote only the last one exists when asked for, so that none stands in the way of another. */
  stat(path: string): { mode: number; sizeBytes: number } | undefined {
    if (path === INPUT) return { mode: MODE.file, sizeBytes: this.#input.length }
    if (path === this.#lastOutput) return { mode: MODE.file, sizeBytes: 0 }
    return this.#directories.has(path) ? { mode: MODE.directory, sizeBytes: 0 } : undefined
  }

  statOpen(fd: number): { mode: number; sizeBytes: number } | undefined {
    if (fd === INPUT_FD) return this.stat(INPUT)
    return this.#outputs.has(fd) ? { mode: MODE.file, sizeBytes: 0 } : undefined
  }

  /** Returns a descriptor, or undefined when there is no such file. */
  open(path: string, mayCreate: boolean): number | undefined {
    if (path === INPUT) {
      this.#position = 0
      return INPUT_FD
    }
    if (!mayCreate) return undefined
    this.#lastOutput = path
    this.#outputs.set(this.#nextFd, this.#sink.open(path.slice(GuestFiles.output.length + 1)))
    return this.#nextFd++
  }

  close(fd: number): void {
    this.#outputs.delete(fd)
  }

  makeDirectory(path: string): void {
    this.#directories.add(path)
  }

  read(fd: number, targets: Uint8Array[]): number {
    if (fd !== INPUT_FD) return 0
    const from = this.#position
    for (const target of targets) {
      const piece = this.#input.subarray(this.#position, this.#position + target.length)
      target.set(piece)
      this.#position += piece.length
    }
    return this.#position - from
  }

  write(fd: number, pieces: Uint8Array[]): number {
    const output = this.#outputs.get(fd)
    let total = 0
    for (const piece of pieces) {
      total += piece.length
      if (output === undefined) this.#print(Buffer.from(piece).toString('utf8'))
      else output(piece)
    }
    return total
  }

  /** Returns the new position; undefined when there is none. Output is only ever written from front to back. */
  seek(fd: number, offset: number, whence: number): number | undefined {
    if (fd !== INPUT_FD) return offset
    const base = [0, this.#position, this.#input.length][whence]
    if (base === undefined || base + offset < 0) return undefined
    this.#position = base + offset
    return this.#position
  }

  #print(text: string): void {
    const lines = `${this.#line}${text}`.split('\n')
    this.#line = lines.pop()!
    for (const line of lines) this.#sink.print(line)
  }
}
