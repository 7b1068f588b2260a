// Text from a stranger's mail as a notice may show it: decoded, one line, short, and with nothing to click.
import libmime from 'libmime'

const LONGEST = 200
/** Enough for what is shown, however it is encoded. */
const LONGEST_ENCODED = 4_000
const ADDRESS = /^(?!.*www\.)[<("']*[^\s@/:\\<>]+@[\p{L}\p{N}.-]+[>)"',;]*$/iu

/** Makes a header field's value fit to be shown; '-' when there is none. Mail clients find no link in it, of any kind. */
export function shown(value: string | undefined): string {
  return harmless(value, () => false)
}

/** The same for fields of addresses, which stay legible. */
export function shownAddresses(value: string | undefined): string {
  return harmless(value, (word) => ADDRESS.test(word))
}

function harmless(value: string | undefined, stays: (word: string) => boolean): string {
  const text = decode(value?.slice(0, LONGEST_ENCODED) ?? '')
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
  if (text === '') return '-'
  const letters = [...text]
  const cut = letters.length > LONGEST ? `${letters.slice(0, LONGEST).join('')}…` : text
  return cut
    .split(' ')
    .map((word) => (stays(word) ? word : unlinked(word)))
    .join(' ')
}

/** Mail clients make links of addresses of pages with and without scheme, of host names, and of mail addresses. */
function unlinked(word: string): string {
  return word.replace(/:\/\//g, ':[//]').replace(/\.(?=\p{L})/gu, '[.]')
}

function decode(value: string): string {
  try {
    return libmime.decodeWords(value)
  } catch {
    return value // an encoded word that can't be decoded is shown as it stands
  }
}
