// A mail as its list sends it on: List-Id (RFC 2919), the List- fields of RFC 2369, and a reverse-path to which its bounces
// go. Nothing else changes, so that the author's signatures hold.
import { domainOf } from '@sekimori/mail/address'
import { parseHeader, unfold } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import type { ListFound } from '@sekimori/store/directory'

/** Of these there must be one, and the list's own. */
const OWN_FIELDS = ['list-id', 'list-post', 'list-owner', 'list-unsubscribe', 'list-unsubscribe-post']

/** The job with the list's fields and reverse-path; `head` is the header section of the mail. */
export function asListMail(job: Job, list: ListFound, head: Buffer): Job {
  const replaced = parseHeader(head).filter(({ name }) => OWN_FIELDS.includes(name))
  const ranges = replaced.map(({ start, end }) => [start, end] as const)
  return {
    ...job,
    envelope: { ...job.envelope, mailFrom: companion(list.address, 'bounces') },
    added: [...listLines(list), ...job.added],
    struck: ranges.length === 0 ? job.struck : mergedRanges(job.struck, ranges),
  }
}

function listLines({ address, name }: ListFound): string[] {
  const owner = mailto(companion(address, 'owner'))
  return [
    `List-Id: ${phrase(name)}<${listId(address)}>`,
    `List-Post: <${mailto(address)}>`,
    `List-Owner: <${owner}>`,
    `List-Unsubscribe: <${owner}?subject=unsubscribe>`,
    'Precedence: list',
  ]
}

/** Whether the mail went through this list before. */
export function comesFromList(head: Buffer, { address }: ListFound): boolean {
  const own = `<${listId(address)}>`
  return parseHeader(head).some(({ name, value }) => name === 'list-id' && unfold(value).toLowerCase().endsWith(own))
}

/** The list's name as a domain: its local part takes the place of a label. */
function listId(address: string): string {
  const local = address.slice(0, address.lastIndexOf('@'))
  const label = /^[a-z0-9.-]+$/.test(local) ? local : `x-${Buffer.from(local).toString('hex')}`
  return `${label}.${domainOf(address)}`
}

/** The list's address for its bounces, or for its owners. */
function companion(address: string, suffix: 'bounces' | 'owner'): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}-${suffix}${address.slice(at)}`
}

function mailto(address: string): string {
  const at = address.lastIndexOf('@')
  return `mailto:${encodeURIComponent(address.slice(0, at))}${address.slice(at)}`
}

/** The name in quotes, or as encoded words (RFC 2047) of at most 75 characters; nothing when it is the address. */
function phrase(name: string): string {
  if (name.includes('@')) return ''
  if (/^[\x20-\x7e]{1,60}$/.test(name)) return `"${name.replaceAll(/["\\]/g, '\\$&')}"\r\n `
  const words: string[] = []
  for (let rest = [...name.toWellFormed()]; rest.length > 0; rest = rest.slice(10))
    words.push(`=?utf-8?B?${Buffer.from(rest.slice(0, 10).join('')).toString('base64')}?=`)
  return `${words.join('\r\n ')}\r\n `
}

function mergedRanges(struck: number[], more: (readonly [number, number])[]): number[] {
  const starts = new Map(more)
  for (let i = 0; i + 1 < struck.length; i += 2) starts.set(struck[i]!, struck[i + 1]!)
  return [...starts].sort(([a], [b]) => a - b).flat()
}
