// Header fields from outside that pose as ours: they are struck out before ours are added (RFC 8601 section 5).
import { type HeaderField, unfold } from '@sekimori/mail/header'

/** Flat start, end offsets of the fields to strike out, in order. */
export function forgedFields(fields: HeaderField[], hostname: string): number[] {
  return fields.filter((field) => isForged(field, hostname)).flatMap(({ start, end }) => [start, end])
}

function isForged(field: HeaderField, hostname: string): boolean {
  switch (field.name) {
    case 'authentication-results':
      return authservId(unfold(field.value)) === hostname.toLowerCase()
    case 'received-spf':
      return unfold(field.value).toLowerCase().includes(hostname.toLowerCase())
    // Nobody else's scan stands for ours, whatever name it bears.
    case 'x-virus-status':
      return true
    default:
      return false
  }
}

/** The authserv-id of an Authentication-Results value: without comments and quotes, in lower case, no trailing dot. */
export function authservId(value: string): string {
  const token = /^[^\s;]*/.exec(withoutComments(value).trim())?.[0] ?? ''
  return token.replace(/^"|"$/g, '').toLowerCase().replace(/\.+$/, '')
}

function withoutComments(value: string): string {
  let depth = 0
  let kept = ''
  for (let i = 0; i < value.length; i++) {
    const letter = value[i]
    if (letter === '\\' && depth > 0) i++
    else if (letter === '(') depth++
    else if (letter === ')' && depth > 0) depth--
    else if (depth === 0) kept += letter
  }
  return kept
}
