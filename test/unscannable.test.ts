// Mail that the virus check can't look into: delivered, held or refused as each domain wants, and never passed for clean.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { encryptedZip } from '@sekimori/testing/encrypted-zip'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, fieldOf, subjectOf, textOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { mailWithAttachment } from '@sekimori/testing/virus-mail'
import { domainWithPolicy } from '@sekimori/testing/virus-policy'

const STRANGER = 'stranger@sender.example'
let archive: Buffer

before(async () => {
  archive = await encryptedZip('plans.txt', Buffer.from('nobody can look into this'))
})

const encryptedMail = (from: string, to: string) => mailWithAttachment({ from, to }, 'plans.zip', archive)
const fromStranger = (stack: Stack, ...to: Mailbox[]) =>
  stack.sendAsStranger(
    STRANGER,
    to.map(({ address }) => address),
    encryptedMail(STRANGER, to[0]!.address),
  )

/** The mails in the maildrop once a later mail has come through: no more are on their way. */
async function onlyMails(stack: Stack, mailbox: Mailbox, count: number): Promise<Buffer[]> {
  await stack.received(mailbox, count)
  const marker = composeMail({ from: STRANGER, to: mailbox.address, subject: 'marker' })
  await stack.sendAsStranger(STRANGER, [mailbox.address], marker)
  const mails = await stack.received(mailbox, count + 1)
  return mails.filter((mail) => subjectOf(mail) !== 'marker')
}

async function released(stack: Stack, queueId: string): Promise<void> {
  await eventually(async () => (await stack.quarantined(queueId))?.state === 'released')
}

const outcomes = async (stack: Stack, queueId: string, count = 1) =>
  (await stack.ended(queueId, count)).map(({ stage, outcome }) => `${stage} ${outcome}`).sort()

test('S1-24 by default a mail with an encrypted archive is delivered; header and trace say so, with engine and signatures', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const queueId = await fromStranger(stack, bob)
  const [mail] = await onlyMails(stack, bob, 1)
  const status = fieldOf(mail!, 'X-Virus-Status')
  assert.match(status, /^unscannable \(encrypted\);/)
  const engine = /engine="(ClamAV [^"]+)"/.exec(status)?.[1]
  assert.ok(engine)
  const { body } = await stack.api('GET', `/v1/messages?queueId=${queueId}`)
  const scan = body.items[0].history.find(({ stage }: { stage: string }) => stage === 'scan')
  assert.equal(scan.outcome, `unscannable (encrypted) by ${engine}`)
  assert.equal(await stack.quarantined(queueId), undefined)
})

test('a domain that wants it has the recipient told of what was delivered unchecked', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { notice: true }))()
  const queueId = await fromStranger(stack, bob)
  const mails = await onlyMails(stack, bob, 2)
  const notice = mails.find((mail) => subjectOf(mail) === 'ウイルス検査ができなかったメールのお知らせ')
  assert.ok(textOf(notice!).includes(queueId))
})

test('held mail is not delivered; released, by several calls, it is delivered once and never as clean', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { action: 'hold' }))()
  const sent = encryptedMail(STRANGER, bob.address)
  const queueId = await stack.sendAsStranger(STRANGER, [bob.address], sent)
  assert.deepEqual(await outcomes(stack, queueId), ['quarantine held'])
  assert.deepEqual(await onlyMails(stack, bob, 0), [])
  const held = await stack.quarantined(queueId)
  assert.deepEqual([held?.kind, held?.reason, held?.state, held?.isReleasable], ['held', 'encrypted', 'kept', true])
  const release = () => stack.api('POST', `/v1/quarantine/${queueId}/release`)
  const answers = await Promise.all([release(), release(), release()])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202],
  )
  await released(stack, queueId)
  assert.equal((await release()).status, 202)
  const mails = (await onlyMails(stack, bob, 2)).filter((mail) => subjectOf(mail) === 'a test')
  assert.equal(mails.length, 1)
  assert.match(fieldOf(mails[0]!, 'X-Virus-Status'), /^unscannable \(encrypted\);/)
  assert.ok(bodyOf(mails[0]!).equals(bodyOf(sent)))
  assert.deepEqual(await outcomes(stack, queueId, 2), ['maildrop delivered', 'quarantine released'])
})

