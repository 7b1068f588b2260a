// An open session with a remote server: offers it a mail, and says QUIT at the end (RFC 5321 section 3.3).
import { TLSSocket } from 'node:tls'
import type { Recipient } from '@sekimori/mail/job'
import type { TlsSession } from '@sekimori/mail/remote-reply'
import { type Capabilities, capabilityFault } from './capability.ts'
import type { Reached } from './mx.ts'
import { isEightBitMail, type OutboundMail } from './outbound-mail.ts'
import { deferred, type Outcome } from './outcome.ts'
import type { Connection } from './smtp-connection.ts'
import type { TlsProof } from './tls-demand.ts'
import { type TransactionLimits, transact } from './transaction.ts'

/** How long the end of a session may take. */
export const FAREWELL_MS = 2_000
/** What every server must take in one transaction (RFC 5321 section 4.5.3.1.8). */
const RECIPIENTS_MOST = 100

/** Disposing it says QUIT. */
export class Session implements Disposable {
  readonly remoteMta: string
  /** What the server has proved of who it is. */
  proof: TlsProof = {}
  /** Counts the session for a domain whose mail goes over it, once (RFC 8460). */
  countsFor: (domain: string) => void = () => {}
  /** Mails offered so far. */
  mails = 0
  /** Whether the last mail was taken, so that the next one needs no reset. */
  #isClean = true
  readonly #connection: Connection
  readonly #limits: TransactionLimits

  constructor(connection: Connection, server: Reached, limits: TransactionLimits) {
    this.#connection = connection
    this.#limits = limits
    this.remoteMta = `${server.hostname}[${server.address}]`
  }

  /**
   * Offers a mail to recipients; resolves to what became of each.
   * @throws what reading the content throws, when nobody was sent anything.
   */
  async send(offered: OutboundMail, recipients: Recipient[], signal: AbortSignal): Promise<Map<string, Outcome>> {
    this.mails++
    this.#connection.mayHaveTaken = false
    const server = this.#capabilities()
    const isEightBit = !server.extensions.includes('8BITMIME') && (await isEightBitMail(offered))
    const mail = { ...offered, isEightBit }
    const outcomes = new Map<string, Outcome>()
    const possible = recipients.filter(({ address }) => {
      const fault = capabilityFault(mail, address, server)
      if (fault !== undefined) outcomes.set(address, { ...fault, ...this.#facts() })
      return fault === undefined
    })
    for (let from = 0; from < possible.length; from += RECIPIENTS_MOST) {
      const some = possible.slice(from, from + RECIPIENTS_MOST)
      const results = from === 0 ? this.#transact(mail, some, signal) : this.#transactAgain(mail, some, signal)
      const answered = await results
      this.#isClean = [...answered.values()].some(({ kind }) => kind === 'sent')
      for (const [address, outcome] of answered) outcomes.set(address, outcome)
    }
    return outcomes
  }

  /** Whether another mail can be offered. */
  get isUsable(): boolean {
    return !this.#connection.destroyed && this.#isClean
  }

  get isLost(): boolean {
    return this.#connection.destroyed
  }

  /** Whether a whole mail was handed over, of those that are in hand now: the server may have taken it. */
  get mayHaveTaken(): boolean {
    return this.#connection.mayHaveTaken
  }

  async #transact(mail: OutboundMail, recipients: Recipient[], signal: AbortSignal): Promise<Map<string, Outcome>> {
    const facts = this.#facts()
    const passed = this.#connection.extensions.includes('DSN') ? { isDsnPassedOn: true as const } : {}
    const results = await transact(this.#connection, mail, recipients, this.#limits, signal)
    const named = [...results].map(([address, result]): [string, Outcome] => [
      address,
      result.kind === 'accepted' ? { kind: 'sent', reply: result.reply, ...facts, ...passed } : { ...result, ...facts },
    ])
    return new Map(named)
  }

  #capabilities(): Capabilities {
    const { extensions, maxSizeBytes, secure } = this.#connection
    return { extensions, maxSizeBytes, isEncrypted: secure }
  }

  /** Once others have been sent the mail, what came of them must be told: no failure of ours may hide it. */
  async #transactAgain(
    mail: OutboundMail,
    recipients: Recipient[],
    signal: AbortSignal,
  ): Promise<Map<string, Outcome>> {
    // A failed reset shows in the transaction.
    await this.#connection.untilEnd<void>((resolve) => this.#connection.reset(() => resolve()))
    try {
      return await this.#transact(mail, recipients, signal)
    } catch {
      // Reading the content failed; the next attempt, which these recipients get, meets the same fault or none.
      const failure = deferred('4.3.0', 'The mail could not be read')
      return new Map(recipients.map(({ address }) => [address, failure]))
    }
  }

  /** The encrypted connection, if it is one. */
  get tlsSocket(): TLSSocket | undefined {
    const { socket } = this.#connection
    return socket instanceof TLSSocket ? socket : undefined
  }

  get offersTls(): boolean {
    return this.#connection.offersTls
  }

  /** Who the server is, and how the session is encrypted. */
  #facts(): { remoteMta: string; tls?: TlsSession } {
    const { remoteMta, tlsSocket: socket } = this
    if (socket === undefined) return { remoteMta }
    const tls = {
      version: socket.getProtocol() ?? 'unknown',
      cipher: socket.getCipher().standardName,
      peer: socket.getPeerX509Certificate()?.subject.split('\n').at(-1) ?? 'no certificate',
      verification: verification(socket, this.proof),
    }
    return { remoteMta, tls }
  }

  /** Ends it without a farewell. */
  close(): void {
    this.#connection.close()
  }

  [Symbol.dispose](): void {
    if (this.#connection.destroyed) return
    this.#connection.quit()
    this.#connection.socket.setTimeout(FAREWELL_MS)
  }
}

function verification({ authorized }: TLSSocket, { by, reason }: TlsProof): string {
  if (by !== undefined) return `verified by ${by}`
  return authorized ? 'trusted' : `not trusted${reason === undefined ? '' : ` (${reason})`}`
}
