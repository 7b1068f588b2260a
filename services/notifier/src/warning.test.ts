// Virus warnings as their readers get them: in their language, from us, and harmless whatever the stopped mail says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handleNotice } from './handler.ts'
import { shown, shownAddresses } from './shown.ts'
import { infected, jobOf, portsThatNote, readNotice, SUBMITTED } from './testing/notices.ts'

async function warningOf(notice: ReturnType<typeof infected>, preferences = {}) {
  const publications = await handleNotice(notice, portsThatNote(preferences).ports)
  return readNotice(publications[0]!)
}

test('a warning is mail of ours: null reverse-path, Auto-Submitted, MAILER-DAEMON of the reader’s domain, to be signed', async () => {
  const { queue, job, fields } = await warningOf(infected(jobOf()))
  assert.equal(queue, 'sign')
  assert.deepEqual(job.envelope, { mailFrom: '', recipients: [{ address: 'bob@example.test' }] })
  assert.deepEqual(job.session, { receivedBy: 'internal' })
  assert.equal(job.direction, 'submission')
  assert.equal(fields['auto-submitted'], 'auto-replied')
  assert.equal(fields.from, 'Mail Delivery System <MAILER-DAEMON@example.test>')
  assert.equal(fields.to, 'bob@example.test')
  assert.equal(fields['message-id'], `<${job.queueId}@mx.test>`)
})

test('a warning that is written twice is the same mail, and each reader has one of its own', async () => {
  const first = await warningOf(infected(jobOf()))
  assert.equal((await warningOf(infected(jobOf()))).job.queueId, first.job.queueId)
  assert.notEqual((await warningOf(infected(jobOf({ to: ['carol@example.test'] })))).job.queueId, first.job.queueId)
})

test('readers are told in their language, as sender or recipient, and through which list', async () => {
  const ja = { 'bob@example.test': { locale: 'ja' }, 'alice@example.test': { locale: 'ja' } }
  const japanese = await warningOf(infected(jobOf()), ja)
  assert.equal(japanese.fields.subject, 'ウイルス検知のお知らせ')
  for (const words of [
    'お客様宛てのメールから',
    '検知名: Eicar-Test',
    '件名: invoice',
    '差出人: Eve <eve@stranger.test>',
    `受付番号: ${jobOf().queueId}`,
  ])
    assert.ok(japanese.body.includes(words), words)
  assert.ok(
    (await warningOf(infected(jobOf({ ...SUBMITTED, to: [] })), ja)).body.includes('お客様が送信されたメールから'),
  )

  const english = await warningOf(infected(jobOf()))
  assert.equal(english.fields.subject, 'Virus warning')
  assert.match(
    english.body,
    /in a mail addressed to you[\s\S]*Virus: Eicar-Test\r\nSubject: invoice\r\nFrom: Eve <eve@stranger\.test>/,
  )
  assert.match((await warningOf(infected(jobOf({ ...SUBMITTED, to: [] })))).body, /in a mail that you sent/)
  assert.match(
    (await warningOf(infected(jobOf({ to: ['staff@example.test'] })))).body,
    /Mailing list: Staff <staff@example\.test>/,
  )
})

test('nothing in the stopped mail adds a header field or a part to the warning', async () => {
  for (const value of [
    'x\r\nBcc: victim@elsewhere.test',
    '=?UTF-8?B?eA0KQmNjOiB2aWN0aW1AZWxzZXdoZXJlLnRlc3QNCg0KYm9keQ==?=',
    '=?UTF-8?Q?x=0D=0A=0D=0A--boundary=0D=0AContent-Type:_text/html?=',
    'x\u2028y\u2029\u0085z\0',
    '=?unknown-charset?B?/////w==?=',
  ]) {
    const head = `From: ${value}\r\nTo: ${value}\r\nSubject: ${value}\r\nDate: ${value}\r\n\r\n`
    const { fields, body, text } = await warningOf(infected(jobOf(), head))
    assert.deepEqual(Object.keys(fields).sort(), [
      'auto-submitted',
      'content-transfer-encoding',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ])
    assert.match(fields['content-type']!, /^text\/plain/)
    assert.ok(!/[\0\u0085\u2028\u2029]/.test(body))
    assert.ok(!/[^\r\n\x20-\x7e]/.test(text), 'the warning is 7bit')
    assert.equal(body.split('\r\n').filter((line) => line.startsWith('Subject: ')).length, 1)
  }
})

test('what a stranger wrote is shown without anything that becomes a link', () => {
  for (const [value, expected] of [
    ['see http://evil.test/x?y', 'see http:[//]evil[.]test/x?y'],
    ['evil.test/login and www.evil.test', 'evil[.]test/login and www[.]evil[.]test'],
    ['=?UTF-8?Q?http://evil.test?=', 'http:[//]evil[.]test'],
    ['call@evil.test 5.1.1', 'call@evil[.]test 5.1.1'],
    ['\u202egnp.exe\u202c a\u200bb', 'gnp[.]exe a b'],
    ['end. of v1', 'end. of v1'],
    ['', '-'],
    [' \r\n ', '-'],
    ['\u200b', '-'],
  ] as const)
    assert.equal(shown(value), expected)
  assert.equal(shown(undefined), '-')
  assert.equal(shownAddresses('Eve <eve@evil.test>, "a.b" <x@y.test>;'), 'Eve <eve@evil.test>, "a[.]b" <x@y.test>;')
  assert.equal(shownAddresses('www.evil.test@x.test'), 'www[.]evil[.]test@x[.]test')
  assert.equal(
    shownAddresses('http://evil.test@x.test evil.test/a@b.test'),
    'http:[//]evil[.]test@x[.]test evil[.]test/a@b[.]test',
  )
})

test('a long or hostile value is cut, in little time', () => {
  assert.equal([...shown('😀'.repeat(300))].length, 201)
  for (const value of ['=?utf-8?B?'.repeat(20_000), `=?utf-8?Q?${'='.repeat(200_000)}?=`, 'a.'.repeat(120_000)]) {
    const before = process.cpuUsage()
    assert.ok([...shown(value)].length <= 801)
    assert.ok(process.cpuUsage(before).user < 1_000_000)
  }
})

test('a warning that was stopped itself, for what it quotes, is written once more without it', async () => {
  const own = jobOf({ session: { receivedBy: 'internal' } })
  own.history = [{ stage: 'notify', at: 1, outcome: 'written' }]
  const { fields, body, job } = await warningOf(infected(own, 'Subject: Virus warning\r\n\r\n'))
  assert.equal(fields.subject, 'Virus warning')
  assert.ok(!body.includes('stranger.test') && body.includes(own.queueId))
  const again = await handleNotice(infected({ ...own, history: job.history }), portsThatNote().ports)
  assert.deepEqual(again, [])
})
