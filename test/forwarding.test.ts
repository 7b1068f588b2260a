// What an account or an alias hands on to somebody outside: the envelope rewritten (SRS), the mail untouched and sealed
// (ARC), and never round in circles.
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { checkChain, checkSignatures, signMail } from '@sekimori/testing/dkim-check'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, fieldOf, fieldsOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN, type Stack } from '@sekimori/testing/stack'
import { createAlias, forward } from '@sekimori/testing/stack-addresses'
import { virusMail } from '@sekimori/testing/virus-mail'

const SRS0 = new RegExp(`^SRS0=\\w{8}=\\w{2}=sender\\.example=stranger@${DOMAIN.replaceAll('.', '\\.')}$`)
const SENDER = 'stranger@sender.example'
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})

/** What the remote server got for this address, once it has. */
const arrived = (stack: Stack, address: string) =>
  stack.remote.received(({ recipients }) => recipients.includes(address))

const countAt = (stack: Stack, address: string) =>
  stack.remote.mails.filter(({ recipients }) => recipients.includes(address)).length

/** A mail of a domain elsewhere, signed with its key and sent through a server that its SPF record names. */
async function signedMail(stack: Stack, to: string): Promise<{ from: string; mail: Buffer }> {
  const domain = `s-${randomUUID().slice(0, 13)}.test`
  stack.dns.set(`k1._domainkey.${domain}`, 'TXT', [`v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`])
  stack.dns.set(domain, 'TXT', ['v=spf1 ip4:127.0.0.1 -all'])
  const from = `anna@${domain}`
  return {
    from,
    mail: await signMail(composeMail({ from, to, body: '.\r\nこんにちは\r\n' }), 'k1', domain, privateKey),
  }
}

test('S2-03 forwarded mail keeps its signatures, is sealed, and has a reverse-path of ours', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const target = `bob@${stack.createRemoteDomain()}`
  await forward(stack, bob, [target])
  const { from, mail } = await signedMail(stack, bob.address)
  const queueId = await stack.sendAsStranger(from, [bob.address], mail)
  const { data, mailFrom } = await arrived(stack, target)
  const [copy] = await stack.received(bob, 1)
  assert.match(mailFrom, new RegExp(`^SRS0=\\w{8}=\\w{2}=${from.split('@')[1]}=anna@${DOMAIN}$`))
  for (const delivered of [data, copy!]) {
    assert.deepEqual(bodyOf(delivered), bodyOf(mail))
    assert.deepEqual(
      (await checkSignatures(delivered, stack.dns.address)).map(({ isValid, domain }) => `${isValid} ${domain}`),
      [`true ${from.split('@')[1]}`],
    )
  }
  assert.equal(await checkChain(data, stack.dns.address), 'pass')
  assert.match(fieldOf(data, 'ARC-Seal'), new RegExp(`i=1;.*d=${DOMAIN}`))
  assert.match(fieldOf(data, 'ARC-Authentication-Results'), /^i=1;.*spf=pass.*dkim=pass|^i=1;.*dkim=pass.*spf=pass/)
  const ends = await stack.ended(queueId, 2)
  assert.deepEqual(ends.map(({ stage, outcome }) => `${stage} ${outcome}`).sort(), [
    'forward forwarded',
    'maildrop delivered',
  ])
})

test('S2-03 a chain of others is carried on, and one that is broken is not vouched for', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const [first, second] = [`one@${stack.createRemoteDomain()}`, `two@${stack.createRemoteDomain()}`]
  await forward(stack, bob, [first], false)
  await forward(stack, carol, [second], false)
  const { from, mail } = await signedMail(stack, bob.address)
  await stack.sendAsStranger(from, [bob.address], mail)
  const once = await arrived(stack, first)
  await stack.sendAsStranger(once.mailFrom, [carol.address], once.data)
  const twice = await arrived(stack, second)
  assert.equal(fieldsOf(twice.data, 'ARC-Seal').length, 2)
  assert.match(fieldsOf(twice.data, 'ARC-Seal')[0]!, /i=2;.*cv=pass/)
  assert.equal(await checkChain(twice.data, stack.dns.address), 'pass')
  const broken = Buffer.concat([once.data, Buffer.from('one line more\r\n')])
  await stack.sendAsStranger('x@sender.example', [carol.address], broken)
  const third = await stack.remote.received(({ data }) => data.includes('one line more'))
  assert.match(fieldsOf(third.data, 'ARC-Seal')[0]!, /cv=fail/)
})

