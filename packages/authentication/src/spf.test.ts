// SPF of a session: both identities, and records written in ways that are easily read wrongly (RFC 7208).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkEhloName, checkSpf } from './spf.ts'
import { zoneResolver } from './testing/zone.ts'

const CLIENT = '192.0.2.1'

async function check(
  record: string | string[],
  { clientAddress = CLIENT, ehloName = 'mx.sender.test', mailFrom = 'anna@sender.test', more = {} } = {},
) {
  const zone = { 'sender.test': { TXT: [record] }, ...more }
  return checkSpf({ clientAddress, ehloName, mailFrom }, 'receiver.test', zoneResolver(zone))
}
const resultOf = async (...facts: Parameters<typeof check>) => (await check(...facts)).finding.result

test('white space between and after terms does not matter, other characters do', async () => {
  assert.equal(await resultOf('v=spf1  ip4:192.0.2.1   -all '), 'pass')
  assert.equal(await resultOf(['v=spf1 ip4:192.', '0.2.1 -all']), 'pass')
  assert.equal(await resultOf(' v=spf1 ip4:192.0.2.1 -all'), 'none')
  assert.equal(await resultOf('v=spf1\tip4:192.0.2.1 -all'), 'none')
  assert.equal(await resultOf('v=spf1 ip4:192.0.2.1 \ta -all'), 'permerror')
  assert.equal(await resultOf('v=spf1 ip4:192.0.2.1 a:bücher.test -all'), 'permerror')
  assert.equal(await resultOf('v=spf10 -all'), 'none')
})

test('prefix lengths and addresses that are none are errors, also behind a term that matches', async () => {
  for (const term of [
    'ip4:192.0.2.1/33',
    'ip4:192.0.2.1/024',
    'ip4:192.0.2.1//32',
    'ip4:192.0.2',
    'ip4',
    'ip6:::/129',
    'ip6::/0/0',
    'ip6:192.0.2.1',
    'a/33',
    'a//129',
    'a/-1',
    'mx:/24/24',
  ])
    assert.equal(await resultOf(`v=spf1 ip4:192.0.2.1 ${term} -all`), 'permerror', term)
  const v6 = { clientAddress: '2001:db8::7' }
  assert.equal(await resultOf('v=spf1 ip6:2001:DB8::/32 -all', v6), 'pass')
  assert.equal(await resultOf('v=spf1 ip4:0.0.0.0/0 -all', v6), 'fail')
  assert.equal(await resultOf('v=spf1 ip6::/0 -all'), 'permerror')
  assert.equal(await resultOf('v=spf1 ip6:::/0 -all'), 'fail')
})

test('an IPv4 address in IPv6 form is the IPv4 client that it stands for', async () => {
  for (const clientAddress of ['::ffff:192.0.2.1', '::FFFF:c000:201'])
    assert.equal(await resultOf('v=spf1 ip4:192.0.2.1 -all', { clientAddress }), 'pass', clientAddress)
  assert.equal(await resultOf('v=spf1 ip4:192.0.2.1 -all', { clientAddress: '::192.0.2.1' }), 'fail')
})

test('no client is trusted for where it connects from', async () => {
  for (const clientAddress of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '::1', 'fe80::1', 'fd00::1'])
    assert.equal(await resultOf('v=spf1 -all', { clientAddress }), 'fail', clientAddress)
})

test('the null reverse-path is judged by the EHLO name, and a name that is none has no result', async () => {
  const more = { 'mx.sender.test': { TXT: ['v=spf1 a -all'], A: [CLIENT] } }
  const bounce = await check('v=spf1 -all', { mailFrom: '', more })
  assert.deepEqual(bounce.finding.result, 'pass')
  assert.match(bounce.finding.line, /^spf=pass .*smtp\.helo=mx\.sender\.test$/)
  assert.match(bounce.receivedSpf, /^Received-SPF: pass .*helo=mx\.sender\.test; identity=helo;$/s)
  for (const ehloName of ['[192.0.2.1]', '[IPv6:2001:db8::1]', '192.0.2.1', 'localhost', '', 'a..b', '-'])
    assert.equal(await resultOf('v=spf1 -all', { mailFrom: '', ehloName }), 'none', ehloName)
})

test('the EHLO name is an identity of its own beside MAIL FROM, when its domain says something', async () => {
  const zone = zoneResolver({ 'mx.sender.test': { TXT: ['v=spf1 -all'] } })
  const session = { clientAddress: CLIENT, ehloName: 'mx.sender.test', mailFrom: 'anna@sender.test' }
  const found = await checkEhloName(session, 'receiver.test', zone)
  assert.deepEqual([found?.result, found?.domain], ['fail', 'mx.sender.test'])
  assert.match(found!.line, /^spf=fail .*smtp\.helo=mx\.sender\.test$/)
  assert.equal(await checkEhloName({ ...session, ehloName: 'other.test' }, 'receiver.test', zone), undefined)
  assert.equal(await checkEhloName({ ...session, mailFrom: '' }, 'receiver.test', zone), undefined)
})

test('the explanation of a fail is expanded, and never more than a comment', async () => {
  const explained = async (text: string, spec = 'why.sender.test', clientAddress = CLIENT) => {
    const more = { 'why.sender.test': { TXT: [text] } }
    return (await check(`v=spf1 exp=${spec} -all`, { more, clientAddress })).explanation
  }
  assert.equal(await explained('%{i} is no host of %{d}'), '192.0.2.1 is no host of sender.test')
  assert.equal(await explained('%{c} %{r}'), '192.0.2.1 receiver.test')
  assert.match((await explained('%{i}', undefined, '2001:db8::cb01'))!, /^2\.0\.0\.1\.0\.D\.B\.8\..*C\.B\.0\.1$/)
  for (const broken of ['%{x}', '%', 'bücher', ''])
    assert.equal(await explained(broken), undefined, JSON.stringify(broken))
  assert.equal(await explained('x', 'gone.sender.test'), undefined)
})

test('the validated name of the client is used in macros only when its address leads back', async () => {
  const more = {
    '1.2.0.192.in-addr.arpa': { PTR: ['liar.bank.test', 'mx.sender.test'] },
    'mx.sender.test': { A: [CLIENT] },
    'liar.bank.test': { A: ['198.51.100.1'] },
    'mx.sender.test.ok.test': { A: ['127.0.0.2'] },
  }
  assert.equal(await resultOf('v=spf1 exists:%{p}.ok.test -all', { more }), 'pass')
  assert.equal(await resultOf('v=spf1 exists:%{p}.ok.test -all', { more, clientAddress: '192.0.2.9' }), 'fail')
})

test('a name server that does not answer is temperror, an endless policy permerror', async () => {
  assert.equal(await resultOf('v=spf1 a:slow.test -all', { more: { 'slow.test': { A: 'TIMEOUT' } } }), 'temperror')
  assert.equal(await resultOf('v=spf1 include:sender.test -all'), 'permerror')
  const lookups = Array.from({ length: 11 }, (_, n) => `a:h${n}.test`).join(' ')
  assert.equal(await resultOf(`v=spf1 ${lookups} -all`), 'permerror')
})
