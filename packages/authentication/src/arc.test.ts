// ARC chains of mail that others forwarded (RFC 8617): what verifies, and what is not allowed to.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createSeal } from 'mailauth/lib/arc/index.js'
import { checkSignatures } from './signatures.ts'
import { zoneResolver } from './testing/zone.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const zone = zoneResolver({ 'k._domainkey.list.test': { TXT: [record] } })
const MAIL = 'From: Anna <anna@sender.test>\r\nTo: staff@list.test\r\nSubject: x\r\n\r\nbody\r\n'

const status = async (mail: string) =>
  (await checkSignatures(Buffer.from(mail), { receivedAt: new Date(), clientAddress: '192.0.2.1' }, zone)).arc

async function sealed(mail: string, cv: 'none' | 'pass' | 'fail'): Promise<string> {
  const seal = { signingDomain: 'list.test', selector: 'k', privateKey, cv, authResults: 'list.test; dkim=pass' }
  const { headers } = await createSeal(Buffer.from(mail), { strict: true, seal } as never)
  return `${headers.join('\r\n')}\r\n${mail}`
}

test('a mail without a chain has none, one that was sealed once or twice passes', async () => {
  assert.equal((await status(MAIL)).result, 'none')
  const once = await sealed(MAIL, 'none')
  assert.deepEqual([(await status(once)).result, (await status(once)).sets], ['pass', 1])
  const twice = await status(await sealed(once, 'pass'))
  assert.deepEqual([twice.result, twice.sets], ['pass', 2])
  assert.match(twice.line, /^arc=pass .*smtp\.remote-ip=192\.0\.2\.1$/)
})

test('a changed body, a changed set, a missing one, and a chain that says that it is broken fail', async () => {
  const twice = await sealed(await sealed(MAIL, 'none'), 'pass')
  for (const [from, to] of [
    ['\r\nbody', '\r\nother'],
    ['Subject: x', 'Subject: y'],
    ['ARC-Authentication-Results: i=1; list.test; dkim=pass', 'ARC-Authentication-Results: i=1; list.test; dkim=fail'],
    ['ARC-Authentication-Results: i=1;', 'X-Lost: i=1;'],
    ['ARC-Authentication-Results: i=1;', 'ARC-Authentication-Results: i=3;'],
    ['cv=none', 'cv=pass'],
  ] as const) {
    assert.ok(twice.includes(from), from)
    assert.equal((await status(twice.replace(from, to))).result, 'fail', to)
  }
  assert.equal((await status(await sealed(await sealed(MAIL, 'none'), 'fail'))).result, 'fail')
})

test('a chain of more sets than are allowed fails, however many it bears', async () => {
  const set = (i: number) =>
    `ARC-Seal: i=${i}; a=rsa-sha256; cv=${i === 1 ? 'none' : 'pass'}; d=list.test; s=k; b=eA==\r\n` +
    `ARC-Message-Signature: i=${i}; a=rsa-sha256; d=list.test; s=k; h=from; bh=eA==; b=eA==\r\n` +
    `ARC-Authentication-Results: i=${i}; list.test; none\r\n`
  const chain = Array.from({ length: 51 }, (_, index) => set(index + 1)).join('')
  assert.equal((await status(chain + MAIL)).result, 'fail')
})
