// Whether a PDF file is encrypted: its trailer, or the dictionary of a cross-reference stream, names /Encrypt
// (ISO 32000-1, 7.5.5 and 7.5.8).

const HEADER = Buffer.from('%PDF-')
/** Readers take a header anywhere in the first part of the file. */
const HEADER_WITHIN_BYTES = 1_024
/** How far the name may be from what tells the kind of its dictionary. */
const DICTIONARY_BYTES = 4_096
const MAX_PLACES = 200

const ENCRYPT = new RegExp(`/${spelled('Encrypt')}(?![A-Za-z#])`, 'g')
const TRAILER = new RegExp(`\\btrailer\\b|/${spelled('XRef')}(?![A-Za-z#])`)

export function isEncryptedPdf(bytes: Buffer): boolean {
  if (!bytes.subarray(0, HEADER_WITHIN_BYTES).includes(HEADER)) return false
  const text = bytes.toString('latin1')
  let places = 0
  for (const { index } of text.matchAll(ENCRYPT)) {
    if (TRAILER.test(text.slice(Math.max(0, index - DICTIONARY_BYTES), index + DICTIONARY_BYTES))) return true
    if (++places >= MAX_PLACES) break
  }
  return false
}

/** A pattern for the name with any of its letters written as #xx (ISO 32000-1, 7.3.5). */
function spelled(name: string): string {
  return [...name].map((letter) => `(?:${letter}|#${hexPattern(letter)})`).join('')
}

function hexPattern(letter: string): string {
  return [...letter.charCodeAt(0).toString(16)].map((digit) => `[${digit}${digit.toUpperCase()}]`).join('')
}
