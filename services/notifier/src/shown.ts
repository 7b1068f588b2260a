// Text from a stranger's mail as a notice may show it: decoded, one line, short, and with nothing to click.
import libmime from 'libmime'

const LONGEST = 200

/** Makes a header field's value fit to be shown; '-' when there is none. */
export function shown(value: string | undefined): string {
  if (value === undefined || value.trim() === '') return '-'
  const text = decode(value)
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
  const cut = [...text].length > LONGEST ? `${[...text].slice(0, LONGEST).join('')}…` : text
  return cut.replace(/:\/\//g, ':[//]').replace(/\b(www)\./gi, '$1[.]')
}

function decode(value: string): string {
  try {
    return libmime.decodeWords(value)
  } catch {
    return value // an encoded word that can't be decoded is shown as it stands
  }
}
