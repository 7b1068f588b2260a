// SASL mechanisms of the AUTH command (RFC 5034): PLAIN (RFC 4616), LOGIN, which old clients need, and bearer tokens
// (RFC 7628, XOAUTH2) where the operator has set an issuer.
import { isUtf8 } from 'node:buffer'
import { BEARER_MECHANISMS, type Bearer, type BearerMechanism, readBearer } from '@sekimori/login/bearer'
import { PROHIBITED } from './prohibited.ts'

export type Outcome =
  | { kind: 'credentials'; address: string; password: string }
  | { kind: 'token'; mechanism: BearerMechanism; bearer: Bearer }
  | { kind: 'cancelled' }
  | { kind: 'malformed' }

/** The client's answer to a challenge, or why there is none. */
export type Answer = { kind: 'answer'; octets: Buffer } | { kind: 'cancelled' } | { kind: 'malformed' }

/** Sends a challenge and waits for the answer. */
export type Ask = (challenge: string) => Promise<Answer>

export type Mechanism = (ask: Ask, initial: Answer | undefined) => Promise<Outcome>

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const passwordMechanisms = new Map<string, Mechanism>([
  ['PLAIN', plain],
  ['LOGIN', login],
])
const tokenMechanisms = new Map<string, Mechanism>(BEARER_MECHANISMS.map((name) => [name, token(name)]))

/** The names that CAPA and an AUTH without argument announce. */
export function mechanismNames(takesTokens: boolean): string[] {
  return [...passwordMechanisms.keys(), ...(takesTokens ? tokenMechanisms.keys() : [])]
}

/** The mechanism of that name, in upper case. */
export function mechanismOf(name: string, takesTokens: boolean): Mechanism | undefined {
  return passwordMechanisms.get(name) ?? (takesTokens ? tokenMechanisms.get(name) : undefined)
}

/** A line that the client sent in the exchange: base64, `*` to cancel. */
export function readAnswer(line: string): Answer {
  if (line === '*') return { kind: 'cancelled' }
  if (!BASE64.test(line)) return { kind: 'malformed' }
  const octets = Buffer.from(line, 'base64')
  return isUtf8(octets) ? { kind: 'answer', octets } : { kind: 'malformed' }
}

/** An initial response: `=` stands for an empty one (RFC 5034 section 4). */
export function readInitialResponse(text: string | undefined): Answer | undefined {
  if (text === undefined) return undefined
  return text === '=' ? { kind: 'answer', octets: Buffer.alloc(0) } : readAnswer(text)
}

async function plain(ask: Ask, initial: Answer | undefined): Promise<Outcome> {
  const answer = initial ?? (await ask(''))
  if (answer.kind !== 'answer') return answer
  const [authorizationId, address, password, ...rest] = answer.octets.toString('utf8').split('\0')
  const isForOther = authorizationId !== '' && authorizationId !== address
  return isForOther || rest.length > 0 ? { kind: 'malformed' } : credentials(address ?? '', password ?? '')
}

async function login(ask: Ask, initial: Answer | undefined): Promise<Outcome> {
  const name = initial ?? (await ask('Username:'))
  if (name.kind !== 'answer') return name
  const password = await ask('Password:')
  if (password.kind !== 'answer') return password
  return credentials(name.octets.toString('utf8'), password.octets.toString('utf8'))
}

function token(mechanism: BearerMechanism): Mechanism {
  return async (ask, initial) => {
    const answer = initial ?? (await ask(''))
    if (answer.kind !== 'answer') return answer
    const bearer = readBearer(mechanism, answer.octets.toString('utf8'))
    return bearer === undefined ? { kind: 'malformed' } : { kind: 'token', mechanism, bearer }
  }
}

function credentials(address: string, password: string): Outcome {
  const isUsable = address !== '' && password !== '' && !PROHIBITED.test(address) && !PROHIBITED.test(password)
  return isUsable ? { kind: 'credentials', address, password } : { kind: 'malformed' }
}
