// The arguments of MAIL and RCPT (RFC 5321 sections 4.1.1.2, 4.1.1.3 and 4.1.2; parameters: RFC 1870, 3461, 4954, 6152,
// 6531, 8689): one path, then keywords that the session knows.
import { isIPv4, isIPv6 } from 'node:net'
import { SmtpReply } from './reply.ts'

export interface PathCommand {
  address: string
  /** By upper-case keyword; `true` for a keyword without a value. */
  args: Record<string, string | true> | false
  /** A keyword that came more than once. */
  duplicate?: string
}

export type PathVerb = 'MAIL FROM' | 'RCPT TO'
export type Extension = 'DSN' | 'AUTH'

const KEYWORDS: Record<PathVerb, ReadonlySet<string>> = {
  'MAIL FROM': new Set(['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', 'REQUIRETLS', 'AUTH']),
  'RCPT TO': new Set(['NOTIFY', 'ORCPT']),
}
/** Those of extensions that a listener may leave out: DSN, and AUTH (RFC 4954 section 5). */
const OPTIONAL: Record<Extension, ReadonlySet<string>> = {
  DSN: new Set(['RET', 'ENVID', 'NOTIFY', 'ORCPT']),
  AUTH: new Set(['AUTH']),
}
/** RFC 5321 section 4.5.3.1.3 counts the angle brackets. */
const LONGEST_PATH = 254
const LONGEST_DOMAIN = 255
const LONGEST_XTEXT = { ENVID: 100, ORCPT: 500, AUTH: 500 }

const PATH = /^<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?:[ \t]+(.*))?$/s
const SOURCE_ROUTE = /^@[^\s,:@]+(?:,@[^\s,:@]+)*:/
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/
const DOT_STRING = /^[^\s\p{Cc}@<>()[\]\\,;:".]+(?:\.[^\s\p{Cc}@<>()[\]\\,;:".]+)*$/u
const DOMAIN =
  /^(?:[a-z0-9\u0080-\u{10ffff}](?:[a-z0-9\u0080-\u{10ffff}-]*[a-z0-9\u0080-\u{10ffff}])?\.)*[a-z0-9\u0080-\u{10ffff}](?:[a-z0-9\u0080-\u{10ffff}-]*[a-z0-9\u0080-\u{10ffff}])?$/iu
/** Characters that are never seen and let one address pass for another. */
const UNSEEN = /[\p{Cc}\u200b\u2060\ufeff]/u

/** Reads the command. @throws SmtpReply 501 for its syntax, 555 for a keyword that is not known, or not offered. */
export function parsePathCommand(verb: PathVerb, command: string, notOffered: Extension[] = []): PathCommand {
  const colon = command.indexOf(':')
  const matched = PATH.exec(command.slice(colon + 1).trim())
  if (command.slice(0, Math.max(colon, 0)).trim().toUpperCase() !== verb || matched === null) throw badPath(verb)
  const [, path = '', parameters = ''] = matched
  return { address: addressIn(verb, path.replace(SOURCE_ROUTE, '')), ...parametersIn(verb, parameters, notOffered) }
}

function badPath(verb: PathVerb): SmtpReply {
  return verb === 'MAIL FROM'
    ? new SmtpReply(501, '5.1.7', 'Bad sender address syntax')
    : new SmtpReply(501, '5.1.3', 'Bad recipient address syntax')
}

function addressIn(verb: PathVerb, text: string): string {
  if (text === '' && verb === 'MAIL FROM') return ''
  if (verb === 'RCPT TO' && text.toLowerCase() === 'postmaster') return text
  const at = text.lastIndexOf('@')
  const local = localPartIn(text.slice(0, Math.max(at, 0)))
  const domain = text.slice(at + 1)
  if (local === undefined || !isDomain(domain) || Buffer.byteLength(text) > LONGEST_PATH || UNSEEN.test(text))
    throw badPath(verb)
  return `${local}@${domain}`
}

/** Quotes that nothing needs are taken away, so that one mailbox has one name (RFC 5321 section 4.1.2). */
function localPartIn(text: string): string | undefined {
  const quoted = QUOTED.exec(text)?.[1]
  if (quoted === undefined) return DOT_STRING.test(text) ? text : undefined
  const plain = quoted.replace(/\\(.)/gs, '$1')
  if (UNSEEN.test(plain)) return undefined
  return DOT_STRING.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`
}

function isDomain(text: string): boolean {
  const literal = /^\[(?:(IPv6):)?([^\]]*)\]$/i.exec(text)
  if (literal !== null) return literal[1] === undefined ? isIPv4(literal[2]!) : isIPv6(literal[2]!)
  return Buffer.byteLength(text) <= LONGEST_DOMAIN && DOMAIN.test(text)
}

function parametersIn(verb: PathVerb, text: string, notOffered: Extension[]): Pick<PathCommand, 'args' | 'duplicate'> {
  const args: Record<string, string | true> = {}
  let duplicate: string | undefined
  for (const parameter of text.split(/[ \t]+/).filter((word) => word !== '')) {
    const [, name, value] = /^([a-z0-9][a-z0-9-]*)(?:=(.*))?$/is.exec(parameter) ?? []
    if (name === undefined || (value !== undefined && UNSEEN.test(value)))
      throw new SmtpReply(501, '5.5.4', 'Bad parameter syntax')
    const keyword = name.toUpperCase()
    if (!KEYWORDS[verb].has(keyword) || notOffered.some((extension) => OPTIONAL[extension].has(keyword)))
      throw new SmtpReply(555, '5.5.4', `A parameter of ${verb} is not known here`)
    if (Object.hasOwn(args, keyword)) duplicate = keyword
    args[keyword] = value === undefined || value === '' ? true : decodedValue(keyword, value)
  }
  return { args: Object.keys(args).length > 0 ? args : false, ...(duplicate === undefined ? {} : { duplicate }) }
}

/**
 * Values in xtext are decoded (RFC 3461 section 4); what they stand for must be seen text, in ASCII: only an address that is
 * said to be UTF-8 may show its letters as they are (RFC 6533 section 3).
 */
function decodedValue(keyword: string, value: string): string {
  if (keyword !== 'ENVID' && keyword !== 'ORCPT' && keyword !== 'AUTH') return value
  const isUtf8 = keyword === 'ORCPT' && /^utf-8;/i.test(value)
  const isXtext = isUtf8 ? /^(?:[^\s+=\p{Cc}]|\+[0-7][0-9A-F])*$/u : /^(?:[!-*,-<>-~]|\+[0-7][0-9A-F])*$/
  const decoded = value.replace(/\+([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  if (!isXtext.test(value) || value.length > LONGEST_XTEXT[keyword] || UNSEEN.test(decoded))
    throw new SmtpReply(501, '5.5.4', `Bad ${keyword} parameter syntax`)
  return decoded
}
