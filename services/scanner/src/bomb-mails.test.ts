// Mails with a bomb in them: clamd is given nothing that it would unpack itself, and nothing hides beside a bomb.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { rar5 } from '@sekimori/testing/rar-archive'
import { type ArchiveWalker, openArchiveWalker } from './archive/archive-walker.ts'
import { holdsPacked } from './archive/defused.ts'
import { defaultLimits } from './archive/finding.ts'
import { bzip2, MARKER, markerFile, zip } from './archive/sample-tools.ts'
import { stored, zipOf } from './archive/sample-zip.ts'
import { inspectMail } from './inspection.ts'
import { crlf, HEAD } from './testing/sample.ts'
import { branching, slowKey } from './testing/sample-bombs.ts'
import { behindStub } from './testing/sample-wrappings.ts'
import { describe, type Verdict } from './verdict.ts'

const LARGE_TEXT = 'words that make the mail a large one\r\n'.repeat(2_500)
const MARK = MARKER.toString('latin1')

let walker: ArchiveWalker
before(async () => {
  walker = await openArchiveWalker({ threads: 1 })
})
after(() => walker[Symbol.asyncDispose]())

const encoded = (file: Buffer) => file.toString('base64').match(/.{1,76}/g)!
const attachment = (file: Buffer) => ['Content-Type: x/y', 'Content-Transfer-Encoding: base64', '', ...encoded(file)]
const enclosed = (mail: Buffer) => ['Content-Type: message/rfc822', '', mail.toString('latin1')]

function mailOf(...parts: string[][]): Buffer {
  const boundary = randomUUID()
  const body = [['Content-Type: text/plain', '', 'hello'], ...parts].flatMap((lines) => [`--${boundary}`, ...lines])
  const type = `Content-Type: multipart/mixed; boundary=${boundary}`
  return Buffer.from(crlf([...HEAD, type, '', ...body, `--${boundary}--`, '']), 'latin1')
}

interface Seen {
  verdict: string
  needsRawScan: boolean
  scanned: Buffer[]
}

/** An engine that finds the marker in plain sight only. */
async function inspect(mail: Buffer, cpuMs = defaultLimits.cpuMs): Promise<Seen> {
  const walk = walker.mail({ timeMs: 120_000, fileBytes: FILE_BYTES, cpuMs })
  const scanned: Buffer[] = []
  const scan = async (bytes: Buffer): Promise<Verdict> => {
    scanned.push(bytes)
    return bytes.includes(MARK) ? { kind: 'infected', signature: 'Mark' } : { kind: 'clean' }
  }
  const { verdict, needsRawScan } = await inspectMail(mail, {
    scan,
    unpack: (bytes) => walk.walk(bytes),
    takeApart: (bytes) => walk.takeApart(bytes),
  })
  return { verdict: describe(verdict), needsRawScan, scanned }
}

/** The same parts in a mail that is taken apart here, and in one that is taken apart in a thread. */
const sizes = (...parts: string[][]) => [
  mailOf(...parts),
  mailOf(['Content-Type: text/plain', '', LARGE_TEXT], ...parts),
]

const FILE_BYTES = 1024 * 1024
/** Longer than a file may become here. */
const bomb = gzipSync(Buffer.alloc(2 * FILE_BYTES))

const bombs: Record<string, () => Buffer> = {
  'archives of archives': () => branching(2),
  'two packings': () => bzip2({ name: 'x', bytes: bomb }),
  'a program with a bomb behind it': () => behindStub(zip({ name: 'x', bytes: bomb })),
  'a document with a bomb in it': () =>
    zipOf([stored(Buffer.from('<x/>'), { name: '[Content_Types].xml' }), stored(bomb, { name: 'x' })]),
  'a mail with a bomb in it, in an archive': () => zip({ name: 'x.eml', bytes: mailOf(attachment(bomb)) }),
}

test('what is given to clamd of a bomb it can not unpack once more', async () => {
  for (const [name, make] of Object.entries(bombs)) {
    const bomb = make()
    const line = encoded(bomb)[1]!
    for (const mail of [...sizes(attachment(bomb)), mailOf(enclosed(mailOf(attachment(bomb))))]) {
      const { verdict, needsRawScan, scanned } = await inspect(mail)
      assert.match(verdict, /^unscannable \((?:size|time)\)$/, name)
      assert.equal(needsRawScan, false, name)
      assert.ok(scanned.length > 0)
      const unpackable = scanned.filter((bytes) => holdsPacked(bytes) || bytes.includes(line))
      assert.equal(unpackable.length, 0, name)
    }
  }
})

test('a mail without a bomb is given to clamd as it is', async () => {
  for (const mail of sizes(attachment(zip({ name: 'x', bytes: Buffer.from('harmless') })))) {
    const { verdict, needsRawScan } = await inspect(mail)
    assert.deepEqual([verdict, needsRawScan], ['clean', true])
  }
})

const hidden: Record<string, () => string[]> = {
  'a file': () => attachment(MARKER),
  text: () => ['Content-Type: text/plain', '', MARK],
  'an archive': () => attachment(zip(markerFile)),
  'an archive that clamd can not open': () => attachment(rar5([{ name: 'x.zip', bytes: zip(markerFile) }])),
  'a mail': () => enclosed(mailOf(attachment(MARKER))),
}

test('a virus beside a bomb is found, wherever it stands', async () => {
  for (const [name, part] of Object.entries(hidden))
    for (const parts of [
      [attachment(bomb), part()],
      [part(), attachment(bomb)],
    ])
      for (const mail of sizes(...parts)) assert.equal((await inspect(mail)).verdict, 'infected (Mark)', name)
})

test('a virus behind what takes all the time of its thread is found', async () => {
  for (const mail of sizes(attachment(slowKey()), hidden['an archive that clamd can not open']!()))
    assert.equal((await inspect(mail, 2 * defaultLimits.cpuMs)).verdict, 'infected (Mark)')
})

test('what nobody has time for is not given to clamd either', async () => {
  const slow = Array.from({ length: 4 }, (_, i) => attachment(Buffer.concat([slowKey(), Buffer.from(`${i}`)])))
  const [, large] = sizes(...slow, attachment(bomb))
  const { verdict, needsRawScan, scanned } = await inspect(large!)
  assert.deepEqual([verdict, needsRawScan], ['unscannable (time)', false])
  assert.ok(scanned.length > 4 && !scanned.some(holdsPacked))
})

test('a virus in the program that a bomb is appended to is found, and one in the first files of a bomb', async () => {
  const program = Buffer.concat([Buffer.from('MZ'), MARKER, bomb])
  const first = zipOf([stored(MARKER, { name: 'a' }), stored(bomb, { name: 'b' })])
  for (const file of [program, first])
    for (const mail of sizes(attachment(file))) assert.equal((await inspect(mail)).verdict, 'infected (Mark)')
})
