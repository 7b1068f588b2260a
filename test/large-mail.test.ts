// Large mail goes through as it is, what is over the limit is refused, and a hundred sessions work side by side.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { bodyOf, composeMail, eicar, fieldOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { mailWithAttachment } from '@sekimori/testing/virus-mail'

const ATTACHMENT_BYTES = 30 * 1024 * 1024
const LIMIT_BYTES = 50 * 1024 * 1024
const PATIENCE_MS = 120_000

test('an attachment of 30 MB goes through, octet for octet, signed and scanned', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const file = randomBytes(ATTACHMENT_BYTES)
  const mail = mailWithAttachment({ from: alice.address, to: bob.address }, 'film.bin', file)
  const remote = `friend@${stack.createRemoteDomain()}`
  await stack.submit(alice, [bob.address, remote], mail)
  const [received] = await stack.received(bob, 1, PATIENCE_MS)
  assert.ok(bodyOf(received!).equals(bodyOf(mail)))
  assert.match(fieldOf(received!, 'Authentication-Results'), /dkim=pass/)
  assert.match(fieldOf(received!, 'X-Virus-Status'), /^clean;/)
  const sent = await stack.remote.received(({ recipients }) => recipients.includes(remote), PATIENCE_MS)
  assert.ok(bodyOf(sent.data).equals(bodyOf(mail)))
})

test('30 MB from outside are taken too, and a virus behind them is found', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const file = randomBytes(ATTACHMENT_BYTES)
  const clean = mailWithAttachment({ from: 'x@sender.example', to: bob.address }, 'film.bin', file)
  const boundary = /boundary="([^"]+)"/.exec(clean.toString('latin1', 0, 1_000))![1]!
  const virus = `--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n${eicar()}\r\n--${boundary}--\r\n`
  const end = clean.lastIndexOf(`--${boundary}--`)
  const infected = Buffer.concat([clean.subarray(0, end), Buffer.from(virus)])
  await stack.sendAsStranger('x@sender.example', [bob.address], clean)
  const queueId = await stack.sendAsStranger('x@sender.example', [carol.address], infected)
  const [received] = await stack.received(bob, 1, PATIENCE_MS)
  assert.ok(bodyOf(received!).equals(bodyOf(clean)))
  await stack.received(carol, 1, PATIENCE_MS)
  assert.equal((await stack.quarantined(queueId))?.sizeBytes, infected.length)
})

for (const listener of ['submission', 'mx'] as const) {
  test(`${listener} refuses what is over SIZE with 552, declared or not, and goes on with the session`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const mailFrom = listener === 'mx' ? 'x@sender.example' : alice.address
    await using smtp = listener === 'mx' ? await stack.dialMx() : await stack.dialSubmission(alice)
    assert.match((await smtp.say('EHLO client.example', 250)).text, new RegExp(`^SIZE ${LIMIT_BYTES}$`, 'm'))
    const declared = await smtp.say(`MAIL FROM:<${mailFrom}> SIZE=${LIMIT_BYTES + 1}`, 552)
    assert.equal(declared.enhanced, '5.3.4')
    const envelope = { mailFrom, recipients: [bob.address] }
    const body = Buffer.alloc(LIMIT_BYTES, `${'x'.repeat(70)}\r\n`)
    const undeclared = await smtp.send(envelope, composeMail({ from: mailFrom, to: bob.address, body }), 552)
    assert.equal(undeclared.enhanced, '5.3.4')
    await smtp.send(envelope, composeMail({ from: mailFrom, to: bob.address, subject: 'small' }))
    await stack.received(bob, 1)
  })
}

test('a hundred sessions at the same time are served on 465, and a hundred on 25', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const ways = [
    { from: alice.address, dial: () => stack.dialSmtps(alice) },
    { from: 'x@sender.example', dial: () => stack.dialMx() },
  ]
  for (const { from, dial } of ways) {
    const sessions = await Promise.all(Array.from({ length: 100 }, dial))
    // All are open before the first one sends.
    await Promise.all(sessions.map((smtp) => smtp.say('NOOP', 250)))
    const mail = () => composeMail({ from, to: bob.address })
    await Promise.all(sessions.map((smtp) => smtp.send({ mailFrom: from, recipients: [bob.address] }, mail())))
    await Promise.all(sessions.map((smtp) => smtp.quit()))
  }
  const mails = await stack.received(bob, 200, PATIENCE_MS)
  assert.equal(new Set(mails.map((mail) => fieldOf(mail, 'Message-ID'))).size, 200)
})
