// DKIM signatures (RFC 6376, 8301, 8463): which of them vouch for a mail, and which only seem to.
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { checkSignatures } from './signatures.ts'
import { type SignatureTags, signMailWith } from './testing/signed-mail.ts'
import { type Zone, zoneResolver } from './testing/zone.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1008 })
const ed = generateKeyPairSync('ed25519')
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).toString('base64')
const raw = (key: KeyObject) => Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url').toString('base64')
const RSA_RECORD = `v=DKIM1; k=rsa; p=${spki(rsa.publicKey)}`

const MAIL = {
  fields: ['From: Anna <anna@sender.test>', 'To: bob@example.test', 'Subject: pay 100', 'Date: x'],
  body: 'pay 100\r\n',
}
const TAGS: SignatureTags = { a: 'rsa-sha256', d: 'sender.test', s: 'k', h: 'From:To:Subject:Date' }
const NOW = new Date('2026-11-22T12:00:00Z')
const at = (offsetSeconds: number) => String(NOW.getTime() / 1000 + offsetSeconds)

async function check(mail: string, record: string | string[] | Zone = RSA_RECORD) {
  const zone =
    typeof record === 'object' && !Array.isArray(record) ? record : { 'k._domainkey.sender.test': { TXT: [record] } }
  const { dkim } = await checkSignatures(Buffer.from(mail), { receivedAt: NOW }, zoneResolver(zone))
  return dkim
}
const signedWith = (changes: Partial<SignatureTags> = {}, key = rsa.privateKey, mail = MAIL) =>
  signMailWith(mail, key, { ...TAGS, ...changes } as SignatureTags)
const resultOf = async (...facts: Parameters<typeof check>) => (await check(...facts)).map(({ result }) => result)

test('signatures with RSA and with Ed25519 pass, each by itself', async () => {
  const zone = {
    'k._domainkey.sender.test': { TXT: [RSA_RECORD] },
    'e._domainkey.sender.test': { TXT: [`v=DKIM1; k=ed25519; p=${raw(ed.publicKey)}`] },
  }
  const second = signedWith({ a: 'ed25519-sha256', s: 'e' }, ed.privateKey)
  const both = `${second.slice(0, second.indexOf('\r\nFrom:'))}\r\n${signedWith()}`
  const found = await check(both, zone)
  assert.deepEqual(
    found.map(({ result, domain, selector }) => [result, domain, selector]),
    [
      ['pass', 'sender.test', 'e'],
      ['pass', 'sender.test', 'k'],
    ],
  )
  assert.match(found[0]!.line, /^dkim=pass header\.d=sender\.test .*header\.a=ed25519-sha256/)
  // A broken one beside a good one takes nothing from it.
  assert.deepEqual(await resultOf(both, { ...zone, 'e._domainkey.sender.test': { TXT: [RSA_RECORD] } }), [
    'neutral',
    'pass',
  ])
})

test('rsa-sha1 and keys of less than 1024 bits never pass (RFC 8301)', async () => {
  assert.deepEqual(await resultOf(signedWith({ a: 'rsa-sha1' })), ['policy'])
  const record = `v=DKIM1; k=rsa; p=${spki(weak.publicKey)}`
  assert.deepEqual(await resultOf(signedWith({}, weak.privateKey), record), ['policy'])
})

test('a signature that leaves a part of the body unsigned is not relied on', async () => {
  const whole = signedWith({ l: '9' })
  assert.deepEqual(await resultOf(whole), ['pass'])
  const [added] = await check(`${whole}pay 900\r\n`)
  assert.equal(added!.result, 'policy')
  assert.match(added!.line, /^dkim=policy .*policy\.dkim-rules=unsigned-body/)
  assert.deepEqual(await resultOf(signedWith({ l: '0' })), ['policy'])
  for (const l of ['-1', '1x', '', '9'.repeat(77)]) assert.notDeepEqual(await resultOf(signedWith({ l })), ['pass'], l)
})

