// Text of any script in header fields that are ASCII: encoded words (RFC 2047), parameters with a charset (RFC 2231).

/** So few octets in a word that it has room on the line of its field's name. */
const WORD_OCTETS = 30
/** Characters of one piece of a parameter. */
const PIECE_LENGTH = 60

/** The text as encoded words, folded between two of them. */
export function encodedWords(text: string): string {
  const words: string[] = []
  let word = ''
  for (const character of text.toWellFormed()) {
    if (Buffer.byteLength(word + character) > WORD_OCTETS) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join('\r\n ')
}

/** A MIME parameter whose value is not ASCII; a long one in pieces (RFC 2231 section 3). */
export function encodedParameter(name: string, value: string): string {
  const octets = encodeURIComponent(value.toWellFormed()).replace(/[!'()*]/g, percent)
  const pieces = `utf-8''${octets}`.match(new RegExp(`.{1,${PIECE_LENGTH}}(?<!%|%.)|.+`, 'g')) ?? []
  if (pieces.length === 1) return `${name}*=${pieces[0]}`
  return pieces.map((piece, index) => `${name}*${index}*=${piece}`).join(';\r\n ')
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
