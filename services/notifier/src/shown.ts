// Text from a stranger's mail as a notice may show it: decoded, one line, short, in reading order, and with nothing to click.
import libmime from 'libmime'

const LONGEST = 200
/** Enough for what is shown, however it is encoded; a field may be as long as the header section. */
const LONGEST_ENCODED = 4_000
const ADDRESS = /^(?!.*www\.)[<("']*[^\s@/:\\<>]+@[\p{L}\p{N}.-]+[>)"',;]*$/iu
const TOWER_OF_MARKS = /(\p{M}{4})\p{M}+/gu
const SCHEME = /\b(mailto|tel|sms|sip|xmpp|skype|callto|facetime|magnet|news|data|javascript|vbscript|file):/gi

/** Makes a header field's value fit to be shown; '-' when there is none. Mail clients find no link in it, of any kind. */
export function shown(value: string | undefined): string {
  return harmless(value, () => false)
}

/** The same for fields of addresses, which stay legible. */
export function shownAddresses(value: string | undefined): string {
  return harmless(value, (word) => ADDRESS.test(word))
}

function harmless(value: string | undefined, stays: (word: string) => boolean): string {
  const text = plain(decode(value?.slice(0, LONGEST_ENCODED) ?? ''))
  if (text === '') return '-'
  const letters = [...text]
  const cut = letters.length > LONGEST ? `${letters.slice(0, LONGEST).join('')}…` : text
  return cut
    .split(' ')
    .map((word) => (stays(word) ? word : unlinked(word)))
    .join(' ')
}

/** One line without control characters, marks that turn the reading order (bidi) or hide text, and lone surrogates. */
function plain(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .replace(TOWER_OF_MARKS, '$1')
    .trim()
}

/** Mail clients make links of addresses of pages with and without scheme, of host names, and of mail addresses. */
function unlinked(word: string): string {
  return word
    .replace(/:\/\//g, ':[//]')
    .replace(SCHEME, '$1[:]')
    .replace(/\.(?=\p{L})/gu, '[.]')
}

function decode(value: string): string {
  try {
    return libmime.decodeWords(value)
  } catch {
    return value // an encoded word that can't be decoded is shown as it stands
  }
}
