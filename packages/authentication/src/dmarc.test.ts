// DMARC (RFC 9989): the examples of its appendix B, the tree walk and its cap, and records that ask for odd things.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import { readAuthor } from './author.ts'
import { checkDmarc } from './dmarc.ts'
import type { DkimFinding, SpfFinding } from './findings.ts'
import { type Zone, zoneResolver } from './testing/zone.ts'

interface Case {
  from?: string
  spf?: string
  dkim?: string[]
  /** By the name under which _dmarc stands. */
  records: Record<string, string | string[]>
  more?: Zone
}

const spfPass = (domain: string): SpfFinding => ({ result: 'pass', domain, line: 'spf=pass' })
const dkimPass = (domain: string): DkimFinding => ({ result: 'pass', domain, line: 'dkim=pass' })

async function check({ from = 'sender@example.com', spf, dkim = [], records, more = {} }: Case, asked: string[] = []) {
  const published = Object.entries(records).map(([name, texts]) => [`_dmarc.${name}`, { TXT: [texts].flat() }])
  const resolver = zoneResolver({ ...Object.fromEntries(published), ...more }, asked)
  const author = readAuthor(parseHeader(Buffer.from(`From: ${from}\r\n\r\n`)))
  const found = { spf: spf === undefined ? undefined : spfPass(spf), dkim: dkim.map(dkimPass) }
  return checkDmarc(author, found, resolver)
}
const resultOf = async (facts: Case) => (await check(facts)).result
const P = 'v=DMARC1; p=reject'
const STRICT = 'v=DMARC1; p=reject; adkim=s; aspf=s'

test('B.1 SPF aligns with the same domain; with a parent or child when alignment is relaxed', async () => {
  const same = { spf: 'example.com', records: { 'example.com': P } }
  assert.equal(await resultOf(same), 'pass')
  const child = { spf: 'child.example.com', records: { 'example.com': P } }
  assert.equal(await resultOf(child), 'pass')
  assert.equal(await resultOf({ ...child, records: { 'example.com': STRICT } }), 'fail')
  const other = { from: 'sender@child.example.com', spf: 'example.net', records: { 'example.com': P } }
  assert.equal(await resultOf(other), 'fail')
})

test('B.1 DKIM aligns likewise, and one aligned signature of several is enough', async () => {
  const parent = { from: 'sender@child.example.com', dkim: ['example.com'], records: { 'example.com': P } }
  assert.equal(await resultOf(parent), 'pass')
  assert.equal(await resultOf({ ...parent, records: { 'example.com': STRICT } }), 'fail')
  assert.equal(await resultOf({ dkim: ['sample.net'], records: { 'example.com': P } }), 'fail')
  assert.equal(await resultOf({ dkim: ['sample.net', 'example.com'], records: { 'example.com': P } }), 'pass')
})

test('B.4.1 a sister domain aligns by the record that both have above them', async () => {
  const asked: string[] = []
  const found = await check({ dkim: ['signing.example.com'], records: { 'example.com': P } }, asked)
  assert.equal(found.result, 'pass')
  assert.ok(asked.includes('TXT _dmarc.signing.example.com'))
})

test('B.4.2 the walk from a deep name makes at most eight queries, the first for the name itself', async () => {
  const asked: string[] = []
  const deep = 'a.b.c.d.e.f.g.h.i.j.k.example.com'
  const found = await check({ from: `x@${deep}`, records: { 'example.com': 'v=DMARC1; p=quarantine' } }, asked)
  assert.equal(found.policy, 'quarantine')
  assert.deepEqual(
    asked.filter((question) => question.startsWith('TXT _dmarc.')),
    [
      deep,
      'g.h.i.j.k.example.com',
      'h.i.j.k.example.com',
      'i.j.k.example.com',
      'j.k.example.com',
      'k.example.com',
      'example.com',
      'com',
    ].map((name) => `TXT _dmarc.${name}`),
  )
})

test('B.4.3 below a public suffix with a record, neighbours are strangers to one another', async () => {
  const records = { 'bank.example': 'v=DMARC1; p=reject; psd=y' }
  const giant = { from: 'sender@giant.bank.example', records }
  assert.equal(await resultOf({ ...giant, spf: 'mail.giant.bank.example' }), 'pass')
  const mega = await check({ ...giant, dkim: ['mail.mega.bank.example'] })
  assert.deepEqual([mega.result, mega.policy], ['fail', 'reject'])
  assert.equal(await resultOf({ ...giant, spf: 'bank.example' }), 'fail')
})

test('psd=n ends the walk: the domain is its own organization', async () => {
  const records = { 'example.com': P, 'branch.example.com': 'v=DMARC1; p=none; psd=n' }
  const branch = { from: 'x@branch.example.com', records }
  assert.equal(await resultOf({ ...branch, dkim: ['example.com'] }), 'fail')
  assert.equal(await resultOf({ ...branch, dkim: ['a.branch.example.com'] }), 'pass')
})