test('a signature is good until it expires, by the clock of its receipt', async () => {
  assert.deepEqual(await resultOf(signedWith({ t: at(-10), x: at(5) })), ['pass'])
  assert.deepEqual(await resultOf(signedWith({ t: at(-10), x: at(-5) })), ['neutral'])
  assert.deepEqual(await resultOf(signedWith({ t: at(-10), x: at(-20) })), ['neutral'])
})

test('the flags of a key: testing does no harm, and s binds the identity to the domain', async () => {
  const testing = `v=DKIM1; k=rsa; t=y; p=${spki(rsa.publicKey)}`
  assert.deepEqual(await resultOf(signedWith(), testing), ['pass'])
  const broken = signedWith().replace('Subject: pay', 'Subject: Pay')
  assert.deepEqual(await resultOf(broken, testing), ['neutral'])
  assert.deepEqual(await resultOf(broken), ['fail'])
  const bound = `v=DKIM1; k=rsa; t=s; p=${spki(rsa.publicKey)}`
  assert.deepEqual(await resultOf(signedWith({ i: '@sender.test' }), bound), ['pass'])
  assert.deepEqual(await resultOf(signedWith({ i: '@sub.sender.test' })), ['pass'])
  assert.deepEqual(await resultOf(signedWith({ i: '@sub.sender.test' }), bound), ['neutral'])
})

test('a key that is revoked, not there, of another kind or not for mail verifies nothing', async () => {
  const p = spki(rsa.publicKey)
  for (const record of [
    'v=DKIM1; k=rsa; p=',
    `v=DKIM2; k=rsa; p=${p}`,
    `v=DKIM1; k=ed25519; p=${p}`,
    `v=DKIM1; k=rsa; h=sha1; p=${p}`,
    `v=DKIM1; k=rsa; s=web; p=${p}`,
    `v=DKIM1; k=rsa; p=${p.slice(0, 100)}`,
    `k=rsa; v=DKIM1; p=${p}`,
    `v=DKIM1; k=rsa; p=${spki(weak.publicKey)}`,
    'v=spf1 -all',
  ])
    assert.notDeepEqual(await resultOf(signedWith(), record), ['pass'], record)
  assert.deepEqual(await resultOf(signedWith(), {}), ['neutral'])
  assert.deepEqual(await resultOf(signedWith(), { 'k._domainkey.sender.test': { TXT: 'SERVFAIL' } }), ['temperror'])
  assert.deepEqual(await resultOf(signedWith(), [RSA_RECORD.slice(0, 200), RSA_RECORD.slice(200)]), ['pass'])
})

test('a signature that does not cover From, or is not written as it must be, is no signature', async () => {
  assert.notDeepEqual(await resultOf(signedWith({ h: 'To:Subject' })), ['pass'])
  for (const changes of [
    { v: '2' },
    { d: 'sender.test:x' },
    { i: '@other.test' },
    { c: 'other/relaxed' },
    { q: 'http/get' },
    { a: 'rsa-sha256x' },
    { d: 'test' },
    { h: 'From:To; h=From' },
  ])
    assert.notDeepEqual(await resultOf(signedWith(changes)), ['pass'], JSON.stringify(changes))
})

test('a mail without a signature has one result that says so', async () => {
  const found = await check(`${MAIL.fields.join('\r\n')}\r\n\r\n${MAIL.body}`)
  assert.deepEqual(found, [{ result: 'none', line: 'dkim=none (message not signed)' }])
})

