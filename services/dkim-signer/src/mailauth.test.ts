// Signatures that others can verify: with both algorithms, for inline and stored content, and not after a change.
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { Content, OpenContent } from '@sekimori/mail/content'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { SigningKey } from '@sekimori/store/dkim-key'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { signatureLines } from './mailauth.ts'
import { OVERSIGNED_FIELDS } from './signed-fields.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ed = generateKeyPairSync('ed25519')
const KEYS: SigningKey[] = [
  { selector: 'rsa1', algorithm: 'rsa-sha256', privateKey: rsa.privateKey },
  { selector: 'ed1', algorithm: 'ed25519-sha256', privateKey: ed.privateKey },
]
const der = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
const RECORDS: Record<string, string> = {
  'rsa1._domainkey.example.test': `v=DKIM1; k=rsa; p=${der(rsa.publicKey).toString('base64')}`,
  'ed1._domainkey.example.test': `v=DKIM1; k=ed25519; p=${der(ed.publicKey).subarray(-32).toString('base64')}`,
}
const resolver = async (name: string) => {
  if (RECORDS[name] === undefined) throw Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' })
  return [[RECORDS[name]]]
}

const MAIL =
  'From: =?UTF-8?B?44Ki44Oq44K5?= <alice@example.test>\r\nTo: bob@elsewhere.test\r\nSubject: folded\r\n\tsubject\r\n' +
  'Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\nline one \r\n\r\n\xe9\x00 8-bit\r\n\r\n\r\n'
const BYTES = Buffer.from(MAIL, 'latin1')

const inPieces: OpenContent = async function* () {
  for (let at = 0; at < BYTES.length; at += 7) yield BYTES.subarray(at, at + 7)
}
const inline: Content = { kind: 'inline', bytes: BYTES }
const stored: Content = { kind: 'stored', id: 'x', sizeBytes: BYTES.length }

async function resultsOf(lines: string[], mail: Buffer): Promise<string[]> {
  const message = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n`), mail])
  const { results } = await dkimVerify(message, { resolver } as never)
  return results.map(({ selector, status }) => `${selector} ${status.result}`).sort()
}

test('both signatures verify, whether the content travels along or is stored', async () => {
  for (const content of [inline, stored]) {
    const lines = await signatureLines(content, 'example.test', KEYS, inPieces)
    assert.equal(lines.length, 2)
    assert.deepEqual(await resultsOf(lines, BYTES), ['ed1 pass', 'rsa1 pass'])
  }
})

test('each line is one folded field, covers the whole body, and names the domain', async () => {
  for (const line of await signatureLines(inline, 'example.test', KEYS, inPieces)) {
    assert.match(line, /^DKIM-Signature: /)
    assert.ok(!/\r\n(?![\t ])|\r\n$/.test(line))
    assert.match(line, /d=example\.test/)
    assert.match(line, /c=relaxed\/relaxed/)
    assert.ok(!/[;\s]l=/.test(line))
    for (const signed of ['From', 'Subject', 'To', 'Date', 'Message-ID'])
      assert.match(line, new RegExp(`[:=\\s]${signed}[:;\\s]`, 'i'))
  }
})

test('a changed body, subject or sender, and a key that is not published, fail', async () => {
  const lines = await signatureLines(inline, 'example.test', KEYS, inPieces)
  for (const [from, to] of [
    ['line one', 'line two'],
    ['Subject: folded', 'Subject: other'],
    ['alice@example.test', 'mallory@example.test'],
  ] as const) {
    const changed = Buffer.from(MAIL.replace(from, to), 'latin1')
    assert.ok(!(await resultsOf(lines, changed)).some((result) => result.endsWith('pass')), from)
  }
  const foreign = await signatureLines(inline, 'unpublished.test', KEYS, inPieces)
  assert.ok(!(await resultsOf(foreign, BYTES)).some((result) => result.endsWith('pass')))
})

test('a second field of the same name, and one of an identity that was not there, fail', async () => {
  const lines = await signatureLines(inline, 'example.test', KEYS, inPieces)
  for (const name of OVERSIGNED_FIELDS) {
    const results = await resultsOf([`${name}: added`, ...lines], BYTES)
    assert.ok(!results.some((result) => result.endsWith('pass')), name)
  }
})

test('fields that relays add do no harm', async () => {
  const lines = await signatureLines(inline, 'example.test', KEYS, inPieces)
  const added = ['Received: from x by y', 'Return-Path: <a@b.test>', 'List-Id: <l.test>', 'X-Any: thing']
  assert.deepEqual(await resultsOf([...added, ...lines], BYTES), ['ed1 pass', 'rsa1 pass'])
})

test('a key that can not sign is an error, not a mail without its signature', async () => {
  const wrong: SigningKey = { selector: 'ed2', algorithm: 'rsa-sha256', privateKey: ed.privateKey }
  await assert.rejects(
    signatureLines(inline, 'example.test', [KEYS[0]!, wrong], inPieces),
    /signing for example\.test failed/,
  )
})

test('content that can not be read to its end is an error, and not waited for', async () => {
  const broken: OpenContent = async function* () {
    yield BYTES.subarray(0, 100)
    throw new DependencyAway('postgres')
  }
  await assert.rejects(signatureLines(stored, 'example.test', KEYS, broken), DependencyAway)
})
