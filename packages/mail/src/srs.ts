// The sender rewriting scheme (SRS0, SRS1): a reverse-path of ours for mail that we hand on, which says whose bounces it
// takes, until when, and that we made it. Without it the next server's SPF check (RFC 7208) would blame us. A sender that
// would make it longer than a local part may be (RFC 5321 section 4.5.3.1.1) is kept elsewhere, under a token.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SrsKey {
  secret: string
  /** How long bounces are taken. */
  maxAgeMs: number
}

/** `none`: no address of this scheme. */
export type Reversal = { kind: 'reversed'; address: string } | { kind: 'none' | 'forged' | 'expired' }

/** `kept`: ours and in time; the address that it stands for is kept under the token. */
export type Reading = Reversal | { kind: 'kept'; token: string }

const DAY_MS = 86_400_000
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** Days are counted in two letters of base 32; the count begins anew after 1,024 days. */
const DAYS = 1_024
const HASH_LENGTH = 8
const TOKEN_LENGTH = 20
const LOCAL_PART_MOST_OCTETS = 64
const SRS0 = /^srs0[=+-]([^=]+)=([a-z2-7]{2})=([^=@]+)=([^@]+)$/i
const SRS1 = /^srs1[=+-]([^=]+)=([^=@]+)=([=+-][^@]+)$/i
const SHORT = /^srs0[=+-]([^=]+)=([a-z2-7]{2})=([a-z2-7]{20})$/i
/** What may stand in a reverse-path without quotes. */
const PLAIN = /^[^\s\p{Cc}"(),:;<>@[\]\\]+$/u

/** Whether the local part claims to be of this scheme. */
export function isSrs(address: string): boolean {
  return /^srs[01][=+-]/i.test(address)
}

/** The reverse-path at `domain` for mail from `mailFrom`; undefined when it can't be put into one. */
export function rewriteSender(key: SrsKey, mailFrom: string, domain: string, now = Date.now()): string | undefined {
  const at = mailFrom.lastIndexOf('@')
  const local = mailFrom.slice(0, Math.max(at, 0))
  const host = mailFrom.slice(at + 1)
  if (at < 1 || !PLAIN.test(local) || !PLAIN.test(host) || host.includes('=')) return undefined
  const first = /^srs0([=+-].+)$/i.exec(local)
  if (first !== null) return wrapped(key, host, first[1]!, domain)
  const further = SRS1.exec(local)
  if (further !== null) return wrapped(key, further[2]!, further[3]!, domain)
  const day = dayOf(now)
  return `SRS0=${hash(key, day, host, local)}=${day}=${host}=${local}@${domain}`
}

/** Of a mail that was rewritten before, only the first server needs to be known; it knows the rest. */
function wrapped(key: SrsKey, firstHost: string, rest: string, domain: string): string {
  return `SRS1=${hash(key, firstHost, rest)}=${firstHost}=${rest}@${domain}`
}

/** Whether other servers may refuse the address for the length of its local part. */
export function isTooLong(address: string): boolean {
  return Buffer.byteLength(address.slice(0, address.lastIndexOf('@'))) > LOCAL_PART_MOST_OCTETS
}

/** The name under which a sender is kept: always the same, and nobody's guess. */
export function senderToken({ secret }: SrsKey, address: string): string {
  return letters(createHmac('sha256', secret).update(`sender\n${address}`).digest(), TOKEN_LENGTH)
}

/** The reverse-path at `domain` for the sender that is kept under the token. */
export function shortSender(key: SrsKey, token: string, domain: string, now = Date.now()): string {
  const day = dayOf(now)
  return `SRS0=${hash(key, 'short', day, token)}=${day}=${token}@${domain}`
}

/** The address that bounces to a rewritten one are for, or where it is kept. */
export function reverseSender(key: SrsKey, address: string, now = Date.now()): Reading {
  if (!isSrs(address)) return { kind: 'none' }
  const local = address.slice(0, address.lastIndexOf('@'))
  const first = SRS0.exec(local)
  if (first !== null) {
    const [, claimed, day, host, rest] = first as unknown as [string, string, string, string, string]
    if (!isSame(claimed, hash(key, day, host, rest))) return { kind: 'forged' }
    return isExpired(key, day, now) ? { kind: 'expired' } : { kind: 'reversed', address: `${rest}@${host}` }
  }
  const short = SHORT.exec(local)
  if (short !== null) return readShort(key, short as unknown as [string, string, string, string], now)
  const further = SRS1.exec(local)
  if (further === null) return { kind: 'forged' }
  const [, claimed, host, rest] = further as unknown as [string, string, string, string]
  if (!isSame(claimed, hash(key, host, rest))) return { kind: 'forged' }
  return { kind: 'reversed', address: `SRS0${rest}@${host}` }
}

function readShort(key: SrsKey, [, claimed, day, token]: [string, string, string, string], now: number): Reading {
  if (!isSame(claimed, hash(key, 'short', day, token))) return { kind: 'forged' }
  return isExpired(key, day, now) ? { kind: 'expired' } : { kind: 'kept', token: token.toLowerCase() }
}

/** Case is left out of account: servers on the way may have changed it. */
function hash({ secret }: SrsKey, ...parts: string[]): string {
  return letters(createHmac('sha256', secret).update(parts.join('\n').toLowerCase()).digest(), HASH_LENGTH)
}

function letters(digest: Buffer, count: number): string {
  return Array.from(digest.subarray(0, count), (octet) => ALPHABET[octet & 31]).join('')
}

function isSame(claimed: string, right: string): boolean {
  const given = Buffer.from(claimed.toLowerCase())
  return given.length === right.length && timingSafeEqual(given, Buffer.from(right))
}

function dayOf(now: number): string {
  const day = Math.floor(now / DAY_MS) % DAYS
  return ALPHABET[day >> 5]! + ALPHABET[day & 31]!
}

function isExpired({ maxAgeMs }: SrsKey, day: string, now: number): boolean {
  const [high, low] = [...day.toLowerCase()].map((letter) => ALPHABET.indexOf(letter)) as [number, number]
  const age = (Math.floor(now / DAY_MS) - (high * 32 + low) + DAYS * 2_000) % DAYS
  return age * DAY_MS > maxAgeMs
}