/** What somebody on the way may change, each of it in a mail that was good before. */
const MUTATIONS: [what: string, change: (mail: string) => string][] = [
  ['a letter of the body', (mail) => mail.replace(/pay 100\r\n$/, 'pay 900\r\n')],
  ['a letter more', (mail) => mail.replace(/\r\n$/, '.\r\n')],
  ['a line more', (mail) => `${mail}x\r\n`],
  ['a body gone', (mail) => mail.slice(0, mail.indexOf('\r\n\r\n') + 4)],
  ['a space within the body gone', (mail) => mail.replace(/pay 100\r\n$/, 'pay100\r\n')],
  ['a line break within the body', (mail) => mail.replace(/pay 100\r\n$/, 'pay\r\n100\r\n')],
  ['a letter case of the body', (mail) => mail.replace(/pay 100\r\n$/, 'Pay 100\r\n')],
  ['an empty line before the body', (mail) => mail.replace('\r\n\r\npay', '\r\n\r\n\r\npay')],
  ['From', (mail) => mail.replace('anna@sender', 'eve@sender')],
  ['the display name', (mail) => mail.replace('Anna', 'Bank')],
  ['To', (mail) => mail.replace('To: bob', 'To: carol')],
  ['Subject', (mail) => mail.replace('Subject: pay 100', 'Subject: pay 900')],
  ['the case of Subject', (mail) => mail.replace('Subject: pay', 'Subject: PAY')],
  ['Date', (mail) => mail.replace('Date: x', 'Date: y')],
  ['Date gone', (mail) => mail.replace('Date: x\r\n', '')],
  ['To gone', (mail) => mail.replace('To: bob@example.test\r\n', '')],
  ['From gone', (mail) => mail.replace('From: Anna <anna@sender.test>\r\n', '')],
  ['a second Subject below', (mail) => mail.replace('Date: x', 'Subject: y\r\nDate: x')],
  ['a second From below', (mail) => mail.replace('Date: x', 'From: eve@evil.test\r\nDate: x')],
  [
    'a second From above, which was signed as absent',
    (mail) => mail.replace('From: Anna', 'From: e@x.test\r\nFrom: Anna'),
  ],
  ['a second Subject above, which was signed as absent', (mail) => mail.replace('Subject:', 'Subject: y\r\nSubject:')],
  ['d=', (mail) => mail.replace('d=sender.test', 'd=other.test')],
  ['s=', (mail) => mail.replace('s=k;', 's=l;')],
  ['a field left out of h=', (mail) => mail.replace(':Date', '')],
  ['a field added to h=', (mail) => mail.replace(':Date', ':Date:To')],
  ['the order of h=', (mail) => mail.replace('To:Subject:Subject', 'Subject:To:Subject')],
  ['c=', (mail) => mail.replace('c=relaxed/relaxed', 'c=simple/relaxed')],
  ['bh= of another body', (mail) => mail.replace(/bh=./, 'bh=/')],
  ['t= added', (mail) => mail.replace('v=1;', `v=1; t=${at(-60)};`)],
  ['x= pushed out', (mail) => mail.replace(/x=\d+/, `x=${at(9_999)}`)],
  ['l= added', (mail) => mail.replace('v=1;', 'v=1; l=3;')],
  ['i= added', (mail) => mail.replace('v=1;', 'v=1; i=ceo@sender.test;')],
  ['the first letter of b=', (mail) => mail.replace(/; b=(.)/, (_, letter) => `; b=${letter === 'A' ? 'B' : 'A'}`)],
  ['b= cut off', (mail) => mail.replace(/; b=.{40}/, '; b=')],
  ['b= empty', (mail) => mail.replace(/; b=[^\r]*/, '; b=')],
]

test('each of more than thirty changes to a signed mail makes its signature fail', async () => {
  const good = signedWith({ h: 'From:From:To:Subject:Subject:Date', x: at(60) })
  assert.deepEqual(await resultOf(good), ['pass'])
  assert.ok(MUTATIONS.length >= 30)
  for (const [what, change] of MUTATIONS) {
    const changed = change(good)
    assert.notEqual(changed, good, what)
    const results = await resultOf(changed)
    assert.ok(!results.includes('pass'), `${what}: ${results}`)
  }
})

test('what relaxed canonicalization lets pass, passes', async () => {
  const good = signedWith({ h: 'From:To:Subject:Date' })
  for (const change of [
    good.replace('Subject: pay 100', 'SUBJECT:  pay   100 '),
    good.replace('Subject: pay 100', 'Subject: pay\r\n 100'),
    good.replace(/pay 100\r\n$/, 'pay   100  \r\n\r\n\r\n'),
    `X-Added: on the way\r\n${good}`,
  ])
    assert.deepEqual(await resultOf(change), ['pass'], change)
})
