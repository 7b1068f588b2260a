// Any process may be killed at any time: every mail that got a 250 arrives, and arrives once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { type SteadySenderOptions, sendSteadily } from '@sekimori/testing/steady-sender'

const MAILS = 200
const SESSIONS_EACH = 4
const KILL_AFTER = MAILS / 4
const STRANGER = 'stranger@sender.example'
const VICTIMS = [
  ...['submission-gateway', 'mx-gateway', 'scanner', 'auth-verifier', 'dkim-signer', 'local-delivery'],
  ...['remote-delivery', 'notifier', 'pop3-gateway', 'settings-api', 'rabbitmq', 'postgres', 'clamd', 'epmd'],
]
const restartsMs: number[] = []
const maildrops: { bob: Mailbox; accepted: string[] }[] = []

for (const victim of VICTIMS) {
  test(`${victim} is killed while ${MAILS} mails go in: it is started again, and every accepted mail arrives once`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const accepted: string[] = []
    const [restartMs] = await Promise.all([
      eventually(() => accepted.length >= KILL_AFTER, { withinMs: 60_000 }).then(() => stack.processes.kill(victim)),
      sendMany(stack, alice, bob, ({ messageId }) => accepted.push(messageId)),
    ])
    restartsMs.push(restartMs)
    assert.equal(accepted.length, MAILS)
    assertOnce(await arrived(stack, bob, accepted), accepted)
    maildrops.push({ bob, accepted })
    await stack.untilReady()
  })
}

test('a killed process is started again within 2 s', () => {
  // A few of them may have had to wait until a busy machine had time for them.
  const late = restartsMs.filter((ms) => ms >= 2_000)
  assert.ok(late.length <= restartsMs.length / 4, restartsMs.map(Math.round).join(' ms, '))
})

test('no mail of all these comes a second time later', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  for (const { bob, accepted } of maildrops) {
    const last = composeMail({ from: alice.address, to: bob.address, subject: 'the last one' })
    await stack.submit(alice, [bob.address], last)
    const all = [...accepted, fieldOf(last, 'Message-ID')]
    assertOnce(await arrived(stack, bob, all), all)
  }
})

async function sendMany(stack: Stack, alice: Mailbox, bob: Mailbox, onAccepted: SteadySenderOptions['onAccepted']) {
  const ways = [
    { from: alice.address, dial: () => stack.dialSmtps(alice) },
    { from: STRANGER, dial: () => stack.dialMx() },
  ]
  const count = MAILS / (ways.length * SESSIONS_EACH)
  const senders = ways.flatMap((way) => Array.from({ length: SESSIONS_EACH }, () => way))
  await Promise.all(senders.map((way) => sendSteadily({ ...way, to: bob.address, count, onAccepted })))
}

/** The Message-IDs in the maildrop, once all the accepted ones are among them. */
async function arrived(stack: Stack, mailbox: Mailbox, accepted: string[]): Promise<string[]> {
  return eventually(
    async () => {
      await using pop3 = await stack.dialPop3s(mailbox)
      if ((await pop3.list()).length < accepted.length) return false
      const messageIds = (await pop3.retrieveAll()).map((mail) => fieldOf(mail, 'Message-ID'))
      await pop3.quit()
      const missing = accepted.filter((messageId) => !messageIds.includes(messageId))
      if (missing.length > 0) throw new Error(`${missing.length} accepted mails are missing`)
      return messageIds
    },
    { withinMs: 180_000 },
  )
}

function assertOnce(messageIds: string[], accepted: string[]): void {
  const twice = messageIds.filter((messageId, index) => messageIds.indexOf(messageId) !== index)
  assert.deepEqual(twice, [])
  // A mail whose session broke before its reply may have been taken all the same.
  assert.ok(messageIds.length < accepted.length + MAILS)
}
