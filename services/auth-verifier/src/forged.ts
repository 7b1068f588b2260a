// Header fields from outside that pose as ours: they are struck out before ours are added (RFC 8601 section 5).
import { type HeaderField, unfold } from '@sekimori/mail/header'
import { skeleton } from '@sekimori/mail/lookalike'

/** Flat start, end offsets of the fields to strike out, in order. */
export function forgedFields(fields: HeaderField[], hostname: string): number[] {
  return fields.filter((field) => isForged(field, hostname)).flatMap(({ start, end }) => [start, end])
}

const RESULTS =
  '(?:authentication-results|received-spf|x-virus-status|x-dmarc-quarantine|x-client-checks|x-sekimori-sender-(?:verdict|note))'
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
      return mentions(unfold(field.value), hostname)
    // Nobody else's scan or verdict stands for ours, whatever name it bears.
    case 'x-virus-status':
    case 'x-dmarc-quarantine':
    case 'x-sekimori-sender-verdict':
    case 'x-sekimori-sender-note':
    case 'x-client-checks':
      return true
    default:
      return false
  }
}

/** The authserv-id of an Authentication-Results value, in the form in which host names are compared; '' when there is none. */
export function authservId(value: string): string {
  const [, quoted, token = ''] = /^(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/.exec(withoutComments(value).trim())!
  const name = quoted === undefined ? token.replaceAll('"', '') : quoted.replace(/\\(.)/g, '$1').trim()
  // Behind the name may stand what a lenient reader drops: a port, a path, a comma.
  return comparable(/^[^/:,=<>]*/.exec(decodeWords(name))![0])
}

/** What a reader takes for the name: letters of other scripts that look like ours count as ours. */
function comparable(name: string): string {
  return skeleton(decodeWords(name)).replace(/\.+$/, '')
}

/** Encoded words have no place in an authserv-id (RFC 2047 section 5), but a lenient reader decodes them. */
function decodeWords(text: string): string {
  return text.replace(/=\?[^?\s]*\?([bq])\?([^?\s]*)\?=/gi, (_, encoding: string, word: string) => {
    if (encoding.toLowerCase() === 'b') return Buffer.from(word, 'base64').toString('utf8')
    const bytes = word.replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return Buffer.from(bytes, 'latin1').toString('utf8')
  })
}

function mentions(value: string, hostname: string): boolean {
  const ours = comparable(hostname)
  const names = new Set(decodeWords(value).split(/[\s()<>,;:="]+/))
  return [...names].some((name) => name.length >= ours.length / 2 && comparable(name) === ours)
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
