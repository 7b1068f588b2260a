// What a check of one kind of DNS record found, and how a name is looked up for it.
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import type { BilingualText } from '../problem.ts'

/** In the order of gravity. `unknown`: DNS or a server did not answer. `advice`: it works, and could be better. */
export const weights = ['missing', 'wrong', 'unknown', 'advice'] as const
export type Note = BilingualText & { weight: (typeof weights)[number] }

export const purposes = ['mx', 'spf', 'dkim', 'dmarc', 'mta-sts', 'tls-rpt'] as const

export interface RecordCheck {
  purpose: (typeof purposes)[number]
  name: string
  /** The records as they are. */
  found: string[]
  /** The record as it should be, where there is one to copy. */
  expected?: string
  notes: Note[]
}

/** What the checks of a domain work with. */
export interface CheckContext {
  domain: string
  mailHostname: string
  resolve: Resolve
}

type Found<T> = { kind: 'found'; records: T[] } | { kind: 'none' } | { kind: 'unknown'; note: Note }

/** The records of a name; what kept them from being found out is a note. */
export async function lookUp<T>(name: string, type: string, ask: () => Promise<T[]>): Promise<Found<T>> {
  try {
    return { kind: 'found', records: await ask() }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return { kind: 'none' }
    return { kind: 'unknown', note: unanswered(name, type, error.code) }
  }
}

/** The texts at a name that begin with one of a kind's versions, such as `v=spf1`. */
export async function lookUpTexts(resolve: Resolve, name: string, version: RegExp): Promise<Found<string>> {
  const found = await lookUp(name, 'TXT', () => resolve(name, 'TXT'))
  if (found.kind !== 'found') return found
  const records = found.records.map((strings) => strings.join('')).filter((text) => version.test(text))
  return records.length === 0 ? { kind: 'none' } : { kind: 'found', records }
}

export function unanswered(name: string, type: string, code: string): Note {
  return {
    weight: 'unknown',
    ja: `${name} の ${type} を DNS に問い合わせましたが、回答を得られませんでした (${code})。`,
    en: `DNS gave no answer about ${type} of ${name} (${code}).`,
  }
}

export function several(what: string, count: number): Note {
  return {
    weight: 'wrong',
    ja: `${what} レコードが ${count} 個あります。1 個だけにしてください。複数あると無効になります。`,
    en: `There are ${count} ${what} records. Leave one: several count as none.`,
  }
}

export const wrong = (ja: string, en: string): Note => ({ weight: 'wrong', ja, en })
export const missing = (ja: string, en: string): Note => ({ weight: 'missing', ja, en })
export const advice = (ja: string, en: string): Note => ({ weight: 'advice', ja, en })
