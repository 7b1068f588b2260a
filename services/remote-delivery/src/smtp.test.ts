// The dialogue with one server: what is said for a mail, and what each reply means for each recipient.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, Recipient } from '@sekimori/mail/job'
import { eventually } from '@sekimori/testing/eventually'
import type { RemoteServer, ScriptedReply } from '@sekimori/testing/remote-server'
import { deliver } from './deliver.ts'
import { outboundMail } from './outbound-mail.ts'
import type { Outcome } from './outcome.ts'
import type { SmtpOptions } from './smtp.ts'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'

const [BOB, CAROL, DAVE] = ['bob@remote.test', 'carol@remote.test', 'dave@remote.test']

const brief = (outcomes: Map<string, Outcome>) =>
  Object.fromEntries(
    [...outcomes].map(([address, outcome]) => [
      address,
      outcome.kind === 'sent' ? 'sent' : `${outcome.kind} ${outcome.status}`,
    ]),
  )

interface World extends AsyncDisposable {
  outside: Outside
  server: RemoteServer
}

async function openWorld(...replies: ScriptedReply[]): Promise<World> {
  const outside = await openOutside()
  const server = await outside.startMx('remote.test', { replies })
  return { outside, server, [Symbol.asyncDispose]: () => outside[Symbol.asyncDispose]() }
}

const converse = ({ outside }: World, job: Job, smtp: Partial<SmtpOptions> = {}) =>
  outside.deliver(job, outside.ports(smtp)).then(brief)

/** What a server says that offers just these extensions. */
const offering = (...keywords: string[]): ScriptedReply => ({
  at: 'EHLO',
  reply: ['remote.test', ...keywords]
    .map((word, at, all) => `250${at < all.length - 1 ? '-' : ' '}${word}`)
    .join('\r\n'),
})

const replyTables: [ScriptedReply[], Record<string, string>][] = [
  [[], { [BOB]: 'sent', [CAROL]: 'sent' }],
  [[{ at: 'RCPT', reply: '550 5.1.1 who?', recipient: BOB }], { [BOB]: 'rejected 5.1.1', [CAROL]: 'sent' }],
  [
    [
      { at: 'RCPT', reply: '550 5.1.1 who?', recipient: BOB },
      { at: 'RCPT', reply: '451 4.7.1 greylisted', recipient: CAROL },
    ],
    { [BOB]: 'rejected 5.1.1', [CAROL]: 'deferred 4.7.1' },
  ],
  [[{ at: 'MAIL', reply: '451 4.3.0 later' }], { [BOB]: 'deferred 4.3.0', [CAROL]: 'deferred 4.3.0' }],
  [[{ at: 'MAIL', reply: '550 5.7.1 not you' }], { [BOB]: 'rejected 5.7.1', [CAROL]: 'rejected 5.7.1' }],
  [[{ at: 'DATA', reply: '451 4.3.0 later' }], { [BOB]: 'deferred 4.3.0', [CAROL]: 'deferred 4.3.0' }],
  [[{ at: 'message', reply: '554 5.7.1 spam' }], { [BOB]: 'rejected 5.7.1', [CAROL]: 'rejected 5.7.1' }],
  [[{ at: 'message', reply: '452 4.3.1 full' }], { [BOB]: 'deferred 4.3.1', [CAROL]: 'deferred 4.3.1' }],
  [
    [
      { at: 'RCPT', reply: '550 5.1.1 who?', recipient: BOB },
      { at: 'message', reply: '452 4.3.1 full' },
    ],
    { [BOB]: 'rejected 5.1.1', [CAROL]: 'deferred 4.3.1' },
  ],
  [[{ at: 'message', reply: 'close' }], { [BOB]: 'deferred 4.4.2', [CAROL]: 'deferred 4.4.2' }],
  [
    [
      { at: 'RCPT', reply: '550 5.1.1 who?', recipient: BOB },
      { at: 'RCPT', reply: 'close', recipient: CAROL },
    ],
    { [BOB]: 'rejected 5.1.1', [CAROL]: 'deferred 4.4.2' },
  ],
  [[{ at: 'RCPT', reply: '421 4.3.2 going down' }], { [BOB]: 'deferred 4.3.2', [CAROL]: 'deferred 4.3.2' }],
  [[{ at: 'DATA', reply: 'silence' }], { [BOB]: 'deferred 4.4.2', [CAROL]: 'deferred 4.4.2' }],
  [[{ at: 'message', reply: 'silence' }], { [BOB]: 'deferred 4.4.2', [CAROL]: 'deferred 4.4.2' }],
]
for (const [replies, expected] of replyTables) {
  for (const extensions of [['PIPELINING'], []]) {
    const title =
      replies.map(({ at, reply, recipient = '' }) => `${at} ${recipient} ${reply}`).join(', ') || 'all is well'
    test(`${title} ${extensions}`, async () => {
      await using world = await openWorld(offering('SIZE', ...extensions), ...replies)
      const isSilent = replies.some(({ reply }) => reply === 'silence')
      const limits = isSilent ? { commandTimeoutMs: 250, dataEndTimeoutMs: 250 } : {}
      assert.deepEqual(await converse(world, outboundJob([BOB, CAROL]), limits), expected)
      const sent = Object.values(expected).filter((outcome) => outcome === 'sent').length
      assert.equal(world.server.mails[0]?.recipients.length ?? 0, sent)
    })
  }
}

