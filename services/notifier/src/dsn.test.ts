// Delivery status notifications: to authenticated senders only, with the parts of RFC 3464, in ASCII where it asks for that.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FailedRecipient, Notice } from '@sekimori/mail/notice'
import type { Publication } from '@sekimori/queue/queues'
import { handleNotice } from './handler.ts'
import { decoded, HEAD, jobOf, portsThatNote, readNotice, SUBMITTED } from './testing/notices.ts'

const FAILED: FailedRecipient = {
  address: 'x@elsewhere.test',
  status: '5.1.1',
  diagnostic: '550 5.1.1 No such user',
  remoteMta: 'mx.elsewhere.test',
  orcpt: 'rfc822;x@elsewhere.test',
}

function undelivered(changes: Partial<Extract<Notice, { kind: 'undelivered' }>> = {}, head = HEAD): Notice {
  const job = jobOf({ ...SUBMITTED, messageId: '<original@example.test>' })
  job.envelope.envid = 'env1'
  const content = { kind: 'inline' as const, bytes: Buffer.from(head) }
  return { kind: 'undelivered', action: 'failed', recipients: [FAILED], job, content, ...changes }
}

const report = (notice: Notice, preferences = {}): Promise<Publication[]> =>
  handleNotice(notice, portsThatNote(preferences).ports)

async function partsOf(notice: Notice, preferences = {}) {
  const read = readNotice((await report(notice, preferences))[0]!)
  const boundary = /boundary="([^"]+)"/.exec(read.fields['content-type']!)![1]!
  const parts = read.text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const end = part.indexOf('\r\n\r\n')
      const head = part.slice(2, end)
      const body = part.slice(end + 4)
      return { head, body, text: decoded(/Transfer-Encoding: (\S+)/.exec(head)?.[1], body) }
    })
  return { ...read, parts }
}

test('a report has the words, the fields of RFC 3464, and the header of the mail', async () => {
  const { fields, parts, job } = await partsOf(undelivered())
  assert.match(fields['content-type']!, /^multipart\/report; report-type=delivery-status;/)
  assert.equal(fields.references, '<original@example.test>')
  assert.equal(fields['auto-submitted'], 'auto-replied')
  assert.deepEqual(job.envelope, { mailFrom: '', recipients: [{ address: 'alice@example.test' }] })
  assert.deepEqual(
    parts.map(({ head }) => /Content-Type: ([^;\r]+)/.exec(head)![1]),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  )
  assert.ok(!/Transfer-Encoding/i.test(parts[1]!.head))
  assert.equal(
    parts[1]!.body.trim(),
    [
      'Reporting-MTA: dns; mx.test',
      'Original-Envelope-Id: env1',
      'Arrival-Date: Mon, 2 Mar 2026 00:00:00 +0000',
      '',
      'Original-Recipient: rfc822;x@elsewhere.test',
      'Final-Recipient: rfc822; x@elsewhere.test',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.elsewhere.test',
      'Diagnostic-Code: smtp; 550 5.1.1 No such user',
    ].join('\r\n'),
  )
  assert.match(parts[2]!.body, /^From: Eve <eve@stranger\.test>\r\nTo: bob@example\.test\r\nSubject: invoice\r\n/)
})

test('several recipients have a block each, a failure of ours names no remote server', async () => {
  const own: FailedRecipient = { address: 'gone@example.test', status: '5.1.1', diagnostic: 'No such address here' }
  const { parts } = await partsOf(undelivered({ recipients: [FAILED, own] }))
  const blocks = parts[1]!.body.trim().split('\r\n\r\n')
  assert.equal(blocks.length, 3)
  assert.match(
    blocks[2]!,
    /^Final-Recipient: rfc822; gone@example\.test\r\nAction: failed\r\nStatus: 5\.1\.1\r\nDiagnostic-Code: X-Sekimori; No such address here$/,
  )
})

test('a delay is told as a delay, in the language of the sender', async () => {
  const { fields, parts } = await partsOf(undelivered({ action: 'delayed' }), {
    'alice@example.test': { locale: 'ja' },
  })
  assert.equal(fields.subject, 'メールの配送が遅れています')
  assert.match(parts[0]!.text, /再送の必要はありません/)
  assert.match(parts[1]!.body, /Action: delayed/)
  const failed = await partsOf(undelivered())
  assert.equal(failed.fields.subject, 'Your mail could not be delivered')
  assert.match(failed.parts[0]!.text, /x@elsewhere\.test\r\n {2}5\.1\.1 550/)
})

