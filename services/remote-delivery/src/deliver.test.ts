// Which server of a destination gets a mail, on real DNS and SMTP servers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Outcome } from './outcome.ts'
import { openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const certificate = await makeTestCertificate('remote.test')

const brief = (outcomes: Map<string, Outcome>, recipient = BOB) => {
  const outcome = outcomes.get(recipient)!
  return outcome.kind === 'sent' ? 'sent' : `${outcome.kind} ${outcome.status}`
}

test('the server of the lowest preference gets the mail', async () => {
  await using outside = await openOutside()
  const second = await outside.startMx('remote.test', { priority: 20 })
  const first = await outside.startMx('remote.test', { priority: 10 })
  const outcome = (await outside.deliver(outboundJob([BOB]))).get(BOB)
  assert.deepEqual(outcome, {
    kind: 'sent',
    reply: '250 2.0.0 Ok: queued as remote',
    remoteMta: 'mx3.remote.test[127.0.0.3]',
  })
  assert.deepEqual([first.mails.length, second.mails.length], [1, 0])
  assert.equal(first.mails[0]?.ehlo, 'mail.example.test')
})

test('servers of equal preference share the mail', async () => {
  await using outside = await openOutside()
  const servers = [await outside.startMx('remote.test'), await outside.startMx('remote.test')]
  for (let count = 0; count < 40 && !servers.every(({ mails }) => mails.length > 0); count++)
    await outside.deliver(outboundJob([BOB]))
  assert.ok(servers.every(({ mails }) => mails.length > 0))
})

test('the next server is tried when one is down, closed to mail, or silent', async () => {
  await using outside = await openOutside()
  const refusing = await outside.startMx('remote.test', {
    priority: 2,
    replies: [{ at: 'connect', reply: '554 no mail' }],
  })
  const busy = await outside.startMx('remote.test', { priority: 3, replies: [{ at: 'connect', reply: '421 busy' }] })
  const rude = await outside.startMx('remote.test', { priority: 4, replies: [{ at: 'connect', reply: 'close' }] })
  const silent = await outside.startMx('remote.test', { priority: 5, replies: [{ at: 'connect', reply: 'silence' }] })
  outside.addMx('remote.test', outside.nextHost(), 1)
  const last = await outside.startMx('remote.test', { priority: 6 })
  const outcomes = await outside.deliver(outboundJob([BOB]), outside.ports({ greetingTimeoutMs: 1_000 }))
  assert.equal(brief(outcomes), 'sent')
  assert.equal(last.mails.length, 1)
  assert.deepEqual(
    [refusing, busy, rude, silent].flatMap(({ mails }) => mails),
    [],
  )
})

test('a destination whose servers all refuse to talk refuses the mail', async () => {
  await using outside = await openOutside()
  await outside.startMx('remote.test', { replies: [{ at: 'connect', reply: '554 no mail here' }] })
  await outside.startMx('remote.test', { replies: [{ at: 'connect', reply: '521 no mail here' }] })
  assert.equal(brief(await outside.deliver(outboundJob([BOB]))), 'rejected 5.0.0')
})

test('one server that may take the mail later decides: it waits', async () => {
  await using outside = await openOutside()
  await outside.startMx('remote.test', { priority: 20, replies: [{ at: 'connect', reply: '554 no mail here' }] })
  outside.addMx('remote.test', outside.nextHost(), 10)
  assert.equal(brief(await outside.deliver(outboundJob([BOB]))), 'deferred 4.4.1')
})

test('a domain without MX records gets mail at its address', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('other.test')
  outside.dns.set('remote.test', 'A', [server.host])
  assert.equal(brief(await outside.deliver(outboundJob([BOB]))), 'sent')
})

