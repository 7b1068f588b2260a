// The boundaries that some reader might take from a header: duplicates, odd quoting, RFC 2231 pieces, encoded words.
import libmime from 'libmime'

/** More than this is no sloppy mail; the first ones are what readers look at. */
const MOST_MENTIONS = 8
const LONGEST = 300
const HEADER_SPAN = 8_192

const PLAIN = /^[A-Za-z0-9'()+_,\-./:=? ]{0,69}[A-Za-z0-9'()+_,\-./:=?]$/

export interface Boundaries {
  candidates: string[]
  /** One boundary, written by the rules: no reader sees another. */
  isPlain: boolean
}

/** Boundaries named in the values of the Content-Type fields of one entity. */
export function boundariesOf(values: string[]): Boundaries {
  const found = new Set<string>()
  let mentions = 0
  for (const value of values) {
    const text = value.slice(0, HEADER_SPAN).replace(/\r?\n(?=[ \t])/g, '')
    for (const match of text.matchAll(/boundary\s*(?:\*\d*\*?)?\s*=\s*/gi)) {
      if (++mentions > MOST_MENTIONS) break
      for (const candidate of readValue(text.slice(match.index + match[0].length).slice(0, LONGEST)))
        found.add(candidate)
    }
    const joined = joinContinuations(text)
    if (joined !== undefined) for (const candidate of [joined, percentDecoded(joined)]) found.add(candidate)
  }
  found.delete('')
  const candidates = [...found]
  return {
    candidates,
    isPlain: values.length === 1 && mentions === 1 && candidates.length === 1 && PLAIN.test(candidates[0]!),
  }
}

/** What may follow "boundary=": quoted, bare, cut at different places, with escapes. */
function readValue(rest: string): string[] {
  const quoted = /^"((?:[^"\\]|\\.)*)"?/.exec(rest)?.[1]
  const single = /^'([^']*)'/.exec(rest)?.[1]
  const bare = /^[^;\r\n]*/.exec(rest)![0].trim()
  const token = /^[^\s;"(]*/.exec(rest)![0]
  if (quoted !== undefined) {
    const plain = quoted.replace(/\\(.)/g, '$1')
    const readings = [plain, plain.trim(), quoted, libmime.decodeWords(plain), percentDecoded(plain)]
    // Text that goes on behind the closing quote is part of it for some.
    const trailing = bare.length > quoted.length + 2 ? [bare.replaceAll('"', '')] : []
    return [...new Set([...readings.filter((reading) => reading !== plain || reading === plain), ...trailing])]
  }
  return [
    ...new Set([
      bare,
      token,
      bare.replace(/\(.*\)/g, '').trim(),
      bare.replaceAll('"', ''),
      libmime.decodeWords(bare),
      percentDecoded(token),
      ...(single === undefined ? [] : [single]),
    ]),
  ]
}

/** RFC 2231 section 3: boundary*0="ab"; boundary*1="cd". */
function joinContinuations(text: string): string | undefined {
  const pieces = [...text.matchAll(/boundary\*(\d+)\*?\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi)]
  if (pieces.length === 0) return undefined
  return pieces
    .toSorted((a, b) => Number(a[1]) - Number(b[1]))
    .map((piece) => piece[2] ?? piece[3] ?? '')
    .join('')
}

/** RFC 2231 section 4: charset'language'percent-encoded. */
function percentDecoded(text: string): string {
  const value = /^[\w-]*'[\w-]*'(.*)$/.exec(text)?.[1] ?? text
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
