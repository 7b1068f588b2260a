// SPF, DKIM and DMARC of mail from outside: the results are recorded in a header, and nothing is refused for them.
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { signMail } from '@sekimori/testing/dkim-check'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { HOSTNAME } from '@sekimori/testing/stack-settings'

const HERE = 'v=spf1 ip4:127.0.0.1 -all'
const ELSEWHERE = 'v=spf1 ip4:192.0.2.1 -all'
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})

/** A sender's domain with these records. */
function createSender(stack: Stack, records: { spf?: string; dmarc?: string }): string {
  const domain = `s-${randomUUID().slice(0, 13)}.test`
  stack.dns.set(`k1._domainkey.${domain}`, 'TXT', [`v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`])
  if (records.spf !== undefined) stack.dns.set(domain, 'TXT', [records.spf])
  if (records.dmarc !== undefined) stack.dns.set(`_dmarc.${domain}`, 'TXT', [records.dmarc])
  return domain
}

/** Sends the mail from 127.0.0.1 and resolves to it as delivered. */
async function deliver(stack: Stack, mailFrom: string, message: (to: string) => Buffer | Promise<Buffer>) {
  const bob = await stack.createMailbox()
  await stack.sendAsStranger(mailFrom, [bob.address], await message(bob.address))
  return (await stack.received(bob))[0]!
}

/** The results that our Authentication-Results field records, as method=result. */
function resultsIn(mail: Buffer): string[] {
  const ours = fieldsOf(mail, 'Authentication-Results').filter((value) => value.startsWith(`${HOSTNAME};`))
  assert.equal(ours.length, 1)
  return [...ours[0]!.matchAll(/(?:;\s*)(\w+=\w+)/g)].map((match) => match[1]!).sort()
}

test('S2-06 S2-10 S2-11 S2-12 an honest mail passes SPF, DKIM and DMARC', async () => {
  const stack = await sharedStack()
  const domain = createSender(stack, { spf: HERE, dmarc: 'v=DMARC1; p=reject' })
  const from = `anna@${domain}`
  const mail = await deliver(stack, from, (to) => signMail(composeMail({ from, to }), 'k1', domain, privateKey))
  assert.deepEqual(resultsIn(mail), ['dkim=pass', 'dmarc=pass', 'spf=pass'])
  assert.match(
    fieldOf(mail, 'Authentication-Results'),
    new RegExp(`header\\.(?:d|i)=@?${domain.replaceAll('.', '\\.')}`),
  )
  assert.match(fieldOf(mail, 'Received-SPF'), /^pass /i)
})

test('S2-06 SPF of a server that the domain does not name fails, and the mail is delivered', async () => {
  const stack = await sharedStack()
  const domain = createSender(stack, { spf: ELSEWHERE })
  const from = `anna@${domain}`
  const mail = await deliver(stack, from, (to) => composeMail({ from, to }))
  assert.deepEqual(resultsIn(mail), ['dkim=none', 'dmarc=none', 'spf=fail'])
  assert.match(fieldOf(mail, 'Received-SPF'), /^fail /i)
})

test('S2-06 the weaker results of SPF are recorded as such', async () => {
  const stack = await sharedStack()
  for (const [spf, result] of [
    ['v=spf1 ~all', 'softfail'],
    ['v=spf1 ?all', 'neutral'],
    ['v=spf1 bogus:x -all', 'permerror'],
  ]) {
    const domain = createSender(stack, { spf: spf! })
    const mail = await deliver(stack, `anna@${domain}`, (to) => composeMail({ from: `anna@${domain}`, to }))
    assert.ok(resultsIn(mail).includes(`spf=${result}`), `${spf}: ${resultsIn(mail).join(' ')}`)
  }
  const without = createSender(stack, {})
  const mail = await deliver(stack, `anna@${without}`, (to) => composeMail({ from: `anna@${without}`, to }))
  assert.ok(resultsIn(mail).includes('spf=none'))
})

test('S2-06 the null reverse-path is judged by the EHLO name', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const domain = createSender(stack, { spf: HERE })
  await using smtp = await stack.dialMx(domain)
  await smtp.send(
    { mailFrom: '', recipients: [bob.address] },
    composeMail({ from: `daemon@${domain}`, to: bob.address }),
  )
  assert.ok(resultsIn((await stack.received(bob))[0]!).includes('spf=pass'))
})

