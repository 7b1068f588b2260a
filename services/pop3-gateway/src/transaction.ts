// The TRANSACTION state (RFC 1939 section 5): the client lists, reads and marks the messages of its open maildrop.
import { capabilities } from './capabilities.ts'
import type { Command } from './command.ts'
import type { Conversation } from './conversation.ts'
import { dotStuffed } from './dot-stuffing.ts'
import { answerLang } from './lang.ts'
import { MessageList } from './message-list.ts'
import type { Maildrop, MaildropMessage } from './ports.ts'
import { err, listing, ok, type Reply } from './reply.ts'
import { isMarked, marked, size, summary, texts } from './texts.ts'
import { topOf } from './top.ts'

/** The client said QUIT, with these messages marked as deleted; or it is gone, and nothing is to be removed. */
export type TransactionEnd = { kind: 'quit'; markedUids: number[] } | { kind: 'gone' }

/** Talks to the client until it says QUIT or is gone. */
export async function transact(conversation: Conversation, maildrop: Maildrop): Promise<TransactionEnd> {
  const list = new MessageList(maildrop.messages)
  await conversation.say(ok(summary(list.count, list.octets)))
  const transaction = new Transaction(conversation, maildrop, list)
  for (;;) {
    const command = await conversation.nextCommand()
    if (command === undefined) return { kind: 'gone' }
    if (command.verb === 'QUIT') return { kind: 'quit', markedUids: list.markedUids() }
    await transaction.answer(command)
  }
}

class Transaction {
  readonly #conversation: Conversation
  readonly #maildrop: Maildrop
  readonly #list: MessageList

  constructor(conversation: Conversation, maildrop: Maildrop, list: MessageList) {
    this.#conversation = conversation
    this.#maildrop = maildrop
    this.#list = list
  }

  async answer(command: Exclude<Command, { verb: 'QUIT' }>): Promise<void> {
    switch (command.verb) {
      case 'STAT':
        return this.#say(ok(`${this.#list.count} ${this.#list.octets}`))
      case 'LIST':
        return this.#scan(command.number, (number, { sizeBytes }) => `${number} ${sizeBytes}`)
      case 'UIDL':
        return this.#scan(command.number, (number, { uid }) => `${number} ${uid}`)
      case 'RETR':
        return this.#withMessage(command.number, ({ uid, sizeBytes }) =>
          this.#send(ok(size(sizeBytes)), this.#maildrop.read(uid)),
        )
      case 'TOP':
        return this.#withMessage(command.number, ({ uid }) =>
          this.#send(ok(texts.top), topOf(this.#maildrop.read(uid), command.lines)),
        )
      case 'DELE':
        return this.#withMessage(command.number, () => {
          this.#list.mark(command.number)
          return this.#say(ok(marked(command.number)))
        })
      case 'RSET':
        this.#list.unmarkAll()
        return this.#say(ok(summary(this.#list.count, this.#list.octets)))
      case 'NOOP':
        return this.#say(ok(texts.stillHere))
      case 'CAPA': {
        const { connection, settings, takesTokens } = this.#conversation
        const mayLogin = connection.isSecure || settings.allowsPlaintextAuth
        const lines = capabilities({ mayLogin, takesTokens, mayStartTls: false })
        return this.#conversation.sayAll(listing(texts.capabilities, lines))
      }
      case 'UTF8':
        return this.#say(err(texts.utf8TooLate))
      case 'LANG':
        return answerLang(this.#conversation, command.range)
      case 'USER':
      case 'PASS':
      case 'AUTH':
      case 'STLS':
        return this.#say(err(texts.loggedIn))
    }
  }

  async #say(reply: Reply): Promise<void> {
    await this.#conversation.say(reply)
  }

  async #scan(number: number | undefined, show: (number: number, message: MaildropMessage) => string): Promise<void> {
    if (number !== undefined) return this.#withMessage(number, (message) => this.#say(ok(show(number, message))))
    await this.#conversation.sayAll(listing(summary(this.#list.count, this.#list.octets), this.#list.lines(show)))
  }

  async #withMessage(number: number, act: (message: MaildropMessage) => Promise<void>): Promise<void> {
    const found = this.#list.find(number)
    switch (found.kind) {
      case 'present':
        return act(found.message)
      case 'deleted':
        return this.#say(err(isMarked(number)))
      case 'missing':
        return this.#say(err(texts.noMessage))
    }
  }

  /**
   * Streams a message. A store that is away before the first octet is a plain `-ERR`; one that fails later ends the
   * session without the terminating line, so that the client can't take half a message for a whole one.
   */
  async #send(status: Reply, message: AsyncIterable<Buffer>): Promise<void> {
    await using stuffed = dotStuffed(message)
    let part: IteratorResult<Buffer, void>
    try {
      part = await stuffed.next()
    } catch (error) {
      this.#conversation.log.error({ err: error }, 'message could not be read')
      return this.#say(err(texts.unreadable, 'SYS/TEMP'))
    }
    await this.#say(status)
    for (; part.done !== true; part = await stuffed.next()) await this.#conversation.connection.write(part.value)
  }
}