test('without a kept copy the maildrop stays empty; targets here get theirs at once, each person one', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const target = `bob@${stack.createRemoteDomain()}`
  await forward(stack, bob, [target, carol.address], false)
  const mail = composeMail({ from: alice.address, to: bob.address })
  const queueId = await stack.submit(alice, [bob.address, carol.address], mail)
  const { mailFrom } = await arrived(stack, target)
  assert.equal(mailFrom, alice.address)
  await stack.received(carol, 1)
  await stack.ended(queueId, 2)
  assert.deepEqual(await stack.messages(bob), [])
  assert.equal(countAt(stack, target), 1)
})

test('S2-03 the null reverse-path stays null', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const target = `bob@${stack.createRemoteDomain()}`
  await forward(stack, bob, [target])
  await stack.sendAsStranger('', [bob.address], composeMail({ from: 'x@sender.example', to: bob.address }))
  assert.equal((await arrived(stack, target)).mailFrom, '')
})

test('an alias hands mail on to somebody outside, under an address of its own domain', async () => {
  const stack = await sharedStack()
  const target = `team@${stack.createRemoteDomain()}`
  const alias = await createAlias(stack, [target])
  await stack.sendAsStranger(SENDER, [alias], composeMail({ from: SENDER, to: alias }))
  const { mailFrom, data } = await arrived(stack, target)
  assert.match(mailFrom, SRS0)
  assert.ok(fieldsOf(data, 'Delivered-To').includes(alias))
})

test('mail that comes back to an account which forwards it stays in its maildrop', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const target = `bob@${stack.createRemoteDomain()}`
  await forward(stack, bob, [target], false)
  await stack.sendAsStranger(SENDER, [bob.address], composeMail({ from: SENDER, to: bob.address, subject: 'circling' }))
  const { mailFrom, data } = await arrived(stack, target)
  await stack.sendAsStranger(mailFrom, [bob.address], data)
  assert.deepEqual((await stack.received(bob, 1)).map(subjectOf), ['circling'])
  assert.equal(countAt(stack, target), 1)
})

test('mail is not handed on to somebody whom it was delivered to before', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const [before, other] = [`Bob@${stack.createRemoteDomain()}`, `bob@${stack.createRemoteDomain()}`]
  await forward(stack, bob, [before, other])
  const headers = [`Delivered-To: ${before.toLowerCase()}`]
  await stack.sendAsStranger(SENDER, [bob.address], composeMail({ from: SENDER, to: bob.address, headers }))
  await arrived(stack, other)
  const [end] = await eventually(async () => {
    const { body } = await stack.api('GET', `/v1/messages?address=${before}&outcome=bounced`)
    return body.items.length > 0 && body.items
  })
  assert.match(end.detail, /^5\.4\.6 /)
  assert.equal(countAt(stack, before), 0)
})

test('infected mail is never forwarded', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  await forward(stack, bob, [`bob@${domain}`], false)
  const infected = virusMail({ from: SENDER, to: bob.address, subject: 'evil' })
  await stack.ended(await stack.sendAsStranger(SENDER, [bob.address], infected), 1)
  const [warning] = await stack.received(bob, 1)
  assert.equal(subjectOf(warning!), 'ウイルス検知のお知らせ')
  await stack.sendAsStranger(SENDER, [bob.address], composeMail({ from: SENDER, to: bob.address, subject: 'clean' }))
  assert.equal(subjectOf((await arrived(stack, `bob@${domain}`)).data), 'clean')
  assert.equal(countAt(stack, `bob@${domain}`), 1)
})

test('when a forwarded mail is refused, the account that forwards is told, not the sender', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox({ locale: 'en' })]
  const target = `gone@${stack.createRemoteDomain()}`
  stack.remote.script({ at: 'RCPT', recipient: target, reply: '550 5.1.1 Nobody of that name' })
  await forward(stack, bob, [target], false)
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address }))
  const [report] = await stack.received(bob, 1)
  assert.equal(subjectOf(report!), 'Your mail could not be delivered')
  assert.deepEqual(await stack.messages(alice), [])
})

test('large mail, which lies in the content store, is forwarded too, and its space is freed', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const target = `bob@${stack.createRemoteDomain()}`
  await forward(stack, bob, [target], false)
  const body = `${'x'.repeat(76)}\r\n`.repeat(4_000)
  await stack.sendAsStranger(SENDER, [bob.address], composeMail({ from: SENDER, to: bob.address, body }))
  const { data } = await arrived(stack, target)
  assert.equal(bodyOf(data).toString(), body)
})
