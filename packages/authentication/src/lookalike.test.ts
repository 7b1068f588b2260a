// Which domains pass for another one to a reader, and which do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainToASCII } from 'node:url'
import { compared, editDistance, resemblance } from './lookalike.ts'

const between = (domain = '', known = ''): string | undefined =>
  resemblance(compared(domainToASCII(domain)), compared(known))

test('letters that look alike, in whatever script', () => {
  const pairs: [string, string][] = [
    ['exаmple.com', 'example.com'], // a Cyrillic letter
    ['аррӏе.com', 'apple.com'],
    ['paypaI.com', 'paypal.com'],
    ['paypa1.com', 'paypal.com'],
    ['rnicrosoft.com', 'microsoft.com'],
    ['goog1e.co.jp', 'google.co.jp'],
    ['vvikipedia.org', 'wikipedia.org'],
    ['exàmple.com', 'example.com'],
    ['ехample.jp', 'example.com'],
  ]
  for (const [domain, known] of pairs) assert.equal(between(domain, known), 'confusable', domain)
})

test('other endings, hyphens, typing errors, and known names inside longer ones', () => {
  const cases: [string, string, string][] = [
    ['example.net', 'example.com', 'ending'],
    ['mail.example.co.jp', 'example.jp', 'ending'],
    ['my-bank.test', 'mybank.test', 'hyphens'],
    ['exmaple.com', 'example.com', 'near'],
    ['examplle.com', 'example.com', 'near'],
    ['exampl.com', 'example.com', 'near'],
    ['sekimori-maii.test', 'sekimori-mail.test', 'confusable'],
    ['sekimory-mael.test', 'sekimori-mail.test', 'near'],
    ['example-support.com', 'example.com', 'inside'],
    ['secure-example.net', 'example.com', 'inside'],
    ['example.com.evil.test', 'example.com', 'inside'],
  ]
  for (const [domain, known, expected] of cases) assert.equal(between(domain, known), expected, `${domain} / ${known}`)
})

test('the domain itself, what is below it, and other names are none', () => {
  for (const [domain, known] of [
    ['example.com', 'example.com'],
    ['mail.example.com', 'example.com'],
    ['a.b.example.co.jp', 'example.co.jp'],
    ['other.co.jp', 'example.co.jp'],
    ['abc.com', 'abd.com'],
    ['ibm.jp', 'ibm.com'],
    ['sample-company.com', 'example.com'],
    ['tokyo.jp', 'kyoto.jp'],
    ['samples.com', 'example.com'],
    ['xn--39sz56k.jp', 'example.jp'],
    ['', 'example.com'],
    ['localhost', 'example.com'],
  ])
    assert.equal(between(domain, known), undefined, `${domain} / ${known}`)
})

test('the distance counts insertions, deletions, changes and swaps, up to the bound', () => {
  assert.equal(editDistance('abcd', 'abdc', 2), 1)
  assert.equal(editDistance('abcd', 'abd', 2), 1)
  assert.equal(editDistance('abcd', 'xbcy', 2), 2)
  assert.equal(editDistance('abcd', 'wxyz', 2), 3)
  assert.equal(editDistance('', '', 2), 0)
})

test('a sender can not make the comparison slow: 500 acquaintances are compared in a moment', () => {
  const sender = compared(`${'a'.repeat(63)}.test`)
  const known = Array.from({ length: 500 }, (_, at) => compared(`${'a'.repeat(55)}${at}.test`))
  const before = process.cpuUsage()
  for (const one of known) resemblance(sender, one)
  assert.ok(process.cpuUsage(before).user < 2_000_000)
})
