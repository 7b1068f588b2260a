// A process is killed while warnings are written, and while mail goes out to other servers: nothing is lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { fieldOf, textOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { type SteadySenderOptions, sendSteadily } from '@sekimori/testing/steady-sender'
import { virusMail } from '@sekimori/testing/virus-mail'

const MAILS = 40
const SESSIONS = 4
const KILL_AFTER = 10
/** What a killed remote-delivery had in hand may rest for 60 s. */
const PATIENCE = { withinMs: 180_000 }
const STRANGER = 'stranger@sender.example'

/** Sends from several sessions; kills the process when a part of the mails is accepted. */
async function sendAndKill(stack: Stack, victim: string, options: Omit<SteadySenderOptions, 'count' | 'onAccepted'>) {
  const accepted: { messageId: string; queueId: string }[] = []
  const sender = {
    ...options,
    count: MAILS / SESSIONS,
    onAccepted: (mail: (typeof accepted)[number]) => accepted.push(mail),
  }
  await Promise.all([
    eventually(() => accepted.length >= KILL_AFTER, PATIENCE).then(() => stack.processes.kill(victim)),
    ...Array.from({ length: SESSIONS }, () => sendSteadily(sender)),
  ])
  return accepted
}

for (const victim of ['scanner', 'notifier', 'dkim-signer', 'rabbitmq', 'postgres', 'clamd']) {
  test(`S1-16 S1-18 ${victim} is killed while infected mails come in: one warning for each, and none gets through`, async () => {
    const stack = await sharedStack()
    const bob = await stack.createMailbox({ locale: 'en' })
    const dial = () => stack.dialMx()
    const accepted = await sendAndKill(stack, victim, { from: STRANGER, to: bob.address, compose: virusMail, dial })
    const warned = await eventually(async () => {
      const texts = (await stack.messages(bob)).map(textOf)
      const queueIds = texts.map((text) => /^Queue id: (\w+)$/m.exec(text)?.[1])
      return accepted.every(({ queueId }) => queueIds.includes(queueId)) && queueIds
    }, PATIENCE)
    assert.ok(!warned.includes(undefined), 'something else than warnings arrived')
    assert.equal(new Set(warned).size, warned.length)
    await stack.untilReady()
  })
}

for (const victim of ['remote-delivery', 'rabbitmq', 'postgres']) {
  test(`${victim} is killed while mails go out: each reaches the other server`, async () => {
    const stack = await sharedStack()
    const alice = await stack.createMailbox()
    const to = `friend@${stack.createRemoteDomain()}`
    const dial = () => stack.dialSmtps(alice)
    const accepted = await sendAndKill(stack, victim, { from: alice.address, to, dial })
    const expected = accepted.map(({ messageId }) => messageId)
    await eventually(() => {
      const mails = stack.remote.mails.filter(({ recipients }) => recipients.includes(to))
      const sent = new Set(mails.map(({ data }) => fieldOf(data, 'Message-ID')))
      return expected.every((messageId) => sent.has(messageId))
    }, PATIENCE)
    await stack.untilReady()
  })
}