test('each kind of report is told in Japanese and in English', async () => {
  const subjects = {
    failed: ['メールをお届けできませんでした', 'Your mail could not be delivered'],
    delayed: ['メールの配送が遅れています', 'Your mail is delayed'],
    relayed: ['メールを相手先のサーバーに引き渡しました', 'Your mail was handed over'],
  } as const
  for (const [action, both] of Object.entries(subjects) as ['failed' | 'delayed' | 'relayed', readonly string[]][])
    for (const [index, locale] of (['ja', 'en'] as const).entries()) {
      const { fields, parts } = await partsOf(undelivered({ action }), { 'alice@example.test': { locale } })
      assert.equal(fields.subject, both[index])
      assert.match(parts[0]!.text, locale === 'ja' ? /受付番号: / : /Queue id: /)
      assert.match(parts[1]!.body, new RegExp(`^Action: ${action}\r$`, 'm'))
    }
})

test('what a remote server says breaks neither the fields nor the lines, and stays ASCII', async () => {
  const hostile: FailedRecipient = {
    address: '利用者@例え.test',
    status: '5.0.0',
    diagnostic: `550 x\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; y@z.test ${'é'.repeat(2_000)}`,
    remoteMta: 'mx\r\nX: 1',
    orcpt: 'rfc822;a\r\nb',
  }
  const { parts, text } = await partsOf(undelivered({ recipients: [hostile] }, 'Subject: \xe9\r\nX: caf\u00e9\r\n\r\n'))
  assert.ok(!/[^\r\n\t\x20-\x7e]/.test(text), 'all of the report is 7bit')
  const [, block, ...others] = parts[1]!.body.trim().split('\r\n\r\n')
  assert.equal(others.length, 0)
  assert.match(block!, /^Final-Recipient: utf-8; \\x\{5229\}\\x\{7528\}\\x\{8005\}@\\x\{4F8B\}\\x\{3048\}\.test\r$/m)
  assert.equal(block!.match(/^Action:/gm)?.length, 1)
  assert.match(block!, /^Diagnostic-Code: smtp; 550 x Action: delivered Final-Recipient: rfc822; y@z\.test \?{50}/m)
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998)
})

test('nobody but an authenticated sender gets a report, and never about mail with a null reverse-path', async () => {
  assert.deepEqual(await report(undelivered({ job: jobOf() })), [])
  const bounce = jobOf(SUBMITTED)
  bounce.envelope.mailFrom = ''
  assert.deepEqual(await report(undelivered({ job: bounce })), [])
  const gone = jobOf({ ...SUBMITTED, session: { receivedBy: 'submission', account: 'gone@example.test' } })
  assert.deepEqual(await report(undelivered({ job: gone })), [])
  assert.deepEqual(await report(undelivered({ job: jobOf({ session: { receivedBy: 'internal' } }) })), [])
})

test('a report that is written twice is one mail; another failure of the same mail is another', async () => {
  const idOf = async (notice: Notice) => readNotice((await report(notice))[0]!).job.queueId
  const other = { ...FAILED, address: 'y@elsewhere.test' }
  const first = await idOf(undelivered({ recipients: [FAILED, other] }))
  assert.equal(await idOf(undelivered({ recipients: [other, FAILED] })), first)
  assert.notEqual(await idOf(undelivered()), first)
  assert.notEqual(await idOf(undelivered({ action: 'delayed', recipients: [FAILED, other] })), first)
})

test('only a proper Message-ID becomes a reference', async () => {
  for (const messageId of ['<a b@c>', 'x\r\nBcc: y', `<${'x'.repeat(600)}>`, '']) {
    const notice = undelivered({ job: jobOf({ ...SUBMITTED, messageId }) })
    assert.equal(readNotice((await report(notice))[0]!).fields.references, undefined, messageId)
  }
})

test('a failure comes back with the whole mail when that was asked for, octet by octet', async () => {
  const mail = `${HEAD}the body\r\n.\r\nend\r\n`
  const { parts } = await partsOf(undelivered({ isWhole: true }, mail))
  assert.match(parts[2]!.head, /Content-Type: message\/rfc822/)
  assert.equal(parts[2]!.body.trimEnd(), mail.trimEnd())
})

test('that a mail was relayed is told as that', async () => {
  const relayed = undelivered({ action: 'relayed', recipients: [{ ...FAILED, status: '2.0.0', diagnostic: '250 Ok' }] })
  const { parts } = await partsOf(relayed)
  assert.match(parts[1]!.body, /^Action: relayed\r\nStatus: 2\.0\.0\r$/m)
  assert.match(parts[0]!.text, /handed over|引き渡しました/)
})
