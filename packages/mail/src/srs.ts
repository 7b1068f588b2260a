// The sender rewriting scheme (SRS0, SRS1): a reverse-path of ours for mail that we hand on, which says whose bounces it
// takes, until when, and that we made it. Without it the next server's SPF check (RFC 7208) would blame us.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface SrsKey {
  secret: string
  /** How long bounces are taken. */
  maxAgeMs: number
}

/** `none`: no address of this scheme. */
export type Reversal = { kind: 'reversed'; address: string } | { kind: 'none' | 'forged' | 'expired' }

const DAY_MS = 86_400_000
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** Days are counted in two letters of base 32; the count begins anew after 1,024 days. */
const DAYS = 1_024
const HASH_LENGTH = 8
const SRS0 = /^srs0[=+-]([^=]+)=([a-z2-7]{2})=([^=@]+)=([^@]+)$/i
const SRS1 = /^srs1[=+-]([^=]+)=([^=@]+)=([=+-][^@]+)$/i
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

/** The address that bounces to a rewritten one are for. */
export function reverseSender(key: SrsKey, address: string, now = Date.now()): Reversal {
  if (!isSrs(address)) return { kind: 'none' }
  const local = address.slice(0, address.lastIndexOf('@'))
  const first = SRS0.exec(local)
  if (first !== null) {
    const [, claimed, day, host, rest] = first as unknown as [string, string, string, string, string]
    if (!isSame(claimed, hash(key, day, host, rest))) return { kind: 'forged' }
    return isExpired(key, day, now) ? { kind: 'expired' } : { kind: 'reversed', address: `${rest}@${host}` }
  }
  const further = SRS1.exec(local)
  if (further === null) return { kind: 'forged' }
  const [, claimed, host, rest] = further as unknown as [string, string, string, string]
  if (!isSame(claimed, hash(key, host, rest))) return { kind: 'forged' }
  return { kind: 'reversed', address: `SRS0${rest}@${host}` }
}

/** Case is left out of account: servers on the way may have changed it. */
function hash({ secret }: SrsKey, ...parts: string[]): string {
  const digest = createHmac('sha256', secret).update(parts.join('\n').toLowerCase()).digest()
  return Array.from(digest.subarray(0, HASH_LENGTH), (octet) => ALPHABET[octet & 31]).join('')
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
