// The octets of a mail as nodemailer pulls them: tells where the dialogue stands, and whose fault a failure is.
import { Readable } from 'node:stream'

export interface Progress {
  /** The server has said 354, the first octets go out. */
  onStart: () => void
  /** The last octets were handed over; from now on the server may have taken the mail. */
  onEnd: () => void
}

export class MailSource {
  readonly stream: Readable
  /** Whether everything was handed over. */
  isComplete = false
  /** Why the content could not be read: our trouble, of which nothing follows for the recipients. */
  contentError: unknown

  constructor(content: AsyncIterable<Buffer>, progress: Progress) {
    this.stream = Readable.from(this.#octets(content, progress), { objectMode: false })
  }

  async *#octets(content: AsyncIterable<Buffer>, progress: Progress): AsyncIterable<Buffer> {
    progress.onStart()
    try {
      yield* content
    } catch (error) {
      this.contentError = error
      throw error
    }
    this.isComplete = true
    progress.onEnd()
  }
}
