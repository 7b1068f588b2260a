// The text of an HTML part, in every charset that may be meant: named in the MIME header, in the page, by a mark, or UTF-7.

const MARKS: [Buffer, string][] = [
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
]
/** What has a page's charset stands near its beginning. */
const START_BYTES = 2_048
/** A long page is never made one text. */
const CHUNK_BYTES = 65_536

/** The readings of the octets as text, each in pieces; ASCII-compatible charsets that differ in letters only count as one. */
export function* htmlReadings(bytes: Buffer, contentTypes: string[]): Generator<Iterable<string>> {
  yield decoded(bytes, 'latin1')
  for (const name of charsetsOf(bytes, contentTypes)) {
    if (/^(?:unicode-1-1-)?utf-?7$/.test(name)) yield decodedUtf7(bytes)
    else if (/utf-?16|utf-?32|2022|hz-|ucs/.test(name) || /ebcdic|cp037|ibm/.test(name)) yield decoded(bytes, name)
  }
}

/** The same readings, each as one text. */
export function htmlTexts(bytes: Buffer, contentTypes: string[]): string[] {
  return [...htmlReadings(bytes, contentTypes)].map((pieces) => [...pieces].join(''))
}

function charsetsOf(bytes: Buffer, contentTypes: string[]): Set<string> {
  const start = bytes.toString('latin1', 0, START_BYTES)
  const names = [...contentTypes.map((value) => value.slice(0, START_BYTES)), start].flatMap((text) =>
    [...text.matchAll(/charset\s*=\s*["']?\s*([\w.:-]+)/gi)].map((match) => match[1]!.toLowerCase()),
  )
  const marked = MARKS.filter(([mark]) => bytes.subarray(0, 2).equals(mark)).map(([, name]) => name)
  const guessed =
    bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0
      ? ['utf-16le']
      : bytes[0] === 0 && bytes[1] !== 0
        ? ['utf-16be']
        : []
  return new Set([...names, ...marked, ...guessed])
}

function* decoded(bytes: Buffer, charset: string): Generator<string> {
  const decoder = decoderFor(charset)
  if (decoder === undefined) return // a charset that nobody knows is no reading of its own
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    yield decoder.decode(bytes.subarray(at, at + CHUNK_BYTES), { stream: true })
}

function decoderFor(charset: string): Pick<TextDecoder, 'decode'> | undefined {
  if (charset === 'latin1') return { decode: (part) => (part as Buffer).toString('latin1') }
  try {
    return new TextDecoder(charset)
  } catch {
    return undefined
  }
}

/** RFC 2152, leniently. What is cut at the end of a piece is put before the next one. */
function* decodedUtf7(bytes: Buffer): Generator<string> {
  let rest = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const text = rest + bytes.toString('latin1', at, at + CHUNK_BYTES)
    const open = at + CHUNK_BYTES < bytes.length ? /\+[A-Za-z0-9+/]*$/.exec(text) : null
    rest = open === null || open[0].length > CHUNK_BYTES ? '' : open[0]
    yield decodeUtf7(rest === '' ? text : text.slice(0, -rest.length))
  }
}

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
