// What a Content-Type says of the part as a whole (RFC 2046).

/** Type and subtype in small letters, without parameters and comments; empty when there is none. */
export function mediaType(value: string | undefined): string {
  return (value ?? '')
    .slice(0, 1_000)
    .replace(/\([^()]*\)/g, '')
    .split(/[;,]/)[0]!
    .replace(/[\s"'\0]/g, '')
    .toLowerCase()
}

/** One of several pieces of a mail (RFC 2046 section 5.2.2): what a mail program makes of them nobody can look into. */
export function isFragment(contentTypes: string[]): boolean {
  return contentTypes.some((value) => {
    if (mediaType(value) !== 'message/partial') return false
    const number = (name: string) =>
      Number(new RegExp(`\\b${name}\\s*=\\s*"?(\\d{1,9})`, 'i').exec(value.slice(0, 2_000))?.[1] ?? 0)
    return number('total') !== 1 || number('number') !== 1
  })
}

/** The parts by which a mail is encrypted for its recipients (RFC 3156). */
export function isEncryptedPart(contentType: string): boolean {
  return contentType === 'multipart/encrypted'
}