const faults: [string, string, (dns: Awaited<ReturnType<typeof openOutside>>['dns']) => void][] = [
  ['a null MX', 'rejected 5.1.10', (dns) => dns.set('remote.test', 'MX', [{ exchange: '.', priority: 0 }])],
  ['no such domain', 'rejected 5.1.2', () => {}],
  ['a domain with other records only', 'rejected 5.1.2', (dns) => dns.set('remote.test', 'TXT', ['v=spf1 -all'])],
  [
    'servers without an address',
    'rejected 5.4.4',
    (dns) => dns.set('remote.test', 'MX', [{ exchange: 'mx.remote.test', priority: 1 }]),
  ],
  ['a DNS server that fails', 'deferred 4.4.3', (dns) => dns.fail('remote.test', 'SERVFAIL')],
  ['a DNS server that is silent', 'deferred 4.4.3', (dns) => dns.fail('remote.test', 'timeout')],
]
for (const [name, expected, arrange] of faults) {
  test(`${name} means ${expected}`, async () => {
    await using outside = await openOutside({}, name.endsWith('silent') ? 300 : undefined)
    arrange(outside.dns)
    assert.equal(brief(await outside.deliver(outboundJob([BOB]))), expected)
  })
}

test('the address of a server that the DNS can not tell now is waited for', async () => {
  await using outside = await openOutside()
  outside.dns.set('remote.test', 'MX', [{ exchange: 'mx.remote.test', priority: 1 }])
  outside.dns.fail('mx.remote.test', 'SERVFAIL')
  assert.equal(brief(await outside.deliver(outboundJob([BOB]))), 'deferred 4.4.3')
})

test('mail is not sent to bare addresses, to this machine by name, or to what is no domain', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('other.test')
  outside.dns.set('localhost', 'A', [server.host])
  for (const recipient of [
    'bob@127.0.0.2',
    'bob@[127.0.0.2]',
    'bob@[IPv6:::1]',
    'bob@localhost',
    'bob@mx.localhost',
    'bob@',
  ]) {
    const outcomes = await outside.deliver(outboundJob([recipient]))
    assert.equal(brief(outcomes, recipient), 'rejected 5.1.2', recipient)
  }
  assert.deepEqual(server.commands, [])
})

test('servers at private addresses are refused where the operator wants it', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  const ports = outside.ports({}, { refusesPrivateAddresses: true })
  assert.equal(brief(await outside.deliver(outboundJob([BOB]), ports)), 'rejected 5.4.4')
  assert.deepEqual(server.commands, [])
})

test('the session is encrypted when the server offers it, whatever its certificate', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', { certificate })
  const outcome = (await outside.deliver(outboundJob([BOB]))).get(BOB)
  assert.equal(server.mails[0]?.tls, true)
  assert.ok(outcome?.kind === 'sent')
  assert.equal(outcome.tls?.version, 'TLSv1.3')
  assert.match(outcome.tls.cipher, /^TLS_/)
})

test('without a working TLS the mail goes in the clear', async () => {
  for (const reply of ['454 4.7.0 not now', '220 2.0.0 Go on, but no TLS follows', 'close']) {
    await using outside = await openOutside()
    const server = await outside.startMx('remote.test', { certificate, replies: [{ at: 'STARTTLS', reply, times: 1 }] })
    const outcomes = await outside.deliver(outboundJob([BOB]), outside.ports({ greetingTimeoutMs: 1_000 }))
    assert.equal(brief(outcomes), 'sent', reply)
    assert.equal(server.mails[0]?.tls, false)
  }
})

test('mail that requires TLS goes to no server that can not promise it', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', { certificate })
  const plain = await outside.startMx('other.test')
  const job = (recipient: string) => outboundJob([recipient], { envelope: { requireTls: true } as never })
  assert.equal(brief(await outside.deliver(job(BOB))), 'rejected 5.7.30', 'the certificate does not fit')
  assert.equal(brief(await outside.deliver(job('bob@other.test')), 'bob@other.test'), 'rejected 5.7.30')
  assert.deepEqual([...server.mails, ...plain.mails], [])
})

test('an attempt that takes too long is broken off and the mail waits', async () => {
  await using outside = await openOutside()
  const silent = await outside.startMx('remote.test', { replies: [{ at: 'connect', reply: 'silence' }] })
  await outside.startMx('remote.test', { priority: 20 })
  const limit = new AbortController()
  const delivering = outside.deliver(outboundJob([BOB]), outside.ports(), limit.signal)
  await eventually(() => silent.scripted.length > 0)
  limit.abort(new DOMException('took too long', 'TimeoutError'))
  assert.equal(brief(await delivering), 'deferred 4.4.2')
  assert.deepEqual(silent.mails, [])
})
