// Whose address SPF judges behind a load balancer, and what becomes of mail while name servers do not answer.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { BALANCER, HOSTNAME } from '@sekimori/testing/stack-settings'

function createSender(stack: Stack, spf: string): string {
  const domain = `p-${randomUUID().slice(0, 13)}.test`
  stack.dns.set(domain, 'TXT', [spf])
  return `anna@${domain}`
}

/** Sends through the load balancer, which names the client. */
async function sendFrom(client: string, stack: Stack, from: string, to: Mailbox): Promise<void> {
  const family = client.includes(':') ? 'TCP6' : 'TCP4'
  const ours = family === 'TCP6' ? '::1' : '127.0.0.1'
  const proxyHeader = `PROXY ${family} ${client} ${ours} 4711 25\r\n`
  await using smtp = await dialSmtp(stack.endpoints.mx, { localAddress: BALANCER, proxyHeader })
  await smtp.say('EHLO relay.sender.example', 250)
  await smtp.send({ mailFrom: from, recipients: [to.address] }, composeMail({ from, to: to.address, subject: client }))
}

const spfOf = (mail: Buffer) =>
  /spf=(\w+)/.exec(fieldsOf(mail, 'Authentication-Results').find((value) => value.startsWith(HOSTNAME))!)![1]

test('S2-06 behind a load balancer SPF judges the address of the client, also an IPv4 one that is written as IPv6', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const from = createSender(stack, 'v=spf1 ip4:203.0.113.9 ip6:2001:db8::9 -all')
  const balancer = createSender(stack, `v=spf1 ip4:${BALANCER} ip4:127.0.0.1 -all`)
  const clients = ['203.0.113.9', '203.0.113.8', '::ffff:203.0.113.9', '2001:db8::9', '2001:db8::8']
  for (const client of clients) await sendFrom(client, stack, from, bob)
  await sendFrom('203.0.113.10', stack, balancer, bob)
  const mails = await stack.received(bob, 6)
  const results = Object.fromEntries(mails.map((mail) => [fieldOf(mail, 'Subject'), spfOf(mail)]))
  assert.deepEqual(results, {
    '203.0.113.9': 'pass',
    '203.0.113.8': 'fail',
    '::ffff:203.0.113.9': 'pass',
    '2001:db8::9': 'pass',
    '2001:db8::8': 'fail',
    '203.0.113.10': 'fail',
  })
  const mapped = mails.find((mail) => fieldOf(mail, 'Subject').startsWith('::ffff'))!
  assert.match(fieldOf(mapped, 'Received-SPF'), /client-ip=203\.0\.113\.9[;\s]/)
})

test('S2-06 a domain whose name servers do not answer is a temperror, and no other mail waits for it', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const slow = createSender(stack, 'v=spf1 -all')
  stack.dns.fail(slow.split('@')[1]!, 'timeout')
  const quick = createSender(stack, 'v=spf1 ip4:127.0.0.1 -all')
  const queueId = await stack.sendAsStranger(slow, [bob.address], composeMail({ from: slow, to: bob.address }))
  await stack.sendAsStranger(quick, [carol.address], composeMail({ from: quick, to: carol.address }))
  const [other] = await stack.received(carol)
  assert.equal(spfOf(other!), 'pass')
  const [mail] = await stack.received(bob, 1, 60_000)
  assert.equal(spfOf(mail!), 'temperror')
  assert.deepEqual(
    (await stack.trace(queueId)).map(({ outcome }) => outcome),
    ['delivered'],
  )
})
