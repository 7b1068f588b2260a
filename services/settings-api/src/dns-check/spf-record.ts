// An SPF record taken apart (RFC 7208 section 4.6, 5 and 6), for its faults; evaluating it is another matter.
import { isIPv4, isIPv6 } from 'node:net'

export interface SpfTerm {
  text: string
  qualifier: '+' | '-' | '~' | '?'
  name: string
  /** What follows ":" or "=", without a prefix length. */
  value: string
}

export interface SpfRecord {
  terms: SpfTerm[]
  /** Terms that can't be read. */
  faulty: string[]
}

const MECHANISM = /^([-+~?])?(all|include|a|mx|ptr|ip4|ip6|exists)(?::([^\s/]*))?((?:\/\d+)?(?:\/\/\d+)?)$/i
const MODIFIER = /^([a-z][\w.-]*)=(\S*)$/i
const NO_MODIFIERS = /^(?:all|include|a|mx|ptr|ip4|ip6|exists|ipv4|ipv6)$/
const LONGEST_PREFIX = { ip4: 32, ip6: 128 }

/** Whether the text is an SPF record at all. */
export const isSpf = /^v=spf1(?: |$)/i

export function parseSpf(record: string): SpfRecord {
  const parsed: SpfRecord = { terms: [], faulty: [] }
  for (const text of record.split(/ +/).slice(1)) {
    if (text === '') continue
    const term = parseTerm(text)
    if (term === undefined) parsed.faulty.push(text)
    else parsed.terms.push(term)
  }
  return parsed
}

function parseTerm(text: string): SpfTerm | undefined {
  const [, modifier, target = ''] = MODIFIER.exec(text) ?? []
  if (modifier !== undefined) {
    const name = modifier.toLowerCase()
    const isFaulty = NO_MODIFIERS.test(name) || (['redirect', 'exp'].includes(name) && target === '')
    return isFaulty ? undefined : { text, qualifier: '+', name, value: target }
  }
  const [, qualifier = '+', mechanism, value, prefix = ''] = MECHANISM.exec(text) ?? []
  if (mechanism === undefined) return undefined
  const name = mechanism.toLowerCase()
  const term: SpfTerm = { text, qualifier: qualifier as SpfTerm['qualifier'], name, value: value ?? '' }
  return isWellFormed(term, value !== undefined, prefix) ? term : undefined
}

function isWellFormed({ name, value }: SpfTerm, hasValue: boolean, prefix: string): boolean {
  switch (name) {
    case 'all':
      return !hasValue && prefix === ''
    case 'include':
    case 'exists':
      return value !== '' && prefix === ''
    case 'ip4':
    case 'ip6': {
      const isAddress = name === 'ip4' ? isIPv4(value) : isIPv6(value)
      return isAddress && !prefix.includes('//') && Number(prefix.slice(1)) <= LONGEST_PREFIX[name]
    }
    case 'ptr':
      return prefix === '' && (!hasValue || value !== '')
    default:
      return !hasValue || value !== ''
  }
}
