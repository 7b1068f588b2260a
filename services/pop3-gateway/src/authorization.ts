// The AUTHORIZATION state (RFC 1939 section 4): the client starts TLS, proves who it is, and gets its maildrop opened.
import type { Bearer, BearerMechanism } from '@sekimori/login/bearer'
import { capabilities } from './capabilities.ts'
import type { Command } from './command.ts'
import type { Conversation } from './conversation.ts'
import { answerLang } from './lang.ts'
import { DEFAULT_LANGUAGE } from './language.ts'
import type { Account, Login, Maildrop, Ports } from './ports.ts'
import { err, type Listing, listing, ok, type Reply } from './reply.ts'
import { type Answer, mechanismNames, mechanismOf, readAnswer, readInitialResponse } from './sasl.ts'
import { texts } from './texts.ts'

const FAILED_LOGINS_MAX = 5
/** Enough for any client; who wants a connection for nothing gets no more. */
const COMMANDS_MAX = 50
const NEEDS_TLS = err(texts.needsTls)
const UNAVAILABLE = err(texts.unavailable, 'SYS/TEMP')
const WRONG = err(texts.wrong, 'AUTH')
const SLOWED = err(texts.slowed, 'SYS/TEMP')

/** How the state ends: with an open maildrop, or with the session (`undefined`). */
export type Authorized = { account: Account; maildrop: Maildrop } | undefined

/** Talks to the client until it has logged in, has said QUIT, or is gone. */
export async function authorize(conversation: Conversation, ports: Ports): Promise<Authorized> {
  const authorization = new Authorization(conversation, ports)
  for (let commands = 0; commands < COMMANDS_MAX; commands++) {
    const command = await conversation.nextCommand()
    if (command === undefined) return undefined
    const step = await authorization.answer(command)
    switch (step.kind) {
      case 'stay':
        if (step.reply !== undefined) await conversation.say(step.reply)
        break
      case 'list':
        await conversation.sayAll(step.listing)
        break
      case 'authorized':
        return step
      case 'end':
        await conversation.say(step.reply)
        return undefined
    }
  }
  await conversation.say(err(texts.tooManyWithoutLogin))
  return undefined
}

type Step =
  /** `reply`: absent when the client has heard it already. */
  | { kind: 'stay'; reply?: Reply }
  | { kind: 'list'; listing: Listing }
  | { kind: 'authorized'; account: Account; maildrop: Maildrop }
  | { kind: 'end'; reply: Reply }

class Authorization {
  readonly #conversation: Conversation
  readonly #ports: Ports
  #name: string | undefined
  #isUtf8 = false
  #failedLogins = 0

  constructor(conversation: Conversation, ports: Ports) {
    this.#conversation = conversation
    this.#ports = ports
  }

