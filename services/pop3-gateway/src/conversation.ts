// What both states of a session share: the next well-formed command, and the patience with everything else.
import type { ContextFor } from '@sekimori/runtime/certificates'
import { type Command, parseCommand } from './command.ts'
import type { Connection } from './connection.ts'
import { DEFAULT_LANGUAGE, type Language } from './language.ts'
import { err, type Listing, type Reply } from './reply.ts'
import { texts } from './texts.ts'

const BAD_COMMANDS_MAX = 20

export interface SessionLog {
  info(facts: object, text: string): void
  error(facts: object, text: string): void
}

/** How this listener treats its clients. */
export interface SessionSettings {
  /** Passwords are taken without TLS: the operator's legacy switch. */
  allowsPlaintextAuth: boolean
  /** The certificate in force for the name that a client asks for, or for none. */
  secureContext: ContextFor
  /** What `LANG *` chooses. */
  preferredLanguage: Language
}

/** One client's session, from greeting to end. */
export class Conversation {
  readonly connection: Connection
  readonly settings: SessionSettings
  readonly log: SessionLog
  /** AUTH takes bearer tokens: an issuer is set. */
  readonly takesTokens: boolean
  /** What LANG has chosen (RFC 6856 section 3). */
  language: Language = DEFAULT_LANGUAGE
  #badCommands = 0

  constructor(connection: Connection, settings: SessionSettings, log: SessionLog, takesTokens: boolean) {
    this.connection = connection
    this.settings = settings
    this.log = log
    this.takesTokens = takesTokens
  }

  /** The next command that can be understood; undefined when the client has left, or has sent too much rubbish. */
  async nextCommand(): Promise<Command | undefined> {
    for (;;) {
      const line = await this.connection.readLine()
      if (line === undefined) return undefined
      const parsed = line.kind === 'line' ? parseCommand(line.octets) : tooLong
      if (parsed.kind === 'command') return parsed.command
      this.#badCommands += 1
      if (this.#badCommands > BAD_COMMANDS_MAX) {
        await this.say(err(texts.tooManyBad))
        return undefined
      }
      await this.say(err(parsed.reason))
    }
  }

  async say(reply: Reply): Promise<void> {
    await this.connection.write(reply(this.language))
  }

  async sayAll(listing: Listing): Promise<void> {
    for (const part of listing(this.language)) await this.connection.write(part)
  }
}

const tooLong = { kind: 'malformed', reason: texts.tooLong } as const
