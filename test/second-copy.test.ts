// A second copy beside the first, with other settings: neither knows of the other.
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { backgroundStack, exportedSpans } from '@sekimori/testing/background-stack'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, subjectOf } from '@sekimori/testing/mail-text'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Stack } from '@sekimori/testing/stack'
import { virusMail } from '@sekimori/testing/virus-mail'

describe('a second copy', () => {
  let second: Stack

  before(async () => {
    await sharedStack()
    second = await backgroundStack()
  })

  test('has ports, processes, accounts and mail of its own', async () => {
    const stack = await sharedStack()
    const listeners = ['submission', 'smtps', 'mx', 'pop3', 'pop3s'] as const
    for (const name of listeners) assert.notEqual(second.endpoints[name].port, stack.endpoints[name].port)
    const pids = (copy: Stack) => copy.processes.names.map((name) => copy.processes.pid(name))
    assert.deepEqual(
      pids(second).filter((pid) => pids(stack).includes(pid)),
      [],
    )
    const [mine, theirs] = [await stack.createMailbox(), await second.createMailbox()]
    for (const [copy, mailbox, other] of [
      [stack, mine, theirs],
      [second, theirs, mine],
    ] as const) {
      await using smtp = await copy.dialMx()
      await smtp.say('MAIL FROM:<x@sender.example>', 250)
      await smtp.say(`RCPT TO:<${other.address}>`, 550)
      await copy.sendAsStranger(
        'x@sender.example',
        [mailbox.address],
        composeMail({ from: 'x@sender.example', to: mailbox.address }),
      )
      await copy.received(mailbox, 1)
    }
  })

  test('PLAINTEXT_AUTH=allow lets old clients log in without TLS, for sending and for reading', async () => {
    const bob = await second.createMailbox()
    await using smtp = await dialSmtp(second.endpoints.submission)
    assert.match((await smtp.say('EHLO client.example', 250)).text, /^AUTH .*LOGIN/m)
    await smtp.authLogin(bob.address, bob.password)
    await smtp.send(
      { mailFrom: bob.address, recipients: [bob.address] },
      composeMail({ from: bob.address, to: bob.address }),
    )
    await second.received(bob, 1)
    await using pop3 = await dialPop3(second.endpoints.pop3)
    assert.match((await pop3.sayMultiline('CAPA')).body.toString(), /^USER\r$/m)
    await pop3.login(bob.address, bob.password)
    assert.equal((await pop3.list()).length, 1)
  })

  test('S1-19 LOCAL_VIRUS_WARNING=sender warns the sender alone of an infected mail between accounts', async () => {
    const [alice, bob] = [await second.createMailbox(), await second.createMailbox()]
    await second.submit(alice, [bob.address], virusMail({ from: alice.address, to: bob.address }))
    assert.deepEqual((await second.received(alice, 1)).map(subjectOf), ['ウイルス検知のお知らせ'])
    const marker = composeMail({ from: alice.address, to: bob.address, subject: 'marker' })
    await second.submit(alice, [bob.address], marker)
    assert.deepEqual((await second.received(bob, 1)).map(subjectOf), ['marker'])
  })

  test('OTEL_EXPORTER_OTLP_ENDPOINT gets the spans of every service under the mail’s one trace id', async () => {
    const [alice, bob] = [await second.createMailbox(), await second.createMailbox()]
    const queueId = await second.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address }))
    const accepted = () => second.logLines('submission-gateway').find((line) => line.queueId === queueId)
    const { traceId } = await eventually(accepted)
    const services = ['submission-gateway', 'scanner', 'dkim-signer', 'auth-verifier', 'local-delivery']
    const exported = await exportedSpans()
    await eventually(() => {
      const ofMail = exported.filter((batch) => batch.includes(Buffer.from(String(traceId), 'hex')))
      return services.every((service) => ofMail.some((batch) => batch.includes(service)))
    })
  })
})