  get #isSecure(): boolean {
    return this.#conversation.connection.isSecure
  }

  get #mayLogin(): boolean {
    return this.#isSecure || this.#conversation.settings.allowsPlaintextAuth
  }

  async answer(command: Command): Promise<Step> {
    switch (command.verb) {
      case 'CAPA':
        return this.#announce()
      case 'STLS':
        return this.#startTls()
      case 'UTF8':
        this.#isUtf8 = true
        return stay(ok(texts.utf8))
      case 'USER':
        if (!this.#mayLogin) return stay(NEEDS_TLS)
        this.#name = command.name
        return stay(ok(texts.sendPassword))
      case 'PASS':
        return this.#pass(command.password)
      case 'AUTH':
        return this.#auth(command.mechanism, command.initialResponse)
      case 'LANG':
        await answerLang(this.#conversation, command.range)
        return { kind: 'stay' }
      case 'QUIT':
        return { kind: 'end', reply: ok(texts.bye) }
      case 'STAT':
      case 'LIST':
      case 'RETR':
      case 'DELE':
      case 'NOOP':
      case 'RSET':
      case 'TOP':
      case 'UIDL':
        return stay(err(texts.loginFirst))
    }
  }

  #announce(): Step {
    const lines = capabilities({
      mayLogin: this.#mayLogin,
      takesTokens: this.#conversation.takesTokens,
      mayStartTls: !this.#isSecure,
    })
    return { kind: 'list', listing: listing(texts.capabilities, lines) }
  }

  async #startTls(): Promise<Step> {
    if (this.#isSecure) return stay(err(texts.tlsActive))
    // What was agreed before TLS must not count inside (RFC 6856 section 2.1).
    if (this.#isUtf8) return stay(err(texts.stlsTooLate))
    const { connection, settings } = this.#conversation
    this.#name = undefined
    await connection.startTls(settings.secureContext, ok(texts.beginTls)(this.#conversation.language))
    // Whatever was said in clear text may have been said by anybody (RFC 2595 section 4).
    this.#conversation.language = DEFAULT_LANGUAGE
    return { kind: 'stay' }
  }

  async #pass(password: string): Promise<Step> {
    if (!this.#mayLogin) return stay(NEEDS_TLS)
    const name = this.#name
    this.#name = undefined
    return name === undefined ? stay(err(texts.userFirst)) : this.#login(name, password)
  }

  async #auth(mechanismName: string | undefined, initialResponse: string | undefined): Promise<Step> {
    if (!this.#mayLogin) return stay(NEEDS_TLS)
    const { takesTokens } = this.#conversation
    if (mechanismName === undefined)
      return { kind: 'list', listing: listing(texts.mechanisms, mechanismNames(takesTokens)) }
    const mechanism = mechanismOf(mechanismName, takesTokens)
    if (mechanism === undefined) return stay(err(texts.unknownMechanism))
    const outcome = await mechanism((challenge) => this.#ask(challenge), readInitialResponse(initialResponse))
    switch (outcome.kind) {
      case 'credentials':
        return this.#login(outcome.address, outcome.password)
      case 'token':
        return this.#loginByToken(outcome.mechanism, outcome.bearer)
      case 'cancelled':
        return stay(err(texts.cancelled))
      case 'malformed':
        return stay(err(texts.badResponse))
    }
  }

  async #ask(challenge: string): Promise<Answer> {
    const { connection } = this.#conversation
    await connection.write(`+ ${Buffer.from(challenge).toString('base64')}\r\n`)
    const line = await connection.readLine()
    if (line === undefined) return { kind: 'cancelled' }
    return line.kind === 'line' ? readAnswer(line.octets.toString('latin1')) : { kind: 'malformed' }
  }

  #login(address: string, password: string): Promise<Step> {
    const { clientAddress } = this.#conversation.connection
    return this.#enter(
      () => this.#ports.login(address, password, clientAddress),
      () => this.#refuse(WRONG),
    )
  }

  /** A token that is refused is answered with a challenge that says why; the client's answer to it says nothing. */
  #loginByToken(mechanism: BearerMechanism, bearer: Bearer): Promise<Step> {
    const tokens = this.#ports.tokens!
    return this.#enter(
      () => tokens.login(bearer),
      async () => {
        await this.#ask(JSON.stringify(tokens.refusal(mechanism)))
        return this.#refuse(err(texts.tokenRefused, 'AUTH'))
      },
    )
  }

  async #enter(check: () => Promise<Login>, refuse: () => Step | Promise<Step>): Promise<Step> {
    try {
      const login = await check()
      switch (login.kind) {
        case 'ok':
          return await this.#open(login.account)
        case 'refused':
          return await refuse()
        case 'slowed':
          return this.#refuse(SLOWED)
        case 'unavailable':
          return stay(UNAVAILABLE)
      }
    } catch (error) {
      this.#conversation.log.error({ err: error }, 'login could not be decided')
      return stay(UNAVAILABLE)
    }
  }

  #refuse(reply: Reply): Step {
    this.#failedLogins += 1
    return this.#failedLogins < FAILED_LOGINS_MAX ? stay(reply) : { kind: 'end', reply }
  }

  async #open(account: Account): Promise<Step> {
    const opening = await this.#ports.openMaildrop(account, this.#isUtf8)
    switch (opening.kind) {
      case 'open':
        return { kind: 'authorized', account, maildrop: opening.maildrop }
      case 'in-use':
        return stay(err(texts.inUse, 'IN-USE'))
    }
  }
}

function stay(reply: Reply): Step {
  return { kind: 'stay', reply }
}
