import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from './archive/finding.ts'
import { type InspectionPorts, inspectMail } from './inspection.ts'
import { PartsLeft } from './parts-left.ts'
import { piecesOfMail } from './pieces.ts'
import { evasions } from './testing/evasions.ts'
import type { Verdict } from './verdict.ts'

const MARK = 'MARK of what must be found'

interface Scans {
  ports: InspectionPorts
  scanned: Buffer[]
}

/** An engine that finds the mark in plain sight only. */
function ports(unpacked: (bytes: Buffer) => Finding[] = () => []): Scans {
  const scanned: Buffer[] = []
  return {
    scanned,
    ports: {
      scan: async (bytes): Promise<Verdict> => {
        scanned.push(bytes)
        return bytes.includes(MARK) ? { kind: 'infected', signature: 'Mark' } : { kind: 'clean' }
      },
      async *unpack(bytes) {
        yield* unpacked(bytes)
      },
      async *takeApart(bytes) {
        const left = new PartsLeft()
        for (const piece of piecesOfMail(bytes, { isScannedRaw: true })) {
          if (piece.kind === 'unscannable') yield { ...obstacle, reason: piece.reason, isOfMail: true }
          else if (piece.kind === 'scan') yield { ...leaf(''), bytes: piece.bytes }
          else if (piece.kind === 'odd') left.isOdd = true
          else {
            yield* unpacked(piece.bytes)
            for (const part of left.take(piece, false)) yield { ...leaf(''), bytes: part }
          }
        }
        for (const part of left.rest()) yield { ...leaf(''), bytes: part }
      },
    },
  }
}

const inspect = async (mail: Buffer, used: InspectionPorts) => (await inspectMail(mail, used)).verdict
const mail = (type: string, body: string) =>
  Buffer.from(`From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n\r\n${body}`)
const leaf = (text: string): Finding => ({ kind: 'leaf', bytes: Buffer.from(text), depth: 1, path: 'x' })
const obstacle: Finding = { kind: 'unscannable', reason: 'encrypted', path: 'x', detail: '' }

test('an ordinary text mail costs no scan besides that of the raw mail', async () => {
  const { ports: used, scanned } = ports()
  assert.deepEqual(await inspect(mail('text/plain; charset=us-ascii', 'hello'), used), { kind: 'clean' })
  assert.equal(scanned.length, 0)
})

test('nor do letters of plain words, a page beside its text, and a picture', async () => {
  const { ports: used, scanned } = ports()
  const words = 'dear friend here are some words and nothing else\r\n'.repeat(40)
  const page = '<html><head><title>x</title></head><body><p style=3D"color:red">hello <b>you</b></p></body></html>'
  const picture = Buffer.from(Uint8Array.from({ length: 3_000 }, (_, i) => (i * 37) & 0xff)).toString('base64')
  const letter = [
    ...['--b', 'Content-Type: text/plain; charset=utf-8', '', words],
    ...['--b', 'Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '', page],
    ...['--b', 'Content-Type: image/png', 'Content-Transfer-Encoding: base64', '', picture, '--b--', ''],
  ].join('\r\n')
  for (const one of [mail('text/plain', words), mail('multipart/mixed; boundary="b"', letter)])
    assert.deepEqual(await inspect(one, used), { kind: 'clean' })
  assert.equal(scanned.length, 0)
})

test('what hides behind broken MIME is scanned in plain sight, or is for clamd to see in the raw mail', async () => {
  const missed: string[] = []
  for (const { name, mail } of evasions(MARK)) {
    const verdict = await inspect(mail, ports().ports)
    if (verdict.kind !== 'infected' && !isOrdinary(mail)) missed.push(name)
  }
  assert.deepEqual(missed, [], 'neither plain nor scanned')
})

/** Written by the rules: one encoding, base64 or quoted-printable, one boundary; clamd decodes it as anybody does. */
function isOrdinary(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return (
    /^content-transfer-encoding:\s*(?:base64|quoted-printable)\r?$/im.test(text) &&
    (text.match(/^content-transfer-encoding/gim) ?? []).length === 1
  )
}

test('S1-15 scripts and calls of a page are scanned each by itself', async () => {
  const { ports: used, scanned } = ports()
  const encoded = 'MARK of what must b&#101; found'
  const verdict = await inspect(mail('text/html', `<p onclick="${encoded}">x</p><script>run()</script>`), used)
  assert.equal(verdict.kind, 'infected')
  assert.deepEqual(scanned.map(String), [MARK])
})

test('a file inside an archive decides, and infected outweighs what could not be looked into', async () => {
  const inside = (findings: Finding[]) => inspect(mail('application/zip', 'PK'), ports(() => findings).ports)
  assert.deepEqual(await inside([leaf('harmless'), obstacle]), { kind: 'unscannable', reason: 'encrypted' })
  assert.deepEqual(await inside([obstacle, leaf(MARK)]), { kind: 'infected', signature: 'Mark' })
  assert.deepEqual(await inside([leaf('harmless')]), { kind: 'clean' })
})

test('a mail with more parts than can be looked at is unscannable, never clean', async () => {
  const many = `--a\r\n\r\nx\r\n`.repeat(5_000)
  assert.deepEqual(await inspect(mail('multipart/mixed; boundary=a', `${many}--a--`), ports().ports), {
    kind: 'unscannable',
    reason: 'size',
  })
})
