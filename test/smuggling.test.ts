// SMTP smuggling: of whatever a client writes in place of line ends, exactly one mail arrives, or none and a refusal.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { bodyOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp, type SmtpDialer } from '@sekimori/testing/smtp-dialer'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const ENDS = [
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\r\n.\r\r\n',
]
/** A submission client's lone LF is given its CR; everything else is refused on both edges. */
const REPAIRED = new Set(['\n.\n', '\n.\r\n', '\r\n.\n'])

interface Edge {
  name: string
  dial(stack: Stack, sender: Mailbox): Promise<SmtpDialer>
}

const EDGES: Edge[] = [
  { name: 'mx', dial: (stack) => stack.dialMx() },
  {
    name: 'submission',
    dial: async (stack, sender) => {
      const smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
      await smtp.say('EHLO client.example', 250)
      await smtp.authPlain(sender.address, sender.password)
      return smtp
    },
  },
]

/** A mail that holds another one behind a false end, and then a true end. */
function smuggled(end: string, from: string, to: string): string {
  const inner = `MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\nFrom: ${from}\r\nSubject: smuggled\r\n\r\nsmuggled`
  return `From: ${from}\r\nSubject: ${randomUUID()}\r\n\r\nouter${end}${inner}\r\n.\r\n`
}

for (const edge of EDGES)
  test(`S1-03 no second mail gets in behind a false end of DATA on ${edge.name}, however it is cut`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    let accepted = 0
    for (const end of ENDS)
      for (const isCut of [false, true]) {
        await using smtp = await edge.dial(stack, alice)
        await smtp.say(`MAIL FROM:<${alice.address}>`, 250)
        await smtp.say(`RCPT TO:<${bob.address}>`, 250)
        await smtp.say('DATA', 354)
        const octets = Buffer.from(smuggled(end, alice.address, bob.address), 'latin1')
        const middle = octets.indexOf('outer') + 6
        for (const piece of isCut ? [octets.subarray(0, middle), octets.subarray(middle)] : [octets])
          await smtp.raw(piece)
        const mayPass = edge.name === 'submission' && REPAIRED.has(end)
        const reply = await smtp.hear(mayPass ? 250 : 554)
        if (mayPass) accepted++
        else assert.equal(reply.enhanced, '5.6.0', JSON.stringify(end))
        await smtp.say('NOOP', 250)
      }
    const mails = accepted === 0 ? await stack.messages(bob) : await stack.received(bob, accepted)
    assert.equal(mails.length, accepted)
    for (const mail of mails) {
      const body = bodyOf(mail).toString('latin1')
      assert.match(body, /^outer\r\n[\s\S]*\r\nMAIL FROM:[\s\S]*smuggled\r\n$/)
      assert.doesNotMatch(body, /(?<!\r)\n|\r(?!\n)/)
    }
  })
