// Commands of a client (RFC 1939 sections 3 to 7, RFC 2449 section 4, RFC 5034 section 4, RFC 6856) from line to value.
import { isUtf8 } from 'node:buffer'
import type { Text } from './language.ts'
import { PROHIBITED } from './prohibited.ts'
import { noArgument, takes, texts } from './texts.ts'

type Plain = 'CAPA' | 'NOOP' | 'QUIT' | 'RSET' | 'STAT' | 'STLS' | 'UTF8'

export type Command =
  | { verb: Plain }
  | { verb: 'USER'; name: string }
  | { verb: 'PASS'; password: string }
  | { verb: 'AUTH'; mechanism: string | undefined; initialResponse: string | undefined }
  | { verb: 'LANG'; range: string | undefined }
  | { verb: 'LIST' | 'UIDL'; number: number | undefined }
  | { verb: 'RETR' | 'DELE'; number: number }
  | { verb: 'TOP'; number: number; lines: number }

export type Parsed = { kind: 'command'; command: Command } | { kind: 'malformed'; reason: Text }

/** Longest command without its CRLF; only AUTH may be longer, for its initial response. */
const COMMAND_MAX_OCTETS = 253
const NUMBER = /^\d{1,10}$/

/** Reads one command line. Spaces are part of a password, everywhere else they only separate. */
export function parseCommand(octets: Buffer): Parsed {
  if (!isUtf8(octets)) return malformed(texts.notUtf8)
  const line = octets.toString('utf8')
  if (PROHIBITED.test(line)) return malformed(texts.badCharacters)
  const space = line.indexOf(' ')
  const keyword = (space < 0 ? line : line.slice(0, space)).toUpperCase()
  if (octets.length > COMMAND_MAX_OCTETS && keyword !== 'AUTH') return malformed(texts.tooLong)
  return parseArguments(keyword, space < 0 ? '' : line.slice(space + 1))
}

function parseArguments(keyword: string, text: string): Parsed {
  switch (keyword) {
    case 'CAPA':
    case 'NOOP':
    case 'QUIT':
    case 'RSET':
    case 'STAT':
    case 'STLS':
    case 'UTF8':
      return text.trim() === '' ? command({ verb: keyword }) : malformed(noArgument(keyword))
    case 'USER':
      return text.trim() === ''
        ? malformed(takes(keyword, 'a name', '名前'))
        : command({ verb: 'USER', name: text.trim() })
    case 'PASS':
      return text === ''
        ? malformed(takes(keyword, 'a password', 'パスワード'))
        : command({ verb: 'PASS', password: text })
    case 'AUTH':
      return parseAuth(split(text))
    case 'LANG':
      return parseLang(split(text))
    case 'LIST':
    case 'UIDL':
      return parseListing(keyword, split(text))
    case 'RETR':
    case 'DELE':
      return parseNumbered(keyword, split(text))
    case 'TOP':
      return parseTop(split(text))
    default:
      return malformed(texts.unknownCommand)
  }
}

function parseAuth(words: string[]): Parsed {
  if (words.length > 2) return malformed(takes('AUTH', 'a mechanism and an initial response', '認証方式と初期応答'))
  return command({ verb: 'AUTH', mechanism: words[0]?.toUpperCase(), initialResponse: words[1] })
}

function parseLang(words: string[]): Parsed {
  if (words.length > 1) return malformed(takes('LANG', 'a language range or nothing', '言語タグ (または引数なし)'))
  return command({ verb: 'LANG', range: words[0] })
}

function parseListing(verb: 'LIST' | 'UIDL', words: string[]): Parsed {
  if (words.length === 0) return command({ verb, number: undefined })
  const number = numberOf(words)
  return number === undefined
    ? malformed(takes(verb, 'a message-number or nothing', 'メール番号 (または引数なし)'))
    : command({ verb, number })
}

function parseNumbered(verb: 'RETR' | 'DELE', words: string[]): Parsed {
  const number = numberOf(words)
  return number === undefined ? malformed(takes(verb, 'a message-number', 'メール番号')) : command({ verb, number })
}

function parseTop(words: string[]): Parsed {
  const number = numberOf(words.slice(0, 1))
  const lines = numberOf(words.slice(1))
  return number === undefined || lines === undefined
    ? malformed(takes('TOP', 'a message-number and a number of lines', 'メール番号と行数'))
    : command({ verb: 'TOP', number, lines })
}

function numberOf(words: string[]): number | undefined {
  return words.length === 1 && NUMBER.test(words[0]!) ? Number(words[0]) : undefined
}

function split(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}

function command(value: Command): Parsed {
  return { kind: 'command', command: value }
}

function malformed(reason: Text): Parsed {
  return { kind: 'malformed', reason }
}
