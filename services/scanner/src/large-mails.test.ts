// Large mail of hostile shapes: it ends in a verdict, within bounds, and others do not wait for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openArchiveWalker } from './archive/archive-walker.ts'
import type { ArchiveLimits } from './archive/finding.ts'
import { inspectMail } from './inspection.ts'
import { describe, type Verdict } from './verdict.ts'

const MEGABYTE = 1_000_000
const HEAD = 'From: a@b.example\r\nMIME-Version: 1.0\r\n'
const MULTIPART = `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n`

const filled = (head: string, text: string, sizeBytes = 2 * MEGABYTE) =>
  Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(sizeBytes, text, 'latin1')])
const nest = (type: (level: number) => string, levels: number) =>
  HEAD + Array.from({ length: levels }, (_, level) => type(level)).join('')
const multiparts = (level: number) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`
const mails = () => 'Content-Type: message/rfc822\r\n\r\n'

const shapes: Record<string, () => Buffer> = {
  'very many parts': () => filled(MULTIPART, '--b\r\n\r\nx\r\n'),
  'very many parts of no kind that is known': () => filled(MULTIPART.replace('mixed', 'x'), '--b\r\n\r\nx\r\n'),
  'very many fields': () => filled(HEAD, 'A: b\r\n'),
  'very many Content-Types': () => filled(HEAD, 'Content-Type: multipart/mixed; boundary=x\r\n'),
  'very many lines that are no fields': () => filled(HEAD, 'x y\r\n', MEGABYTE),
  'lines of spaces': () => filled(HEAD, ' \r\n', MEGABYTE),
  'bare CR': () => filled(HEAD, '\r'),
  'multiparts 20,000 deep': () => Buffer.from(nest(multiparts, 20_000)),
  'multiparts 28 deep': () => filled(`${nest(multiparts, 28)}\r\n`, 'hello\r\n'),
  'mails 28 deep': () => filled(`${nest(mails, 28)}\r\n`, 'hello\r\n'),
  'lines like delimiters': () => filled(MULTIPART, '--bx\r\n'),
  'delimiters that nobody names': () => filled(MULTIPART, '--c\r\nContent-Type: x\r\n\r\n'),
  'files that begin and never end': () => filled(`${HEAD}\r\n`, 'begin 644 x\r\n'),
  'equals signs': () => filled(`${HEAD}Content-Transfer-Encoding: quoted-printable\r\n\r\n`, '='),
  'a page of handlers': () => filled(`${HEAD}Content-Type: text/html\r\n\r\n`, '<p onclick="x()">'),
  'a page of open tags': () => filled(`${HEAD}Content-Type: text/html\r\n\r\n`, '<a '),
  'a page of comments': () => filled(`${HEAD}Content-Type: text/html\r\n\r\n`, '<!--[if x]>'),
}

const scan = async (): Promise<Verdict> => ({ kind: 'clean' })

async function verdictOn(
  mail: Buffer,
  walker: Awaited<ReturnType<typeof openArchiveWalker>>,
  limits: Partial<ArchiveLimits> = {},
): Promise<string> {
  const walk = walker.mail({ timeMs: 120_000, ...limits })
  const { verdict } = await inspectMail(mail, {
    scan,
    unpack: (bytes) => walk.walk(bytes),
    takeApart: (bytes) => walk.takeApart(bytes),
  })
  return describe(verdict)
}

test('a large mail of any shape ends in a verdict, and takes what its limits allow', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  for (const [name, make] of Object.entries(shapes))
    assert.match(await verdictOn(make(), walker), /^(?:clean|unscannable \((?:size|depth|time)\))$/, name)
})

test('an honest mail of 50 MB is read to its end', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  const line = Buffer.from(Uint8Array.from({ length: 57 }, (_, i) => (i * 37) & 0xff)).toString('base64')
  const head = `${MULTIPART}--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n`
  const text = filled(head, `${line}\r\n`, 78 * 640_000)
  assert.equal(await verdictOn(Buffer.concat([text, Buffer.from('--b--\r\n')]), walker), 'clean')
})

test('other mail does not wait for a large one of a hostile shape', async () => {
  await using walker = await openArchiveWalker({ threads: 1 })
  const isDone = { large: false }
  const large = verdictOn(filled(MULTIPART.replace('mixed', 'x'), '--bx\r\n', 6 * MEGABYTE), walker, { cpuMs: 4_000 })
  const ending = large.finally(() => {
    isDone.large = true
  })
  for (let count = 0; count < 5; count++) {
    const part = `--b\r\nContent-Type: application/zip\r\n\r\n${`PK\x03\x04${'\0'.repeat(26)}`}\r\n--b--\r\n`
    await verdictOn(Buffer.from(MULTIPART + part, 'latin1'), walker)
  }
  assert.equal(isDone.large, false)
  await ending
})
