// What a client sends, cut into commands and content (RFC 5321 sections 2.3.8 and 4.5.3): a line ends in CRLF and in
// nothing else, no line takes more memory than it may, and content goes through the dot decoder.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SMTPServerDataStream } from 'smtp-server'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'
import { DotDecoder, type LineFault, type LineRules } from './dot-decoder.ts'

/** Why a line is no command. `endless`: no line end comes at all. */
export type CommandFault = 'bare-lf' | 'control' | 'too-long' | 'endless'

export interface InputHandlers {
  command(line: Buffer, done: () => void): void
  refused(fault: CommandFault, done: () => void): void
}

/** RFC 4954 section 4 wants 12,288 octets for an AUTH exchange, more than any other command may have. */
const LONGEST_LINE = 12_290
/** After so many octets without a line end nothing more is listened to. */
const ENDLESS = 65_536
/** So many commands run before other sessions have their turn. */
const COMMANDS_A_TURN = 100
const LF = 0x0a
const NOTHING = Buffer.alloc(0)

/** The faults of content that is being read, until whoever reads the stream looks. */
const decoders = new WeakMap<object, DotDecoder>()

/** Which line rule the content of this stream has broken so far. */
export function lineFaultOf(stream: SMTPServerDataStream): LineFault | undefined {
  return decoders.get(stream)?.fault
}

export class SmtpInput extends SMTPStream {
  /** Whether more stood behind the command that is being run: the client did not wait for its reply. */
  hasMore = false
  /** Whether anything at all came in. */
  hasHeard = false
  /** Octets of the content that is coming in, kept or not. */
  contentBytes = 0
  readonly #handlers: InputHandlers
  readonly #rules: LineRules
  #decoder: DotDecoder | undefined
  #partial: Buffer = NOTHING
  #lineBytes = 0
  #commands = 0

  constructor(handlers: InputHandlers, rules: LineRules) {
    super()
    this.#handlers = handlers
    this.#rules = rules
  }

  override startDataMode(maxBytes?: number | string | null): SMTPServerDataStream {
    const stream = super.startDataMode(maxBytes)
    this.contentBytes = 0
    this.#decoder = new DotDecoder(this.#rules)
    decoders.set(stream, this.#decoder)
    return stream
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: (error?: Error | null) => void): void {
    this.#take(chunk).then(() => next(), next)
  }

  /** A line that the end of the connection cut off is no command. */
  override _flushData(): void {}

  async #take(chunk: Buffer): Promise<void> {
    this.hasHeard ||= chunk.length > 0
    const behind = this.writableLength > chunk.length
    let rest = chunk
    while (rest.length > 0 && !this.isClosed)
      rest = this._dataMode ? await this.#content(rest) : await this.#line(rest, behind)
  }

  async #line(bytes: Buffer, isMoreBehind: boolean): Promise<Buffer> {
    const lf = bytes.indexOf(LF)
    const end = lf < 0 ? bytes.length : lf + 1
    this.#lineBytes += end
    const isTooLong = this.#lineBytes > LONGEST_LINE
    const line = isTooLong ? NOTHING : Buffer.concat([this.#partial, bytes.subarray(0, end)])
    this.#partial = lf < 0 ? line : NOTHING
    if (lf < 0 && this.#lineBytes <= ENDLESS) return NOTHING
    const fault = lf < 0 ? 'endless' : isTooLong ? 'too-long' : faultOf(line)
    this.#lineBytes = 0
    this.hasMore = isMoreBehind || end < bytes.length
    const { promise, resolve } = Promise.withResolvers<void>()
    if (fault === undefined) this.#handlers.command(line.subarray(0, -2), resolve)
    else this.#handlers.refused(fault, resolve)
    await promise
    if (++this.#commands % COMMANDS_A_TURN === 0) await nextTurn()
    return bytes.subarray(end)
  }

  async #content(bytes: Buffer): Promise<Buffer> {
    const { content, rest } = this.#decoder!.add(bytes)
    this.contentBytes += bytes.length - (rest?.length ?? 0)
    const stream = this._dataStream!
    this._countDataBytes(content.length)
    if (rest === undefined) {
      if (content.length > 0 && stream.writable && !stream.write(content)) await drained(stream)
      return NOTHING
    }
    await new Promise<void>((resolve) => this._endDataMode(content, NOTHING, () => resolve()))
    return rest
  }
}

function faultOf(line: Buffer): CommandFault | undefined {
  if (line.at(-2) !== 0x0d) return 'bare-lf'
  const text = line.subarray(0, -2)
  return text.includes(0x0d) || text.includes(0) ? 'control' : undefined
}

/** A stream that its reader destroys never drains, it only closes. */
function drained(stream: SMTPServerDataStream): Promise<void> {
  if (stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const go = () => {
      stream.off('drain', go).off('close', go)
      resolve()
    }
    stream.on('drain', go).on('close', go)
  })
}