test('sp speaks for names below, np for those that do not exist, t=y for one step less', async () => {
  const policyOf = async (from: string, record: string) => {
    const more = { 'here.example.com': { A: ['192.0.2.1'] } }
    return (await check({ from, records: { 'example.com': record }, more })).policy
  }
  const record = 'v=DMARC1; p=none; sp=quarantine; np=reject'
  assert.equal(await policyOf('x@example.com', record), 'none')
  assert.equal(await policyOf('x@here.example.com', record), 'quarantine')
  assert.equal(await policyOf('x@gone.example.com', record), 'reject')
  assert.equal(await policyOf('x@gone.example.com', 'v=DMARC1; p=none; sp=quarantine'), 'quarantine')
  assert.equal(await policyOf('x@here.example.com', 'v=DMARC1; p=quarantine'), 'quarantine')
  assert.equal(await policyOf('x@example.com', `${P}; t=y`), 'quarantine')
  assert.equal(await policyOf('x@example.com', 'v=DMARC1; p=quarantine; t=y'), 'none')
  assert.equal(await policyOf('x@example.com', `${P}; t=n`), 'reject')
})

test('several records, and records that are none, count as no record', async () => {
  const none = async (record: string | string[]) => {
    const found = await check({ spf: 'example.com', records: { 'example.com': record } })
    return [found.result, found.policy]
  }
  for (const record of [
    [P, 'v=DMARC1; p=none'],
    'v=DMARC2; p=reject',
    'p=reject; v=DMARC1',
    'v=dmarc1; p=reject',
    'v=DMARC1; p=reject; p=none',
    'v=DMARC1; p=block',
    'v=DMARC1',
    'v=spf1 -all',
  ])
    assert.deepEqual(await none(record), ['none', 'none'], String(record))
  // With an address to report to, a record without a usable policy asks for nothing but reports (section 4.10.1).
  assert.deepEqual(await none('v=DMARC1; p=block; rua=mailto:d@example.com'), ['pass', 'none'])
  assert.deepEqual(await none([P, 'unrelated']), ['pass', 'reject'])
  assert.deepEqual(await none('v = DMARC1;p=REJECT;'), ['pass', 'reject'])
})

test('a name server that does not answer is temperror, never a pass', async () => {
  const more: Zone = { '_dmarc.example.com': { TXT: 'TIMEOUT' } }
  const found = await check({ spf: 'example.com', dkim: ['example.com'], records: {}, more })
  assert.deepEqual([found.result, found.policy], ['temperror', 'none'])
  const walk = await check({
    from: 'x@sub.example.com',
    spf: 'example.com',
    records: { 'sub.example.com': P },
    more,
  })
  assert.equal(walk.result, 'temperror')
})

test('several or malformed addresses in From never have a pass, whoever is verified', async () => {
  for (const from of [
    'a@example.com, b@example.com',
    'a@example.com, eve@evil.test',
    '<a@example.com> <eve@evil.test>',
    'a@example.com <eve@evil.test>',
    '"a@example.com" <eve@evil.test>, <b@example.com>',
    'Team: a@example.com, b@evil.test;',
    'a@b@example.com',
    'a@[192.0.2.1]',
    'a@example.com\0',
    'a',
    '',
    '@example.com',
    '<@evil.test:a@example.com>',
    '(a@example.com',
    '"a <b@example.com>',
    'a@example..com',
  ]) {
    const found = await check({
      from,
      spf: 'example.com',
      dkim: ['example.com', 'evil.test'],
      records: { 'example.com': P },
    })
    assert.notEqual(found.result, 'pass', JSON.stringify(from))
  }
  for (const two of [
    'From: eve@evil.test\r\nFrom: a@example.com',
    'From: a@example.com\r\nX: y\rFrom: eve@evil.test',
  ]) {
    const author = readAuthor(parseHeader(Buffer.from(`${two}\r\n\r\n`)))
    const zone = zoneResolver({ '_dmarc.example.com': { TXT: [P] } })
    const found = await checkDmarc(author, { spf: spfPass('example.com'), dkim: [] }, zone)
    assert.deepEqual([found.result, found.policy], ['none', 'reject'], two)
  }
})

test('an author who is not clear gets the strictest policy of all who may be meant', async () => {
  const records = { 'example.com': P, 'evil.test': 'v=DMARC1; p=none' }
  assert.equal((await check({ from: 'a@example.com <eve@evil.test>', records })).policy, 'reject')
  assert.equal((await check({ from: 'a@evil.test, b@evil.test', records })).policy, 'none')
})

test('one well-formed address is read in every way that it may be written', async () => {
  for (const from of [
    'sender@example.com',
    '<sender@example.com>',
    'Anna Q. Public <sender@example.com>',
    '"Public, Anna (x" <sender@example.com>',
    '=?utf-8?B?6Zai5a6I?= <sender@example.com>',
    '関守 <sender@example.com>',
    'Anna (at work) <sender@example.com> (x\\) y)',
    '"odd local"@example.com',
    'Anna\r\n <sender@EXAMPLE.com>',
    'sender@example.com.',
    "O'Brien-Smith/x=y <sender+tag@example.com>",
  ])
    assert.equal(await resultOf({ from, spf: 'example.com', records: { 'example.com': P } }), 'pass', from)
  const idn = { from: 'x@bücher.test', dkim: ['xn--bcher-kva.test'], records: { 'xn--bcher-kva.test': P } }
  assert.equal(await resultOf(idn), 'pass')
})
