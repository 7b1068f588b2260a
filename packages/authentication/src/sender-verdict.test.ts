// From three results to one plain verdict, in two languages, and through a header's value and back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Findings } from './findings.ts'
import {
  formatVerdict,
  parseVerdict,
  type SenderVerdict,
  summarize,
  verdictKinds,
  verdictOf,
} from './sender-verdict.ts'
import { verdictText } from './verdict-text.ts'

interface Case {
  spf?: [string, string]
  dkim?: [string, string?][]
  dmarc: string
  from?: string | undefined
}

function findings({ spf, dkim = [], dmarc, from = 'example.org' }: Case): Findings {
  const domainOf = (domain?: string) => (domain === undefined ? {} : { domain })
  return {
    ...(spf === undefined ? {} : { spf: { result: spf[0], domain: spf[1], line: '' } }),
    dkim: dkim.map(([result, domain]) => ({ result, ...domainOf(domain), line: '' })),
    dmarc: { result: dmarc, policy: 'none', line: '', ...(from === '' ? {} : { headerFrom: from }) },
  } as Findings
}

const kindOf = (one: Case) => verdictOf(summarize(findings(one)), { receivedBy: 'mx' }).kind

test('the three results make one verdict', () => {
  const cases: [Case, string][] = [
    [{ spf: ['pass', 'example.org'], dmarc: 'pass' }, 'confirmed'],
    [{ spf: ['pass', 'other.test'], dkim: [['pass', 'other.test']], dmarc: 'fail' }, 'failed'],
    [{ spf: ['pass', 'mail.example.org'], dmarc: 'none' }, 'partly'],
    [
      {
        dkim: [
          ['fail', 'x.test'],
          ['pass', 'example.org'],
        ],
        dmarc: 'none',
      },
      'partly',
    ],
    [{ spf: ['pass', 'other.test'], dkim: [['pass', 'other.test']], dmarc: 'none' }, 'unconfirmed'],
    [{ spf: ['none', ''], dkim: [['none']], dmarc: 'none' }, 'unconfirmed'],
    [{ spf: ['temperror', 'example.org'], dkim: [['none']], dmarc: 'none' }, 'unknown'],
    [{ dmarc: 'temperror' }, 'unknown'],
    [{ dmarc: 'temperror', from: '' }, 'unknown'],
    [{ dmarc: 'permerror', from: '' }, 'unreadable'],
    [{ spf: ['pass', 'example.org'], dmarc: 'none', from: '' }, 'unreadable'],
  ]
  for (const [one, kind] of cases) assert.equal(kindOf(one), kind, JSON.stringify(one))
})

test('mail of our own accounts and of the system is said to be that', () => {
  const summary = summarize(findings({ dkim: [['pass', 'example.org']], dmarc: 'pass' }))
  assert.equal(verdictOf(summary, { receivedBy: 'submission', account: 'a@example.org' }).kind, 'own')
  assert.equal(verdictOf(summary, { receivedBy: 'internal' }).kind, 'system')
})

test('a verdict goes through a header value and back, and nothing else is taken for one', () => {
  const verdict: SenderVerdict = {
    kind: 'confirmed',
    from: 'examp1e.org',
    spf: 'pass',
    dkim: 'none',
    dmarc: 'pass',
    arc: 'pass',
    resembles: ['example.org', 'example.net'],
  }
  assert.equal(
    formatVerdict(verdict),
    'confirmed; from=examp1e.org; spf=pass; dkim=none; dmarc=pass; arc=pass; resembles=example.org,example.net',
  )
  assert.deepEqual(parseVerdict(formatVerdict(verdict)), verdict)
  for (const text of ['', 'perfect; spf=pass', 'toString', 'delivered']) assert.equal(parseVerdict(text), undefined)
})

test('a domain that is no name does not get into the header', () => {
  for (const from of ['a b.test', 'x;y.test', 'x\r\nBcc: y', 'ｘ.test'])
    assert.equal(summarize(findings({ dmarc: 'pass', from })).from, undefined)
})

test('every verdict is told in Japanese and English; a lookalike is named, and that PASS does not help', () => {
  const base = { from: 'xn--exmple-4uf.com', spf: 'none', dkim: 'none', dmarc: 'none', resembles: [] }
  for (const kind of verdictKinds) {
    const { ja, en } = verdictText({ ...base, kind })
    assert.match(ja, /[\u3040-\u30ff]/)
    assert.match(en, /^[\x20-\u{7e}\u0400-\u04ff]+$/u)
  }
  assert.match(verdictText({ ...base, kind: 'failed' }).ja, /なりすまし/)
  const { ja, en } = verdictText({ ...base, kind: 'confirmed', resembles: ['example.com'] })
  assert.match(en, /xn--exmple-4uf\.com \(ex.mple\.com\) looks like example\.com.*PASS only says/)
  assert.match(ja, /xn--exmple-4uf\.com .*example\.com とよく似た別のドメイン/)
})
