// The text of an HTML part, in every charset that may be meant: named in the MIME header, in the page, by a mark, or UTF-7.

const MARKS: [Buffer, string][] = [
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
]

/** The readings of the octets as text; ASCII-compatible charsets that differ in letters only count as one. */
export function htmlTexts(bytes: Buffer, contentTypes: string[]): string[] {
  const start = bytes.toString('latin1', 0, 2_048)
  const names = [...contentTypes, start].flatMap((text) =>
    [...text.matchAll(/charset\s*=\s*["']?\s*([\w.:-]+)/gi)].map((match) => match[1]!.toLowerCase()),
  )
  const marked = MARKS.filter(([mark]) => bytes.subarray(0, 2).equals(mark)).map(([, name]) => name)
  const guessed =
    bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0
      ? ['utf-16le']
      : bytes[0] === 0 && bytes[1] !== 0
        ? ['utf-16be']
        : []
  const texts = new Set<string>([bytes.toString('latin1')])
  for (const name of new Set([...names, ...marked, ...guessed])) {
    if (/^(?:unicode-1-1-)?utf-?7$/.test(name)) texts.add(decodeUtf7(bytes.toString('latin1')))
    else if (/utf-?16|utf-?32|2022|hz-|ucs/.test(name) || /ebcdic|cp037|ibm/.test(name)) texts.add(decode(bytes, name))
  }
  return [...texts]
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder(name).decode(bytes)
  } catch {
    return bytes.toString('latin1') // a charset that nobody knows is no reading of its own
  }
}

/** RFC 2152, leniently. */
function decodeUtf7(text: string): string {
  return text.replace(/\+([A-Za-z0-9+/]*)-?/g, (_, encoded: string) => {
    if (encoded === '') return '+'
    const bytes = Buffer.from(encoded, 'base64')
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le')
  })
}
