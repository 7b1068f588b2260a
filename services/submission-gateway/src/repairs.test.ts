// What a submitted mail looks like behind the socket: mended where it must be, and octet for octet the same otherwise
// (RFC 6409 section 8); and what its Received field tells (RFC 5321 section 4.4, RFC 8314).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { ALICE, listen, loggedIn, portsThatNote } from './testing/submission.ts'

const envelope = { mailFrom: ALICE, recipients: ['bob@example.test'] }
const STAYS = [
  `From:  "A, B" <${ALICE}>\t(a comment)\r\n`,
  'date : Mon, 2 Mar 2026 10:00:00 +0000\r\n',
  'MESSAGE-ID:<1@x>\r\n',
  'Resent-Date: Mon, 2 Mar 2026 11:00:00 +0000\r\n',
  `Resent-From: ${ALICE}\r\n`,
  'Resent-To: bob@example.test\r\n',
  'Resent-Message-ID: <2@x>\r\n',
  `sender: ${ALICE}\r\n`,
  'To: undisclosed-recipients:;\r\nCc:\r\n',
  'X-Bcc: not a Bcc\r\n',
  'Subject: \xe9\xff raw octets \r\n\tand a fold \r\n',
]
const BODY = '\r\nBcc: only text\r\n\r\nDate: text\r\n \t \r\n.\r\n..dots\r\n\xe3\x81\x93\xff\r\nno line end at the end'

/** Sends the mail; resolves to the job that it became. */
async function submitted(mail: string, options: { hide?: boolean } = {}): Promise<Job & { text: string }> {
  const { ports, jobs } = portsThatNote()
  const changes = options.hide === undefined ? {} : { CLIENT_ADDRESS: options.hide ? 'hide' : 'show' }
  await using listener = await listen(ports, 'implicit', changes as { CLIENT_ADDRESS?: 'hide' | 'show' })
  await using client = await loggedIn(listener.port)
  await client.send(envelope, Buffer.from(mail, 'latin1'))
  const [job] = jobs as [Job]
  return { ...job, text: job.content.kind === 'inline' ? job.content.bytes.toString('latin1') : '' }
}

test('a mail that needs nothing is taken octet for octet', async () => {
  const mail = `${STAYS.join('')}${BODY}`
  assert.equal((await submitted(mail)).text, `${mail}\r\n`)
})

test('every Bcc goes, however it is written, and nothing beside it', async () => {
  const hidden = [
    'Bcc: x@elsewhere.test\r\n',
    'BCC : a@elsewhere.test,\r\n\tb@elsewhere.test,\r\n c@elsewhere.test\r\n',
    'bcc:\r\n',
    'Resent-Bcc: d@elsewhere.test\r\n',
    'rEsEnT-bCc:e@elsewhere.test\r\n',
  ]
  const mixed = STAYS.flatMap((field, index) => [field, hidden[index % hidden.length]]).join('')
  const { text } = await submitted(`${hidden[1]}${mixed}${BODY}`)
  assert.equal(text, `${STAYS.join('')}${BODY}\r\n`)
})

test('what is missing is added before the rest, which stays as it is', async () => {
  const rest = 'Subject: x\r\nX-Date: Bcc: y\r\n'
  const { text, queueId } = await submitted(`${rest}${BODY}`)
  const [, added, kept] = /^(From: [\s\S]*?\r\nMessage-ID: .*?\r\n)([\s\S]*)$/.exec(text) ?? []
  assert.equal(kept, `${rest}${BODY}\r\n`)
  const date = /^From: alice@example\.test\r\nDate: (.*)\r\nMessage-ID: <(.*)@mx\.test>\r\n$/.exec(added!)
  assert.ok(Math.abs(Date.parse(date![1]!) - Date.now()) < 3_600_000)
  assert.equal(date![2], queueId)
})

test('Received has the TLS facts, and the client only when the operator wants it shown', async () => {
  const facts = /by mx\.test with ESMTPSA id \w+\r\n\t\(TLSv1\.3\)\r\n\tfor <bob@example\.test>\r\n\ttls TLS_\w+;\r\n\t/
  for (const hide of [true, false]) {
    const { added, session } = await submitted(`${STAYS.join('')}${BODY}`, { hide })
    assert.match(added[0]!, facts)
    const from = hide
      ? /^Received: from withheld\.invalid \(a client that has logged in\)\r\n\tby /
      : /^Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby /
    assert.match(added[0]!, from)
    assert.doesNotMatch(hide ? added.join() : '', /127\.0\.0\.1|client\.test/)
    assert.deepEqual([session.clientAddress, session.ehloName], ['127.0.0.1', 'client.test'])
  }
})

test('RFC 3461, 6152, 6531 and 8689: what the client asks for goes on with the mail', async () => {
  const { ports, jobs } = portsThatNote()
  await using listener = await listen(ports, 'implicit')
  await using client = await loggedIn(listener.port)
  const parameters = 'SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb REQUIRETLS AUTH=<>'
  await client.say(`MAIL FROM:<${ALICE}> ${parameters}`, 250)
  await client.say('RCPT TO:<bob@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bob@other.test', 250)
  await client.say('RCPT TO:<関@例え.test> NOTIFY=NEVER', 250)
  await client.say('DATA', 354)
  await client.sendMessage(`${STAYS.join('')}${BODY}`, 250)
  const [job] = jobs as [Job]
  assert.deepEqual(job.envelope, {
    mailFrom: ALICE,
    recipients: [
      { address: 'bob@example.test', notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;b+ob@other.test' },
      { address: '関@xn--r8jz45g.test', notify: ['NEVER'] },
    ],
    envid: 'a+b',
    ret: 'HDRS',
    bodyType: '8bitmime',
    smtpUtf8: true,
    requireTls: true,
  })
  assert.match(job.added[0]!, / with UTF8SMTPSA id /)
})
