// Official-looking virus signatures for clamd: an unsigned daily database (.cud) with a version and a time, which VERSION shows.
import { createHash } from 'node:crypto'

export interface SignatureDatabase {
  version: number
  at: Date
  /** Name and pattern of each signature. */
  patterns: Record<string, string>
}

const BLOCK_BYTES = 512
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Lines of an .ndb file: any kind of file that contains the pattern is a finding. */
export function ndbLines(patterns: Record<string, string>): string {
  return Object.entries(patterns)
    .map(([name, pattern]) => `${name}:0:*:${Buffer.from(pattern).toString('hex')}\n`)
    .join('')
}

/** The octets of daily.cud: a header of 512 octets, then a tar archive with daily.info and daily.ndb. */
export function dailyDatabase({ version, at, patterns }: SignatureDatabase): Buffer {
  const ndb = Buffer.from(ndbLines(patterns))
  const digest = createHash('sha256').update(ndb).digest('hex')
  const info = Buffer.from(`${header(version, at, 'X')}\ndaily.ndb:${ndb.length}:${digest}\n`)
  const archive = Buffer.concat([
    ...tarEntry('COPYING', Buffer.from('for tests\n')),
    ...tarEntry('daily.info', info),
    ...tarEntry('daily.ndb', ndb),
    Buffer.alloc(2 * BLOCK_BYTES),
  ])
  const head = header(version, at, createHash('md5').update(archive).digest('hex'))
  return Buffer.concat([Buffer.from(head.padEnd(BLOCK_BYTES)), archive])
}

function header(version: number, at: Date, md5: string): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${two(at.getUTCDate())} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
  const time = `${two(at.getUTCHours())}-${two(at.getUTCMinutes())} +0000`
  return `ClamAV-VDB:${date} ${time}:${version}:1:90:${md5}:X:test:${Math.floor(at.getTime() / 1000)}`
}

/** Header (POSIX ustar) and content, filled up to whole blocks. */
function tarEntry(name: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  head.write(name, 0)
  head.write(octal(0o644, 7), 100)
  head.write(octal(0, 7), 108)
  head.write(octal(0, 7), 116)
  head.write(octal(content.length, 11), 124)
  head.write(octal(0, 11), 136)
  head.write(`        0`, 148)
  head.write('ustar\x0000', 257)
  const sum = head.reduce((total, octet) => total + octet, 0)
  head.write(`${octal(sum, 6)} `, 148)
  return [head, content, Buffer.alloc(-content.length & (BLOCK_BYTES - 1))]
}