test('S2-10 S2-13 a mail changed after it was signed fails DKIM and DMARC, and is delivered all the same', async () => {
  const stack = await sharedStack()
  const domain = createSender(stack, { spf: ELSEWHERE, dmarc: 'v=DMARC1; p=reject' })
  const from = `anna@${domain}`
  const mail = await deliver(stack, from, async (to) => {
    const signed = await signMail(composeMail({ from, to, body: 'pay 100\r\n' }), 'k1', domain, privateKey)
    return Buffer.from(signed.toString('latin1').replace('pay 100', 'pay 900'), 'latin1')
  })
  assert.deepEqual(resultsIn(mail), ['dkim=fail', 'dmarc=fail', 'spf=fail'])
})

test('S2-11 S2-12 S2-13 a forged From fails DMARC though the forger passes SPF and DKIM for a domain of his own', async () => {
  const stack = await sharedStack()
  const bank = createSender(stack, { spf: ELSEWHERE, dmarc: 'v=DMARC1; p=reject' })
  const forger = createSender(stack, { spf: HERE })
  const mail = await deliver(stack, `x@${forger}`, (to) => {
    return signMail(composeMail({ from: `service@${bank}`, to }), 'k1', forger, privateKey)
  })
  assert.deepEqual(resultsIn(mail), ['dkim=pass', 'dmarc=fail', 'spf=pass'])
  assert.match(fieldOf(mail, 'Authentication-Results'), new RegExp(`header\\.from=${bank.replaceAll('.', '\\.')}`))
})

test('S2-10 a key that can not be asked for now is a temperror, not a fail', async () => {
  const stack = await sharedStack()
  const domain = createSender(stack, { spf: HERE })
  stack.dns.fail(`k1._domainkey.${domain}`, 'SERVFAIL')
  const from = `anna@${domain}`
  const mail = await deliver(stack, from, (to) => signMail(composeMail({ from, to }), 'k1', domain, privateKey))
  assert.ok(resultsIn(mail).includes('dkim=temperror'), resultsIn(mail).join(' '))
})

test('mail between local accounts is recorded as sent by who logged in, and judged by no SPF', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address }))
  const [mail] = await stack.received(bob)
  assert.deepEqual(resultsIn(mail!), ['auth=pass', 'dkim=pass', 'dkim=pass', 'dmarc=pass'])
  assert.ok(fieldOf(mail!, 'Authentication-Results').includes(`smtp.auth=${alice.address}`))
  assert.deepEqual(fieldsOf(mail!, 'Received-SPF'), [])
})

test('the EHLO name is recorded beside MAIL FROM when its domain says which hosts it has', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const domain = createSender(stack, { spf: HERE })
  const host = createSender(stack, { spf: ELSEWHERE })
  await using smtp = await stack.dialMx(host)
  const from = `anna@${domain}`
  await smtp.send({ mailFrom: from, recipients: [bob.address] }, composeMail({ from, to: bob.address }))
  const [mail] = await stack.received(bob)
  assert.deepEqual(resultsIn(mail!), ['dkim=none', 'dmarc=none', 'spf=fail', 'spf=pass'])
  const results = fieldOf(mail!, 'Authentication-Results')
  assert.ok(results.includes(`smtp.mailfrom=${domain}`) && results.includes(`smtp.helo=${host}`), results)
  assert.equal(fieldsOf(mail!, 'Received-SPF').length, 1)
})

test('several or malformed addresses in From never have a DMARC pass', async () => {
  const stack = await sharedStack()
  const domain = createSender(stack, { spf: HERE, dmarc: 'v=DMARC1; p=none' })
  const from = `anna@${domain}`
  for (const author of [`${from}, <eve@${domain}>`, `${from} <eve@${domain}>`, `<${from}>\r\nFrom: <eve@${domain}>`]) {
    const mail = await deliver(stack, from, (to) => {
      const text = composeMail({ from, to }).toString('latin1').replace(`<${from}>`, author)
      return signMail(Buffer.from(text, 'latin1'), 'k1', domain, privateKey)
    })
    assert.ok(resultsIn(mail).includes('spf=pass'), author)
    assert.ok(resultsIn(mail).includes('dmarc=none'), `${author}: ${resultsIn(mail).join(' ')}`)
  }
})
