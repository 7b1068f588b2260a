// 7-Zip, compiled to WebAssembly: unpacks one archive of a given type, each time in a new instance that sees nothing else.
import { type Budget, LimitReached } from './budget.ts'
import { CollectedFile } from './collected-file.ts'
import { GuestFiles } from './guest-files.ts'
import { GuestMemory } from './guest-memory.ts'
import { runProgram } from './guest-program.ts'
import { type Member, member, type Trouble, trouble } from './opened.ts'
import { Exit, sevenZipHost, UnpackerThrew } from './seven-zip-host.ts'
import { readReport } from './seven-zip-report.ts'
import { RuntimeError, type WasmModule } from './web-assembly.ts'

/** Enough for the dictionaries of 64 MiB that archivers use at their best settings. */
const MEMORY_LIMIT_BYTES = 92 * 1024 * 1024
/** Printed lines that are kept: an archive with errors prints one for each file. */
const MAX_LINES = 500

/** Overwrite without asking, no password, no progress. */
const OPTIONS = ['-y', '-p-', '-bd']

export interface Unpacked {
  isOpened: boolean
  members: Member[]
  troubles: Trouble[]
  /** Where the archive ends; undefined when it can not be told. */
  endBytes: number | undefined
  /** What ended the unpacking before its time. */
  limit: LimitReached | undefined
}

export interface SevenZip {
  /**
   * @param type one of 7-Zip's names of formats.
   * @param fileBytes when given, a longer file ends the unpacking.
   */
  unpack(bytes: Buffer, type: string, budget: Budget, fileBytes?: number): Unpacked
}

/** @param module 7zz.wasm of the npm package 7z-wasm. */
export function sevenZip(module: WasmModule): SevenZip {
  return { unpack: (bytes, type, budget, fileBytes) => new Run(bytes, budget, fileBytes).unpack(module, type) }
}

/** Enough came out: what comes behind it would be thrown away. */
class OutputSpent extends Error {}

class Run {
  #bytes: Buffer
  #budget: Budget
  #files: CollectedFile[] = []
  #lines: string[] = []
  #lostBytes = 0
  #limit: LimitReached | undefined

  #fileBytes: number | undefined

  constructor(bytes: Buffer, budget: Budget, fileBytes: number | undefined) {
    this.#bytes = bytes
    this.#budget = budget
    this.#fileBytes = fileBytes
  }

  unpack(module: WasmModule, type: string): Unpacked {
    const memory = new GuestMemory(MEMORY_LIMIT_BYTES)
    const ended = this.#main(module, memory, [
      '7zz',
      'e',
      GuestFiles.input,
      `-o${GuestFiles.output}`,
      `-t${type}`,
      ...OPTIONS,
    ])
    const report = readReport(this.#lines)
    const troubles = [...report.troubles, ...ended]
    if (memory.isExhausted) troubles.push(trouble('size', 'needs too much memory'))
    for (const file of this.#files) if (file.lostBytes > 0) troubles.push(trouble('size', `too long: ${file.name}`))
    const { sizeBytes, hasTail } = report
    const endBytes = sizeBytes ?? (troubles.length === 0 && !hasTail ? this.#bytes.length : undefined)
    const members = this.#files.map((file) => member(file.name, file.bytes))
    const isWhole = ended.length === 0 && this.#limit === undefined
    return {
      isOpened: report.isOpened,
      members,
      troubles,
      endBytes: isWhole ? endBytes : undefined,
      limit: this.#limit,
    }
  }

  #main(module: WasmModule, memory: GuestMemory, args: string[]): Trouble[] {
    const sink = { open: (name: string) => this.#open(name), print: (line: string) => this.#print(line) }
    try {
      runProgram(module, sevenZipHost(memory, new GuestFiles(this.#bytes, sink)), memory, args)
      return []
    } catch (error) {
      if (error instanceof Exit) return []
      if (error instanceof LimitReached) {
        this.#limit = error
        return []
      }
      if (error instanceof OutputSpent) return [trouble('size', 'too many octets')]
      if (error instanceof UnpackerThrew || error instanceof RuntimeError || error instanceof RangeError)
        return [trouble('damaged', error.message)]
      throw error
    }
  }

  #open(name: string) {
    this.#budget.countFile()
    const file = new CollectedFile(
      name,
      Math.min(this.#budget.nextFileBytes, this.#fileBytes ?? Number.POSITIVE_INFINITY),
    )
    const mayLoseBytes = this.#fileBytes === undefined ? this.#budget.limits.fileBytes : 0
    this.#files.push(file)
    return (bytes: Uint8Array) => {
      this.#budget.checkTime()
      const kept = file.write(bytes)
      this.#budget.countOutput(kept)
      this.#lostBytes += bytes.length - kept
      if (this.#lostBytes > 0 && (this.#budget.isOutputSpent || this.#lostBytes > mayLoseBytes)) throw new OutputSpent()
    }
  }

  #print(line: string): void {
    if (this.#lines.length < MAX_LINES) this.#lines.push(line.slice(0, 200))
  }
}
