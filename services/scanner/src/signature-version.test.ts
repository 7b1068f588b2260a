import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageFault, readMaxAge, readVersion } from './signature-version.ts'

const OFFICIAL = 'ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026'
const AT = new Date('2026-11-16T08:00:00Z')
const DAY_MS = 86_400_000

test('version and time of the official signatures are read from VERSION', () => {
  assert.deepEqual(readVersion(OFFICIAL), { text: OFFICIAL, signaturesAt: AT })
  const firstOfMonth = 'ClamAV 1.4.6/27500/Sun Nov  1 08:00:00 2026'
  assert.deepEqual(readVersion(firstOfMonth)?.signaturesAt, new Date('2026-11-01T08:00:00Z'))
})

test('without official signatures, and with a time that is not understood, the age is unknown', () => {
  const texts = [
    'ClamAV 1.4.6',
    'ClamAV 1.4.6/27500/',
    'ClamAV 1.4.6/27500/Mon Nov 31 08:00:00 2026',
    'ClamAV 1.4.6/27500/Mon Nov 16 28:00:00 2026',
    'ClamAV 1.4.6/27500/Mon Nvo 16 08:00:00 2026',
    'ClamAV 1.4.6/27500/Mo 16 Nov 08:00:00 2026',
    'ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026 JST',
  ]
  for (const text of texts) assert.deepEqual(readVersion(text), { text, signaturesAt: undefined })
})

test('what is no answer to VERSION is none', () => {
  for (const text of ['', 'UNKNOWN COMMAND', '220 mail.example ESMTP', 'ClamAV ', 'ClamAV 1\n2'])
    assert.equal(readVersion(text), undefined)
})

test('signatures up to the age that is set are relied on, older ones are not', () => {
  const fault = (ageMs: number) => ageFault(AT, 7 * DAY_MS, AT.getTime() + ageMs)?.kind
  assert.equal(fault(7 * DAY_MS), undefined)
  assert.equal(fault(7 * DAY_MS + 1), 'too-old')
})

test('signatures of an unknown time are not relied on', () => {
  assert.equal(ageFault(undefined, 7 * DAY_MS, AT.getTime())?.kind, 'age-unknown')
})

test('signatures from the future are relied on as far as time zones reach, and no further: a clock is wrong', () => {
  assert.equal(ageFault(AT, 7 * DAY_MS, AT.getTime() - DAY_MS)?.kind, undefined)
  assert.equal(ageFault(AT, 7 * DAY_MS, AT.getTime() - DAY_MS - 1)?.kind, 'from-future')
})

test('"off" asks for nothing', () => {
  const off = readMaxAge('off')!
  for (const at of [undefined, new Date(0), new Date('9999-01-01')])
    assert.equal(ageFault(at, off, Date.now()), undefined)
})

test('a largest age is a duration or "off"', () => {
  assert.deepEqual(
    ['45s', '90m', '36h', '7d', '7 d'].map(readMaxAge),
    [45_000, 5_400_000, 129_600_000, 604_800_000, 604_800_000],
  )
  for (const wrong of ['', '0d', '-1d', '7', 'd', '7x', 'Off', 'Infinity', '1e3d', 'NaN'])
    assert.equal(readMaxAge(wrong), undefined, wrong)
})
