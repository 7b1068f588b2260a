// UIDL (RFC 1939 section 7): a unique-id is never used again, not even for an account that was removed and made again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const SENDER = 'someone@sender.example'

/** Sends a mail to the mailbox; resolves to the unique-ids of all that it holds then. */
async function uidsAfterMail(stack: Stack, mailbox: Mailbox, count: number): Promise<string[]> {
  await stack.sendAsStranger(SENDER, [mailbox.address], composeMail({ from: SENDER, to: mailbox.address }))
  return eventually(async () => {
    await using pop3 = await stack.dialPop3s(mailbox)
    const uids = (await pop3.uidl()).map(({ uid }) => uid)
    await pop3.quit()
    return uids.length === count && uids
  })
}

test('RFC 1939 7 a maildrop that is removed and made again never shows a unique-id of before', async () => {
  const stack = await sharedStack()
  const mailbox = await stack.createMailbox()
  const seen = new Set(await uidsAfterMail(stack, mailbox, 1))
  // The newest message goes, and the account with the rest: both are what a counter by maildrop would forget.
  for (const uid of await uidsAfterMail(stack, mailbox, 2)) seen.add(uid)
  await using pop3 = await stack.dialPop3s(mailbox)
  await pop3.dele(2)
  await pop3.quit()
  for (let life = 0; life < 2; life++) {
    const path = `/v1/accounts/${mailbox.address}`
    assert.equal((await stack.api('DELETE', path)).status, 204)
    assert.equal((await stack.api('POST', '/v1/accounts', { ...mailbox })).status, 201)
    const [uid, ...more] = await uidsAfterMail(stack, mailbox, 1)
    assert.deepEqual([seen.has(uid!), more], [false, []])
    seen.add(uid!)
  }
})
