// Header fields from outside that pose as ours: they are struck out before ours are added (RFC 8601 section 5).
import { normalizeDomain } from '@sekimori/mail/address'
import { type HeaderField, unfold } from '@sekimori/mail/header'

/** Flat start, end offsets of the fields to strike out, in order. */
export function forgedFields(fields: HeaderField[], hostname: string): number[] {
  return fields.filter((field) => isForged(field, hostname)).flatMap(({ start, end }) => [start, end])
}

const RESULTS = '(?:authentication-results|received-spf|x-virus-status)'
/** A bare CR ends a line for some mail clients, so what follows it may be a field of its own to them. */
const HIDDEN = new RegExp(`\\r(?!\\n)\\s*${RESULTS}\\s*:`, 'i')

function isForged(field: HeaderField, hostname: string): boolean {
  if (HIDDEN.test(field.value)) return true
  switch (field.name) {
    case 'authentication-results': {
      const id = authservId(unfold(field.value))
      // Where no id can be read, a lenient reader may read ours.
      return id === '' || id === comparable(hostname)
    }
    case 'received-spf':
      return unfold(field.value).toLowerCase().includes(hostname.toLowerCase())
    // Nobody else's scan stands for ours, whatever name it bears.
    case 'x-virus-status':
      return true
    default:
      return false
  }
}

/** The authserv-id of an Authentication-Results value, in the form in which host names are compared; '' when there is none. */
export function authservId(value: string): string {
  const [, quoted, token = ''] = /^(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/.exec(withoutComments(value).trim())!
  return comparable(quoted === undefined ? token.replaceAll('"', '') : quoted.replace(/\\(.)/g, '$1').trim())
}

function comparable(name: string): string {
  return (normalizeDomain(name) || name.toLowerCase()).replace(/\.+$/, '')
}

/** Without comments (RFC 5322 section 3.2.2); what stands in quotes is none. */
function withoutComments(value: string): string {
  let depth = 0
  let isQuoted = false
  let kept = ''
  for (let i = 0; i < value.length; i++) {
    const letter = value[i]!
    if (letter === '\\') {
      if (depth === 0) kept += letter + (value[i + 1] ?? '')
      i++
    } else if (letter === '"' && depth === 0) {
      isQuoted = !isQuoted
      kept += letter
    } else if (letter === '(' && !isQuoted) depth++
    else if (letter === ')' && depth > 0) depth--
    else if (depth === 0) kept += letter
  }
  return kept
}
