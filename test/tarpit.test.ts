// One destination that takes connections and says nothing does not hold up the others (`npm run bench:tarpit` has figures).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'

const MAILS = 150
const OF_TARPIT = 3

test('while one destination tarpits, the mail of all others arrives', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using tarpit = await startRemoteServer({
    host: '127.0.0.61',
    port: stack.remote.port,
    replies: [{ at: 'connect', reply: 'silence' }],
  })
  const slow = stack.createRemoteDomain()
  stack.dns.set(`mx.${slow}`, 'A', [tarpit.host])
  const quick = Array.from({ length: 10 }, () => stack.createRemoteDomain())
  await using smtp = await stack.dialSmtps(alice)
  const send = async (to: string) => {
    const mail = composeMail({ from: alice.address, to })
    return (await smtp.send({ mailFrom: alice.address, recipients: [to] }, mail)).queueId!
  }
  const others: string[] = []
  // Far more mail for the slow one than one process has dialogues and jobs in hand.
  for (let count = 0; count < MAILS; count++) {
    const isQuick = count % (OF_TARPIT + 1) === 0
    const queueId = await send(`u${count}@${isQuick ? quick[count % quick.length] : slow}`)
    if (isQuick) others.push(queueId)
  }
  const isEnded = async (queueId: string) => (await stack.trace(queueId))[0]?.outcome === 'sent'
  await eventually(async () => (await Promise.all(others.map(isEnded))).every(Boolean), { withinMs: 60_000 })
  assert.ok(tarpit.scripted.length > 0, 'the slow destination was tried')
  const { body } = await stack.api('GET', `/v1/deferred-mail?domain=${slow}&limit=200`)
  assert.ok(body.items.length > 0, 'its mail rests in the schedule')
  tarpit.unscript()
  await tarpit[Symbol.asyncDispose]()
  await eventually(async () => {
    await stack.api('POST', '/v1/deferred-mail/orders', { action: 'cancel', notice: false, domain: slow })
    const { body } = await stack.api('GET', `/v1/deferred-mail?domain=${slow}`)
    return body.items.length === 0
  })
})
