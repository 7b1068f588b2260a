// npm run check:thunderbird: Debian's Thunderbird, without a display, sends over 465 and 587 and fetches over 995 and 110.
// Not in npm test, because of the 80 MB that there are to install; for nightly runs.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { eventually } from '@sekimori/testing/eventually'
import { fieldOf, fieldsOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { addAccount, type Listener, type Security, trustAuthority } from './inside-account.ts'
import { getMessages, readInbox, send } from './inside-mail.ts'
import { notedPrompts, notePrompts } from './inside-prompts.ts'
import type { Marionette } from './marionette.ts'
import { startThunderbird } from './program.ts'

const SUBJECT = '請求書の件: 髙橋様、𠮷野家のご案内と、とても長い題名をここに書いておきます'
const BODY = 'こんにちは、世界。①㈱\r\n.dot\r\n..two dots\r\n\r\nFrom the beginning\r\nthe end\r\n'
/** What the message window shows of it. */
const SHOWN = BODY.replaceAll('\r\n', '\n').trimEnd()
/** All octets, in 250 KB. */
const ATTACHED = Buffer.from(Array.from({ length: 250_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff))

let thunderbird: Awaited<ReturnType<typeof startThunderbird>>
let control: Marionette
let stack: Stack
let dir: string

before(async () => {
  stack = await sharedStack()
  thunderbird = await startThunderbird()
  control = thunderbird.control
  await control.run(trustAuthority, stack.ca.toString())
  await control.run(notePrompts)
  dir = await mkdtemp(join(tmpdir(), 'attachment-'))
  await writeFile(join(dir, '資料 第1号.bin'), ATTACHED)
})

after(async () => {
  if (dir !== undefined) await rm(dir, { recursive: true })
  await thunderbird?.[Symbol.asyncDispose]()
})

for (const [outgoing, incoming, security] of [
  ['smtps', 'pop3s', 'SSL'],
  ['submission', 'pop3', 'alwaysSTARTTLS'],
] as const) {
  const account = ({ address, password }: Mailbox, name: string, leavesOnServer: boolean) =>
    control.run(addAccount, {
      ...{ name, address, password, leavesOnServer },
      ...{ outgoing: listener(outgoing, security), incoming: listener(incoming, security) },
    })

  test(`S1-01 S1-10 S2-18 Thunderbird sends over ${outgoing} (${security})`, async () => {
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    assert.equal(await control.run(send, draft(await account(alice, '山田 太郎', false), [bob])), 0)
    const [received] = await stack.received(bob)
    assert.equal(subjectOf(received!), SUBJECT)
    assert.match(fieldOf(received!, 'From'), new RegExp(`^=\\?UTF-8\\?.* <${alice.address}>$`))
    assert.match(fieldsOf(received!, 'Received').at(-1)!, /with ESMTPSA .*TLSv1\.[23]/s)
  })

  test(`S1-01 S1-09 S2-19 Thunderbird fetches over ${incoming} (${security})`, async () => {
    const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
    const from = await account(alice, '山田 太郎', false)
    const to = [await account(bob, '鈴木 花子', true), await account(carol, '', false)]
    assert.equal(await control.run(send, draft(from, [bob, carol])), 0)
    for (const mailbox of [bob, carol]) await stack.received(mailbox)
    for (const key of to) {
      assert.equal(await control.run(getMessages, key), 0)
      const attachments = [{ name: '資料 第1号.bin', base64: ATTACHED.toString('base64') }]
      const expected = { subject: SUBJECT, author: `山田 太郎 <${alice.address}>`, text: SHOWN, attachments }
      assert.deepEqual(await control.run(readInbox, key), [expected])
    }
    assert.equal((await stack.messages(bob)).length, 1, 'left on the server')
    assert.deepEqual(await stack.messages(carol), [])
    assert.equal(await control.run(getMessages, to[0]!), 0)
    assert.equal((await control.run(readInbox, to[0]!)).length, 1, 'known by its UIDL, so not fetched twice')
  })

  test(`S1-05 Thunderbird tells of a wrong password on ${incoming} and ${outgoing}`, async () => {
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const { length: noted } = await control.run(notedPrompts)
    const key = await account({ ...alice, password: 'wrong' }, '山田 太郎', false)
    assert.notEqual(await control.run(getMessages, key), 0)
    assert.notEqual(await control.run(send, draft(key, [bob])), 0)
    const ofThis = (text: string) => text.includes(alice.address) || text.includes('Sending of the message failed')
    const failed = `Login to server localhost with username ${alice.address} failed.`
    const prompts = await eventually(async () => {
      const found = (await control.run(notedPrompts)).splice(noted).filter(ofThis)
      return found.length >= 3 && found
    })
    assert.deepEqual(prompts.slice(0, 2), [failed, failed])
    assert.match(prompts[2]!, /^Sending of the message failed\.\nUnable to authenticate/)
    assert.deepEqual(await stack.messages(bob), [])
  })
}

const listener = (name: 'smtps' | 'submission' | 'pop3s' | 'pop3', security: Security): Listener => ({
  port: stack.endpoints[name].port,
  security,
})

const draft = (accountKey: string, to: Mailbox[]) => ({
  accountKey,
  to: to.map(({ address }) => address).join(', '),
  subject: SUBJECT,
  body: BODY,
  attachment: pathToFileURL(join(dir, '資料 第1号.bin')).href,
})
