// What DNS shows where a DKIM key is to be published (RFC 6376 section 3.6), held against the key.
import { DnsError } from './dns-error.ts'
import type { Resolve } from './resolver.ts'

export interface ExpectedKey {
  /** `<selector>._domainkey.<domain>` */
  name: string
  keyType: 'rsa' | 'ed25519'
  /** In base64, as the p= tag has it. */
  publicKey: string
}

/** `fault` of `differs`: what is wrong with the records that were found. */
export type ShownKey =
  | { kind: 'matches' }
  | { kind: 'missing' }
  | { kind: 'differs'; fault: KeyFault; records: string[] }
  | { kind: 'unknown'; code: string }

export type KeyFault =
  | 'several-records'
  | 'syntax'
  | 'revoked'
  | 'other-key'
  | 'other-type'
  | 'not-for-mail'
  | 'testing'

/** Asks for the key's record; `unknown` when the question could not be settled. Aliases are followed. */
export async function lookUpKey(resolve: Resolve, expected: ExpectedKey): Promise<ShownKey> {
  try {
    const strings = await resolve(expected.name, 'TXT')
    return compareKey(
      strings.map((parts) => parts.join('')),
      expected,
    )
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    const { code } = error
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'missing' } : { kind: 'unknown', code }
  }
}

/** Holds the TXT records of the key's name against the key. */
export function compareKey(records: string[], expected: ExpectedKey): ShownKey {
  if (records.length > 1) return { kind: 'differs', fault: 'several-records', records }
  const fault = faultOf(readTags(records[0] ?? ''), expected)
  return fault === undefined ? { kind: 'matches' } : { kind: 'differs', fault, records }
}

function faultOf(tags: Map<string, string> | undefined, expected: ExpectedKey): KeyFault | undefined {
  if (tags === undefined) return 'syntax'
  const list = (name: string) =>
    tags
      .get(name)
      ?.split(':')
      .map((part) => part.trim())
  if (!tags.has('p') || (tags.has('v') && (tags.get('v') !== 'DKIM1' || [...tags.keys()][0] !== 'v'))) return 'syntax'
  const published = tags.get('p')!.replace(/\s+/g, '')
  if (published === '') return 'revoked'
  if ((tags.get('k') ?? 'rsa') !== expected.keyType) return 'other-type'
  if (published !== expected.publicKey) return 'other-key'
  if (list('h')?.includes('sha256') === false) return 'not-for-mail'
  if (list('s')?.some((service) => service === '*' || service === 'email') === false) return 'not-for-mail'
  return list('t')?.includes('y') ? 'testing' : undefined
}

/** The tags of a tag-list (RFC 6376 section 3.2); undefined when it is none. */
export function readTags(text: string): Map<string, string> | undefined {
  const tags = new Map<string, string>()
  for (const part of text.trim().replace(/;\s*$/, '').split(';')) {
    const [, name, value] = /^\s*([a-z]\w*)\s*=\s*(.*?)\s*$/is.exec(part) ?? []
    if (name === undefined || tags.has(name)) return undefined
    tags.set(name, value!)
  }
  return tags
}
