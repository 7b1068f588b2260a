// What a crash leaves in the content store is freed, and what a waiting mail needs stays, however long it waits.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { backgroundStack } from '@sekimori/testing/background-stack'
import { runStatement } from '@sekimori/testing/database-dump'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf } from '@sekimori/testing/mail-text'
import type { Stack } from '@sekimori/testing/stack'
import { mailWithAttachment } from '@sekimori/testing/virus-mail'

const STRANGER = 'stranger@sender.example'
const PATIENCE = { withinMs: 60_000 }
const large = (to: string) => mailWithAttachment({ from: STRANGER, to }, 'film.bin', randomBytes(300_000))

const contents = async (stack: Stack, where: string): Promise<string[]> =>
  (await runStatement<{ id: string }>(stack.endpoints.databaseUrl, `select id from content where ${where}`)).map(
    ({ id }) => id,
  )

async function sweptAt(stack: Stack): Promise<number> {
  const text = await (await fetch(`${stack.endpoints.health['local-delivery']}/metrics`)).text()
  return Number(/^sekimori_content_swept_timestamp_seconds(?:\{.*\})? ([\d.e+]+)$/m.exec(text)?.[1] ?? 0)
}

test('an edge is killed between storing and publishing, and in the middle of storing: the sweep frees both, and no other', async () => {
  const stack = await backgroundStack()
  const bob = await stack.createMailbox()
  await stack.sendAsStranger(STRANGER, [bob.address], large(bob.address))
  await stack.received(bob)
  const before = await contents(stack, 'true')
  const fresh = async (size: string) =>
    (await contents(stack, `size_bytes ${size}`)).filter((id) => !before.includes(id)).length === 1
  {
    await using _down = await stack.processes.keepDown('rabbitmq')
    const sessions = await Promise.all([stack.dialMx(), stack.dialMx()])
    for (const smtp of sessions) {
      await smtp.say(`MAIL FROM:<${STRANGER}>`, 250)
      await smtp.say(`RCPT TO:<${bob.address}>`, 250)
      await smtp.say('DATA', 354)
    }
    const mail = large(bob.address)
    await sessions[0]!.raw(Buffer.concat([mail, Buffer.from('.\r\n')]))
    await sessions[1]!.raw(mail.subarray(0, 200_000))
    await eventually(async () => (await fresh('> 0')) && (await fresh('= -1')), PATIENCE)
    process.kill(stack.processes.pid('mx-gateway'), 'SIGKILL')
    for (const smtp of sessions) await smtp[Symbol.asyncDispose]()
  }
  await eventually(async () => (await contents(stack, 'true')).length === before.length, PATIENCE)
  assert.deepEqual((await contents(stack, 'true')).sort(), before.sort())
  await stack.untilReady()
})

test('content of a mail that has waited in its queue for a month is never freed', async () => {
  const stack = await backgroundStack()
  const bob = await stack.createMailbox()
  const mail = large(bob.address)
  {
    using _frozen = stack.processes.freeze('scanner')
    const queueId = await stack.sendAsStranger(STRANGER, [bob.address], mail)
    const url = stack.endpoints.databaseUrl
    await runStatement(url, `update content set created_at = now() - interval '30 days' where id = $1`, [queueId])
    await runStatement(
      url,
      `update content_use set pending_since = pending_since - interval '30 days' where content_id = $1`,
      [queueId],
    )
    // The second sweep from here on began after the change.
    for (let sweeps = 0, last = await sweptAt(stack); sweeps < 2; sweeps++)
      last = await eventually(async () => {
        const at = await sweptAt(stack)
        return at > last && at
      }, PATIENCE)
    assert.deepEqual(await contents(stack, `id = '${queueId}'`), [queueId])
  }
  const [received] = await stack.received(bob, 1, 60_000)
  assert.ok(bodyOf(received!).equals(bodyOf(mail)))
})
