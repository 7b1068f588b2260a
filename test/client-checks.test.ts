// What operators may switch on for clients on 25: EHLO names, DNS lists, greylisting; recorded in the header, or refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { connect } from '@sekimori/testing/line-socket'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { startSecondProcess } from '@sekimori/testing/second-process'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'

const SENDER = 'someone@sender.example'

test('EHLO name, DNS lists and greylisting are recorded in X-Client-Checks, which nobody else can write', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  stack.dns.set('1.0.0.127.list-one.test', 'A', ['127.0.0.2'])
  stack.dns.set('1.0.0.127.broken.test', 'A', ['127.255.255.254'])
  await using gateway = await startSecondProcess(stack.processes.pid('mx-gateway'), 'MX_PORT', {
    HELO_CHECK: 'record',
    DNSBL_CHECK: 'record',
    DNSBL_ZONES: 'list-one.test, list-two.test, broken.test',
    GREYLISTING_SECONDS: '2',
  })
  const dial = async () => {
    const smtp = await dialSmtp(gateway.endpoint)
    await smtp.say('EHLO no-address.sender.example', 250)
    await smtp.say(`MAIL FROM:<${SENDER}>`, 250)
    return smtp
  }
  await using first = await dial()
  const { enhanced, text } = await first.say(`RCPT TO:<${bob.address}>`, 451)
  assert.deepEqual([enhanced, /^Greylisted, please try again in [12] seconds/.test(text)], ['4.7.1', true])
  // A network that is new to this recipient waits; one that came before it has waited.
  await using smtp = await eventually(async () => {
    const next = await dial()
    if ((await next.say(`RCPT TO:<${bob.address}>`)).code === 250) return next
    await next[Symbol.asyncDispose]()
    return undefined
  })
  await smtp.say('DATA', 354)
  const headers = ['X-Client-Checks: helo=pass; host=mail.example.test']
  await smtp.sendMessage(composeMail({ from: SENDER, to: bob.address, headers }), 250)
  const [mail] = await stack.received(bob)
  assert.match(
    fieldOf(mail!, 'X-Client-Checks'),
    /^helo=fail \(no address\); dnsbl=listed \(list-one\.test\); greylist=pass \(\d+ s\); host=mail\.example\.test$/,
  )
})

test('checks that refuse close the door at MAIL, and DNS that does not answer closes none', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  stack.dns.set('7.2.0.192.list.test', 'A', ['127.0.0.3'])
  stack.dns.fail('8.2.0.192.list.test', 'SERVFAIL')
  stack.dns.fail('silent.sender.example', 'SERVFAIL')
  stack.dns.set('relay.checked.example', 'A', ['192.0.2.8'])
  await using gateway = await startSecondProcess(stack.processes.pid('mx-gateway'), 'MX_PORT', {
    HELO_CHECK: 'refuse',
    DNSBL_CHECK: 'refuse',
    DNSBL_ZONES: 'list.test',
    PROXY_PROTOCOL_NETWORKS: '127.0.0.0/8',
  })
  /** The reply to MAIL for a client of this address and name. */
  const replyFor = async (address: string, ehloName: string) => {
    const socket = await connect(gateway.endpoint)
    try {
      await socket.write(`PROXY TCP4 ${address} 127.0.0.1 4711 25\r\n`)
      assert.match(await socket.readLine(), /^220 /)
      await socket.write(`EHLO ${ehloName}\r\n`)
      while (!(await socket.readLine()).startsWith('250 '));
      await socket.write(`MAIL FROM:<${SENDER}>\r\n`)
      const reply = await socket.readLine()
      await socket.write(`RCPT TO:<${bob.address}>\r\n`)
      const isOpen = (await socket.readLine()).startsWith('250 ')
      assert.equal(isOpen, reply.startsWith('250 '))
      return reply
    } finally {
      await socket.close()
    }
  }
  assert.match(
    await replyFor('192.0.2.7', 'relay.checked.example'),
    /^550 5\.7\.1 .*192\.0\.2\.7 is listed by list\.test/,
  )
  assert.match(await replyFor('192.0.2.9', 'relay.checked.example'), /^250 /)
  assert.match(await replyFor('192.0.2.8', 'relay.checked.example'), /^250 /, 'the list does not answer')
  assert.match(await replyFor('192.0.2.9', 'nowhere.checked.example'), /^550 5\.7\.1 .*no address/)
  assert.match(await replyFor('192.0.2.9', 'mail.example.test'), /^550 5\.7\.1 .*our own name/)
  assert.match(await replyFor('192.0.2.9', '[192.0.2.10]'), /^550 5\.7\.1 .*not your address/)
  assert.match(await replyFor('192.0.2.9', '[192.0.2.9]'), /^250 /)
  assert.match(await replyFor('192.0.2.9', 'silent.sender.example'), /^250 /, 'its zone does not answer')
})