test('the mail as delivered is the added lines, then the original without the struck ones, octet by octet', async () => {
  const original = 'X-Forged: yes\r\nSubject: dots\r\n\r\n.\r\n..two\r\nlong \xe3\x81\x82\r\n.'
  const content = { kind: 'inline', bytes: Buffer.from(original, 'latin1') } as const
  await using world = await openWorld()
  const job = outboundJob([BOB], { added: ['DKIM-Signature: x', 'Received: y'], struck: [0, 15], content })
  assert.deepEqual(await converse(world, job), { [BOB]: 'sent' })
  const expected = `DKIM-Signature: x\r\nReceived: y\r\n${original.slice(15)}\r\n`
  assert.equal(world.server.mails[0]?.data.toString('latin1'), expected)
})

const PARAMETERS = { ret: 'HDRS', envid: 'id+1', bodyType: '8bitmime', smtpUtf8: true }
const requester: Recipient = { address: BOB, notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;b+o=b@a.test' }

test('parameters are passed on to a server that offers them', async () => {
  await using world = await openWorld(offering('PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'DSN'))
  const job = outboundJob([requester, CAROL], { envelope: PARAMETERS as never }, 'Subject: あ\r\n\r\nbody\r\n')
  await converse(world, job)
  const [mail, bob, carol] = world.server.commands.slice(1)
  const size = Buffer.byteLength('Subject: あ\r\n\r\nbody\r\n')
  assert.equal(mail, `MAIL FROM:<alice@example.test> BODY=8BITMIME SIZE=${size} RET=HDRS ENVID=id+2B1 SMTPUTF8`)
  assert.equal(bob, `RCPT TO:<${BOB}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bo+3Db@a.test`)
  assert.equal(carol, `RCPT TO:<${CAROL}>`)
})

test('parameters are left out for a server that does not offer them', async () => {
  await using world = await openWorld(offering('PIPELINING'))
  await converse(world, outboundJob([requester], { envelope: PARAMETERS as never }))
  assert.deepEqual(world.server.commands.slice(1, 3), ['MAIL FROM:<alice@example.test>', `RCPT TO:<${BOB}>`])
})

test('a bounce goes out with the null reverse-path', async () => {
  await using world = await openWorld()
  await converse(world, outboundJob([BOB], { envelope: { mailFrom: '' } as never }))
  assert.equal(world.server.mails[0]?.mailFrom, '')
})

test('without SMTPUTF8 a recipient that needs it is refused and the others get the mail', async () => {
  await using world = await openWorld(offering('PIPELINING'))
  const job = outboundJob(['ぼぶ@remote.test', CAROL, 'dave@例え.test'], { envelope: { smtpUtf8: true } as never })
  assert.deepEqual(await converse(world, job), {
    'ぼぶ@remote.test': 'rejected 5.6.7',
    [CAROL]: 'sent',
    'dave@例え.test': 'sent',
  })
  assert.deepEqual(world.server.mails[0]?.recipients, [CAROL, 'dave@xn--r8jz45g.test'])
})

test('without SMTPUTF8 a mail whose header needs it is refused', async () => {
  await using world = await openWorld(offering('PIPELINING'))
  const utf8 = (smtpUtf8: boolean) =>
    outboundJob([BOB], { envelope: { smtpUtf8 } as never }, 'Subject: あ\r\n\r\nx\r\n')
  assert.deepEqual(await converse(world, utf8(true)), { [BOB]: 'rejected 5.6.7' })
  assert.deepEqual(
    await converse(world, utf8(false)),
    { [BOB]: 'sent' },
    'raw octets that nobody declared go as they are',
  )
})

test('a mail that is too big for the server is not offered to it', async () => {
  await using world = await openWorld(offering('SIZE 30'))
  assert.deepEqual(await converse(world, outboundJob([BOB])), { [BOB]: 'rejected 5.3.4' })
  assert.deepEqual(world.server.mails, [])
})

test('an address that would break the command is refused alone', async () => {
  await using world = await openWorld()
  const job = outboundJob([CAROL, '"b>\r\nDATA"@remote.test'])
  assert.deepEqual(await converse(world, job), { [CAROL]: 'sent', '"b>\r\nDATA"@remote.test': 'rejected 5.1.3' })
})

test('more recipients than a server must take go in several transactions, each ends on its own', async () => {
  const all = Array.from({ length: 130 }, (_, index) => `user${index}@remote.test`)
  await using world = await openWorld({ at: 'message', reply: '451 4.3.0 later', recipient: all[129]! })
  const outcomes = await converse(world, outboundJob(all))
  assert.deepEqual(
    world.server.mails.map(({ recipients }) => recipients),
    [all.slice(0, 100)],
  )
  assert.equal(Object.values(outcomes).filter((outcome) => outcome === 'sent').length, 100)
  assert.equal(outcomes[all[129]!], 'deferred 4.3.0')
})

test('the rest of the recipients is not lost when the connection breaks between transactions', async () => {
  const all = Array.from({ length: 130 }, (_, index) => `user${index}@remote.test`)
  await using world = await openWorld(
    { at: 'message', reply: '250 2.0.0 Ok', times: 1 },
    { at: 'MAIL', reply: '250 ok', times: 1 },
    { at: 'MAIL', reply: 'close' },
  )
  const outcomes = await converse(world, outboundJob(all))
  assert.equal(outcomes[all[0]!], 'sent')
  assert.equal(outcomes[all[129]!], 'deferred 4.4.2')
})

test('content that can not be read is our trouble: nothing follows for the recipients and nothing is sent', async () => {
  await using world = await openWorld()
  const job = outboundJob([BOB])
  const mail = outboundMail(job, Buffer.from('Subject: x\r\n\r\n'), async function* () {
    yield Buffer.from('Subject: x\r\n\r\nbegin')
    throw new Error('content store is away')
  })
  const attempt = deliver(
    mail,
    { name: 'remote.test', recipients: job.envelope.recipients },
    world.outside.ports(),
    new AbortController().signal,
  )
  await assert.rejects(attempt, /content store is away/)
  assert.deepEqual(world.server.mails, [])
})

test('when the content can not be read again for more recipients, the first ones are sent and the rest waits', async () => {
  const all = Array.from({ length: 130 }, (_, index) => ({ address: `user${index}@remote.test` }))
  await using world = await openWorld()
  let readings = 0
  const mail = outboundMail(outboundJob(all), Buffer.alloc(0), async function* () {
    if (++readings > 1) throw new Error('content store at 10.0.0.5 is away')
    yield Buffer.from('Subject: x\r\n\r\nbody\r\n')
  })
  const go = new AbortController().signal
  const outcomes = await deliver(mail, { name: 'remote.test', recipients: all }, world.outside.ports(), go)
  assert.deepEqual([brief(outcomes)[all[0]!.address], brief(outcomes)[all[129]!.address]], ['sent', 'deferred 4.3.0'])
  assert.ok(!JSON.stringify([...outcomes]).includes('10.0.0.5'), 'what goes into a DSN names none of our servers')
  assert.equal(world.server.mails.length, 1)
})

test('an interruption before the end of the data breaks off, after it waits for the reply', async () => {
  await using world = await openWorld()
  for (const [isEarly, expected] of [
    [true, 'deferred 4.3.2'],
    [false, 'sent'],
  ] as const) {
    const stop = new AbortController()
    const mail = outboundMail(outboundJob([BOB]), Buffer.alloc(0), async function* () {
      if (isEarly) stop.abort()
      yield Buffer.from('Subject: x\r\n\r\nbody\r\n')
      setImmediate(() => stop.abort())
    })
    const recipients = [{ address: BOB }]
    const outcomes = await deliver(mail, { name: 'remote.test', recipients }, world.outside.ports(), stop.signal)
    assert.deepEqual(brief(outcomes), { [BOB]: expected })
    assert.equal(world.server.mails.length, isEarly ? 0 : 1)
  }
})

test('a session ends with QUIT', async () => {
  await using world = await openWorld()
  await world.outside.deliver(outboundJob([DAVE]))
  await eventually(() => world.server.commands.at(-1) === 'QUIT')
})
