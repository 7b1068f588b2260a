// What our accounts send is signed, so that others can tell it from forgeries: checked by another implementation, with
// keys that a DNS server gives out as the settings API says they are to be published.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSignatures, publishedKeys } from '@sekimori/testing/dkim-check'
import { composeMail } from '@sekimori/testing/mail-text'
import { checkByOpenDkim } from '@sekimori/testing/opendkim-check'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN } from '@sekimori/testing/stack'

const BODIES = {
  'plain text': 'Hello.\r\n',
  'Japanese in 8-bit': 'こんにちは、世界。\r\n',
  'dots and empty lines at the end': '.\r\n..x\r\n\r\n\r\n',
  'white space': 'a  b\t c \r\n \r\n\t\r\n',
  'no body': '',
  'a large body': 'All work and no play makes mail dull.\r\n'.repeat(5_000),
}

for (const [name, body] of Object.entries(BODIES)) {
  test(`S2-08 a mail with ${name} arrives with an RSA and an Ed25519 signature that verify`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const mail = composeMail({ from: alice.address, to: bob.address, subject: '件名 with text', body })
    await stack.submit(alice, [bob.address], mail)
    const [received] = await stack.received(bob)
    const checks = await checkSignatures(received!, stack.dns.address)
    assert.deepEqual(checks.map(({ isValid, domain, algorithm }) => `${isValid} ${domain} ${algorithm}`).sort(), [
      `true ${DOMAIN} ed25519-sha256`,
      `true ${DOMAIN} rsa-sha256`,
    ])
    const byOpenDkim = await checkByOpenDkim(received!, await publishedKeys(received!, stack.dns.address))
    assert.deepEqual(Object.values(byOpenDkim), [true, true], JSON.stringify(byOpenDkim))
  })
}

test('S2-09 a changed body, subject or sender makes both signatures fail', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = composeMail({ from: alice.address, to: bob.address, subject: 'pay 100 yen', body: 'pay 100 yen\r\n' })
  await stack.submit(alice, [bob.address], mail)
  const received = (await stack.received(bob))[0]!.toString('latin1')
  const forgeries = [
    received.replace('\r\n\r\npay 100 yen', '\r\n\r\npay 900 yen'),
    received.replace('Subject: pay 100 yen', 'Subject: pay 900 yen'),
    received.replace(`From: <${alice.address}>`, `From: <ceo@${DOMAIN}>`),
    received.replace(`From: <${alice.address}>`, `From: <ceo@${DOMAIN}>\r\nFrom: <${alice.address}>`),
  ]
  for (const forgery of forgeries) {
    assert.notEqual(forgery, received)
    const checks = await checkSignatures(Buffer.from(forgery, 'latin1'), stack.dns.address)
    assert.deepEqual(
      checks.map(({ isValid }) => isValid),
      [false, false],
    )
  }
})

test('S2-09 a field that is added on the way, and would be shown or change how the body is read, fails too', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = composeMail({ from: alice.address, to: bob.address, subject: 'as it was', body: 'as it was\r\n' })
  await stack.submit(alice, [bob.address], mail)
  const received = (await stack.received(bob))[0]!
  const keys = await publishedKeys(received, stack.dns.address)
  const added = [`From: <ceo@${DOMAIN}>`, 'Sender: <x@evil.test>', 'Reply-To: <x@evil.test>', 'Cc: <x@evil.test>']
  const reread = ['Subject: another', 'Content-Type: text/html', 'Content-Transfer-Encoding: base64']
  for (const field of [...added, ...reread]) {
    const changed = Buffer.concat([Buffer.from(`${field}\r\n`), received])
    const checks = await checkSignatures(changed, stack.dns.address)
    assert.deepEqual([field, ...checks.map(({ isValid }) => isValid)], [field, false, false])
    assert.deepEqual([field, ...Object.values(await checkByOpenDkim(changed, keys))], [field, false, false])
  }
})
