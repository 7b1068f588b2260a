// clamd killed, standing still and reloading while mail pours in: nothing is delivered without a verdict, no virus gets
// by, and nothing is lost.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { ndbLines } from '@sekimori/testing/signature-database'
import type { Stack } from '@sekimori/testing/stack'
import { sendSteadily } from '@sekimori/testing/steady-sender'
import { virusMail } from '@sekimori/testing/virus-mail'

const STRANGER = 'stranger@sender.example'
const MAILS_EACH = 40
const WARNING = 'ウイルス検知のお知らせ'

/** What happens to clamd, each when so many mails have been accepted. */
function troubles(stack: Stack, signatureFile: string): (() => unknown)[] {
  let frozen: Disposable | undefined
  return [
    () => stack.processes.kill('clamd'),
    () => {
      frozen = stack.processes.freeze('clamd')
    },
    () => frozen?.[Symbol.dispose](),
    () => {
      writeFileSync(`${signatureFile}.partial`, ndbLines({ 'Test.Other': randomUUID() }))
      renameSync(`${signatureFile}.partial`, signatureFile)
    },
    () => stack.processes.kill('clamd'),
  ]
}

test('clamd is killed, frozen and given other signatures under load: all mail is scanned, and no virus gets by', async () => {
  const stack = await sharedStack()
  const [clean, infected] = [await stack.createMailbox(), await stack.createMailbox()]
  const accepted: { messageId: string; to: string }[] = []
  const load = [clean, clean, infected].map(({ address }) =>
    sendSteadily({
      from: STRANGER,
      to: address,
      count: MAILS_EACH,
      dial: () => stack.dialMx(),
      compose: address === clean.address ? composeMail : virusMail,
      onAccepted: ({ messageId }) => accepted.push({ messageId, to: address }),
    }),
  )
  const signatureFile = join(stack.launcher.stateDir, 'clamav', `test-${randomUUID()}.ndb`)
  try {
    for (const [index, trouble] of troubles(stack, signatureFile).entries()) {
      await eventually(() => accepted.length >= (index + 1) * 18, { withinMs: 60_000 })
      await trouble()
    }
    await Promise.all(load)
  } finally {
    rmSync(signatureFile, { force: true })
  }
  const arrived = await stack.received(clean, 2 * MAILS_EACH, 120_000)
  for (const mail of arrived) assert.match(fieldOf(mail, 'X-Virus-Status'), /^clean; .*engine="ClamAV [\d.]+/)
  const expected = accepted.filter(({ to }) => to === clean.address).map(({ messageId }) => messageId)
  assert.deepEqual(arrived.map((mail) => fieldOf(mail, 'Message-ID')).sort(), expected.sort())
  const warnings = await stack.received(infected, MAILS_EACH, 120_000)
  assert.deepEqual([...new Set(warnings.map(subjectOf))], [WARNING])
  await stack.untilReady()
})
