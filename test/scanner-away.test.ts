// Nothing passes unscanned: while the scanner or its engine is away, mail is accepted and waits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { throughout } from '@sekimori/testing/throughout'
import { virusMail } from '@sekimori/testing/virus-mail'

const WATCH_MS = 1_000

/** "Where is my mail?" Accepted, and not further than its edge. */
async function underWay(stack: Stack, address: string): Promise<string[]> {
  const { body } = await stack.api('GET', `/v1/messages?address=${address}&outcome=under-way`)
  for (const { stage, history, acceptedAt, endedAt } of body.items) {
    assert.deepEqual([history.length, history[0].stage, history[0].at, endedAt], [1, stage, acceptedAt, undefined])
    assert.match(history[0].outcome, /^accepted \d+ octets/)
  }
  return body.items.map(({ queueId }: { queueId: string }) => queueId)
}

/** Sends clean and infected mail both ways during the outage, and sees what becomes of it after. */
async function checkOutage(
  begin: (stack: Stack) => AsyncDisposable | Disposable | Promise<AsyncDisposable>,
): Promise<void> {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const outside = { from: 'x@sender.example', to: bob.address }
  const inside = { from: alice.address, to: bob.address }
  const queueIds: string[] = []
  {
    await using _outage = await begin(stack)
    const subject = 'clean from outside'
    queueIds.push(await stack.sendAsStranger(outside.from, [bob.address], composeMail({ ...outside, subject })))
    queueIds.push(await stack.submit(alice, [bob.address], composeMail({ ...inside, subject: 'clean from inside' })))
    queueIds.push(await stack.sendAsStranger(outside.from, [bob.address], virusMail(outside)))
    await throughout(WATCH_MS, async () => {
      for (const queueId of queueIds) assert.deepEqual(await stack.trace(queueId), [])
      assert.deepEqual(await stack.messages(bob), [])
    })
    await eventually(async () => (await underWay(stack, bob.address)).length === 3)
    assert.deepEqual(new Set(await underWay(stack, bob.address)), new Set(queueIds))
  }
  const mails = await stack.received(bob, 3, 60_000)
  assert.deepEqual(mails.map(subjectOf).sort(), ['clean from inside', 'clean from outside', 'ウイルス検知のお知らせ'])
  for (const mail of mails) assert.match(fieldOf(mail, 'X-Virus-Status'), /^clean;/)
  assert.ok(await stack.quarantined(queueIds[2]!))
  assert.deepEqual(await underWay(stack, bob.address), [])
  await eventually(() => stack.isReady('scanner'))
}

test('mail is accepted while the scanner is stopped, waits, and arrives scanned after it starts', async () => {
  await checkOutage((stack) => stack.processes.keepDown('scanner'))
})

test('mail is accepted while clamd is down, waits, and arrives scanned after it starts', async () => {
  await checkOutage((stack) => stack.processes.keepDown('clamd'))
})

test('a scanner whose clamd is down says that it is not ready', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  {
    await using _outage = await stack.processes.keepDown('clamd')
    // A mail that comes shows it at once; without one the next self-test does, some seconds later.
    await stack.sendAsStranger(
      'x@sender.example',
      [bob.address],
      composeMail({ from: 'x@sender.example', to: bob.address }),
    )
    await eventually(async () => !(await stack.isReady('scanner')))
  }
  await eventually(() => stack.isReady('scanner'))
})

test('mail is accepted while clamd hangs, waits, and arrives scanned when it goes on', async () => {
  await checkOutage((stack) => stack.processes.freeze('clamd'))
})

test('mail is accepted while the scanner hangs, and arrives scanned when it goes on', async () => {
  await checkOutage((stack) => stack.processes.freeze('scanner'))
})
