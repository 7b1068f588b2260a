// What a page would run or load as a program (S1-15): scripts, event handlers, script URLs, objects and ActiveX calls.
import { Parser } from 'htmlparser2'

const SCRIPT_URL =
  /^[\s\p{Cc}]*(?:j[\s\p{Cc}]*a[\s\p{Cc}]*v[\s\p{Cc}]*a|v[\s\p{Cc}]*b)[\s\p{Cc}]*s[\s\p{Cc}]*c[\s\p{Cc}]*r[\s\p{Cc}]*i[\s\p{Cc}]*p[\s\p{Cc}]*t[\s\p{Cc}]*:/iu
const DATA_URL = /^\s*data:([^,]*),/i
/** A file that a script would hand out ("HTML smuggling"): as long as one that is worth it. */
const ENCODED_FILE = /[A-Za-z0-9+/]{80,}={0,2}/g
const CONTAINERS = new Set(['script', 'style', 'xml'])
const LOADING = new Set(['object', 'embed', 'applet', 'param', 'iframe', 'frame', 'base', 'meta', 'link'])
const MOST_PIECES = 2_000
/** Pages within pages. */
const DEEPEST = 4

export interface ActivePiece {
  kind: 'script' | 'handler' | 'url' | 'object' | 'data'
  bytes: Buffer
}

/** Every piece of active content of a page, decoded as a browser would hand it on. A long page may come in pieces. */
export function activeContent(html: string | Iterable<string>, depth = 0): ActivePiece[] {
  const pieces: ActivePiece[] = []
  let container: string | undefined
  let text = ''
  const add = (kind: ActivePiece['kind'], value: string | Buffer) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    if (bytes.length > 0 && pieces.length < MOST_PIECES) pieces.push({ kind, bytes })
    if (kind === 'data' || kind === 'object' || typeof value !== 'string') return
    for (const [text] of value.replace(/\\\r?\n|["'`]\s*\+\s*["'`]/g, '').matchAll(ENCODED_FILE))
      if (pieces.length < MOST_PIECES) pieces.push({ kind: 'data', bytes: Buffer.from(text, 'base64') })
  }
  const inner = (page: string) => {
    if (depth < DEEPEST) for (const piece of activeContent(page, depth + 1)) add(piece.kind, piece.bytes)
  }
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (CONTAINERS.has(name)) {
          container = name
          text = ''
        }
        for (const [attribute, value] of Object.entries(attributes)) {
          if (attribute === 'srcdoc') inner(value)
          addAttribute(name, attribute, value, add)
        }
      },
      ontext(data) {
        if (container !== undefined) text += data
      },
      onclosetag(name) {
        if (name !== container) return
        if (name === 'script' || /expression|behavior|import|script/i.test(text)) add('script', text)
        container = undefined
      },
      oncomment(data) {
        // Conditional comments hold markup that old mail clients render.
        if (/\[if\b/i.test(data)) inner(data.replace(/^\[if[^\]]*\]>/i, ''))
      },
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  )
  for (const text of typeof html === 'string' ? [html] : html) parser.write(text)
  parser.end()
  if (container === 'script') add('script', text)
  return pieces
}

function addAttribute(
  tag: string,
  attribute: string,
  value: string,
  add: (kind: ActivePiece['kind'], value: string | Buffer) => void,
): void {
  const data = DATA_URL.exec(value)
  if (data !== null) add('data', decodeDataUrl(data[1]!, value.slice(data[0].length)))
  else if (attribute.startsWith('on')) add('handler', value)
  else if (SCRIPT_URL.test(value)) add('url', value)
  else if (LOADING.has(tag) || /^(?:classid|codebase|clsid)$/.test(attribute))
    add('object', `${tag} ${attribute}=${value}`)
}

function decodeDataUrl(type: string, value: string): Buffer {
  if (/;\s*base64/i.test(type)) return Buffer.from(unescapePercent(value), 'base64')
  return Buffer.from(unescapePercent(value), 'latin1')
}

function unescapePercent(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