test('what an account sends is held by its own domain, and goes out signed, once, when it is released', async () => {
  const stack = await sharedStack()
  const alice = await (await domainWithPolicy(stack, { action: 'hold', notice: true }))()
  const domain = stack.createRemoteDomain()
  const to = `friend@${domain}`
  const queueId = await stack.submit(alice, [to], encryptedMail(alice.address, to))
  const arrived = () => stack.remote.mails.filter(({ recipients }) => recipients.includes(to))
  const [notice] = await onlyMails(stack, alice, 1)
  assert.equal(subjectOf(notice!), 'ウイルス検査ができなかったメールを保留しました')
  assert.deepEqual(arrived(), [])
  for (let call = 0; call < 2; call++) await stack.api('POST', `/v1/quarantine/${queueId}/release`)
  await eventually(async () => (await stack.ended(queueId)).some(({ outcome }) => outcome === 'sent'))
  assert.equal(arrived().length, 1)
  const { data } = arrived()[0]!
  assert.match(fieldOf(data, 'X-Virus-Status'), /^unscannable \(encrypted\);/)
  assert.ok(data.includes('DKIM-Signature:'))
})

test('between accounts of a domain that holds, one release is enough', async () => {
  const stack = await sharedStack()
  const createMailbox = await domainWithPolicy(stack, { action: 'hold' })
  const [alice, bob] = [await createMailbox(), await createMailbox()]
  const queueId = await stack.submit(alice, [bob.address], encryptedMail(alice.address, bob.address))
  await eventually(() => stack.quarantined(queueId))
  await stack.api('POST', `/v1/quarantine/${queueId}/release`)
  const [mail] = await onlyMails(stack, bob, 1)
  assert.match(fieldOf(mail!, 'X-Virus-Status'), /^unscannable/)
})

test('an account whose domain refuses gets the mail back with 5.7.1, and it is not released', async () => {
  const stack = await sharedStack()
  const alice = await (await domainWithPolicy(stack, { action: 'refuse' }))()
  const domain = stack.createRemoteDomain()
  const to = `friend@${domain}`
  const queueId = await stack.submit(alice, [to], encryptedMail(alice.address, to))
  const [dsn] = await onlyMails(stack, alice, 1)
  assert.match(fieldOf(dsn!, 'Content-Type'), /delivery-status/)
  assert.match(bodyOf(dsn!).toString(), /^Status: 5\.7\.1\r$/m)
  assert.deepEqual(await outcomes(stack, queueId), ['quarantine bounced'])
  assert.equal((await stack.api('POST', `/v1/quarantine/${queueId}/release`)).status, 409)
  assert.ok(stack.remote.mails.every(({ recipients }) => !recipients.includes(to)))
})

test('a stranger is never told of a refusal; the recipient is, where the domain wants it, and may have it released', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { action: 'refuse', notice: true }))()
  const domain = stack.createRemoteDomain()
  const stranger = `stranger@${domain}`
  const queueId = await stack.sendAsStranger(stranger, [bob.address], encryptedMail(stranger, bob.address))
  const [notice] = await onlyMails(stack, bob, 1)
  assert.equal(subjectOf(notice!), 'ウイルス検査ができなかったメールの受け取りを拒否しました')
  assert.deepEqual(await outcomes(stack, queueId), ['quarantine dropped'])
  assert.ok(stack.remote.mails.every(({ recipients }) => !recipients.includes(stranger)))
  assert.equal((await stack.quarantined(queueId))?.kind, 'refused')
  assert.equal((await stack.api('POST', `/v1/quarantine/${queueId}/release`)).status, 202)
  await stack.received(bob, 3)
})

test('one mail to three domains meets three policies', async () => {
  const stack = await sharedStack()
  const domains = [{ action: 'deliver' }, { action: 'hold' }, { action: 'refuse' }] as const
  const mailboxes: Mailbox[] = []
  for (const rule of domains) mailboxes.push(await (await domainWithPolicy(stack, rule))())
  const queueId = await fromStranger(stack, ...mailboxes)
  const ends = await stack.ended(queueId, 3)
  const outcomeOf = ({ address }: Mailbox) => ends.find(({ recipient }) => recipient === address)?.outcome
  assert.deepEqual(mailboxes.map(outcomeOf), ['delivered', 'held', 'dropped'])
  for (const [index, count] of [1, 0, 0].entries()) await onlyMails(stack, mailboxes[index]!, count)
  const { body } = await stack.api('GET', `/v1/quarantine/${queueId}`)
  assert.deepEqual(
    body.items.map(({ kind }: { kind: string }) => kind),
    ['held', 'refused'],
  )
})
