// Mail between two accounts, by the harness's own client: encrypted, logged in, kept octet for octet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { HOSTNAME } from '@sekimori/testing/stack-settings'

// One as long as the standard allows, and one that breaks it, as some programs write.
const LONG_LINES = `${'x'.repeat(998)}\r\n${'y'.repeat(20_000)}`
// Octets that servers like to spoil: dots, 8-bit text, long lines, white space at line ends, no final text line.
const AWKWARD_BODY = Buffer.concat([
  Buffer.from('.\r\n..\r\n.a line that begins with a dot\r\nこんにちは、世界。関守です。\r\n'),
  Buffer.from(`${LONG_LINES}\r\ntrailing space \t\r\n\r\nFrom here on\r\n`),
  Buffer.from([0xa0, 0xff, 0x80, 0x0d, 0x0a]),
  Buffer.from('\r\n\r\n. \r\n'),
])

test('S1-04 S1-05 S1-06 S1-13 587 offers STARTTLS, then AUTH LOGIN, and takes mail', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using smtp = await dialSmtp(stack.endpoints.submission, { ca: stack.ca })
  const plain = await smtp.say('EHLO client.example', 250)
  assert.match(plain.text, /^STARTTLS$/m)
  await smtp.starttls()
  const encrypted = await smtp.say('EHLO client.example', 250)
  assert.match(encrypted.text, /^AUTH (?=.*\bPLAIN\b)(?=.*\bLOGIN\b)/m)
  assert.doesNotMatch(encrypted.text, /STARTTLS/)
  await smtp.authLogin(alice.address, alice.password)
  const mail = composeMail({ from: alice.address, to: bob.address, body: AWKWARD_BODY })
  const reply = await smtp.send(
    { mailFrom: alice.address, recipients: [bob.address], parameters: 'BODY=8BITMIME' },
    mail,
  )
  await smtp.quit()
  const [received] = await stack.received(bob)
  assert.deepEqual(bodyOf(received!), AWKWARD_BODY)
  assert.ok(fieldsOf(received!, 'Received')[0]?.includes(`with ESMTPSA id ${reply.queueId}`))
})

test('S1-10 S2-18 465 is encrypted from the first octet, with AUTH PLAIN', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
  await smtp.say('EHLO client.example', 250)
  await smtp.authPlain(alice.address, alice.password)
  const mail = composeMail({ from: alice.address, to: bob.address, body: AWKWARD_BODY })
  await smtp.send({ mailFrom: alice.address, recipients: [bob.address] }, mail)
  await smtp.quit()
  const [received] = await stack.received(bob)
  assert.deepEqual(bodyOf(received!), AWKWARD_BODY)
})

test('S1-01 S1-09 S2-16 S2-19 the same maildrop is read over 995 and over 110 with STLS', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address, body: AWKWARD_BODY }))
  const [over995] = await stack.received(bob)
  await using pop3 = await dialPop3(stack.endpoints.pop3, { ca: stack.ca })
  await pop3.stls()
  await pop3.login(bob.address, bob.password)
  assert.equal((await pop3.list()).length, 1)
  assert.deepEqual(await pop3.retrieve(1), over995)
  await pop3.dele(1)
  await pop3.quit()
  assert.deepEqual(await stack.messages(bob), [])
})

test('S1-14 S2-10 a mail between accounts carries who sent it, that it was scanned, and how it came', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address }))
  const [mail] = await stack.received(bob)
  const results = fieldOf(mail!, 'Authentication-Results')
  assert.ok(results.startsWith(`${HOSTNAME};`))
  assert.match(results, /\bauth=pass smtp\.auth=/)
  assert.equal(results.match(/\bdkim=pass\b/g)?.length, 2, results)
  assert.match(results, /\bdmarc=pass\b/)
  assert.match(
    fieldOf(mail!, 'X-Virus-Status'),
    new RegExp(`^clean; host=${HOSTNAME.replaceAll('.', '\\.')};.*engine="ClamAV`),
  )
  assert.equal(fieldOf(mail!, 'Return-Path'), `<${alice.address}>`)
})

test('a mail that names a recipient twice, and a list that he is on, is delivered once', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = await Promise.all([stack.createMailbox(), stack.createMailbox(), stack.createMailbox()])
  const list = await stack.createList(bob, carol)
  const recipients = [bob.address, list, bob.address.toUpperCase(), carol.address]
  const queueId = await stack.submit(alice, recipients, composeMail({ from: alice.address, to: list }))
  const ends = await stack.ended(queueId, 3)
  assert.deepEqual(
    ends.map(({ recipient, outcome }) => `${recipient} ${outcome}`).sort(),
    [`${bob.address} delivered`, `${carol.address} delivered`, `${list} expanded`].sort(),
  )
  await stack.received(bob, 1)
  await stack.received(carol, 1)
})

test('what a client leaves out is added, and Bcc is removed', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const mail = `From: ${alice.address}\r\nBcc: ${bob.address}\r\nSubject: a bare mail\r\n\r\nHello.\r\n`
  const queueId = await stack.submit(alice, [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.equal(fieldOf(received!, 'Message-ID'), `<${queueId}@${HOSTNAME}>`)
  assert.ok(Date.parse(fieldOf(received!, 'Date')) > Date.now() - 600_000)
  assert.deepEqual(fieldsOf(received!, 'Bcc'), [])
})
