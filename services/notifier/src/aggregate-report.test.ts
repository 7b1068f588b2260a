// Aggregate reports as RFC 9990 has them, and what strangers' names can't do to them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DmarcRow } from '@sekimori/mail/dmarc-observation'
import type { DmarcSubject } from '@sekimori/store/dmarc-result'
import { aggregateReport } from './aggregate-report.ts'
import { factsOf } from './report-facts.ts'
import { assertFeedback } from './testing/feedback-schema.ts'
import { readXml, type XmlElement } from './testing/xml-reader.ts'

const facts = factsOf({ day: '2026-03-01', kind: 'dmarc', policyDomain: 'example.com' }, 'example.test')
const policy = {
  domain: 'example.com',
  p: 'reject',
  sp: 'none',
  adkim: 'r',
  aspf: 's',
  testing: 'n',
  rua: 'x',
} as const
const forged: DmarcRow = {
  sourceIp: '2001:db8::1',
  disposition: 'none',
  override: 'local_policy',
  dkim: 'fail',
  spf: 'fail',
  headerFrom: 'mail.example.com',
  envelopeFrom: '',
  signatures: [],
}
const genuine: DmarcRow = {
  sourceIp: '192.0.2.1',
  disposition: 'pass',
  dkim: 'pass',
  spf: 'pass',
  headerFrom: 'example.com',
  envelopeFrom: 'bounce.example.com',
  signatures: [
    { domain: 'example.com', selector: 's1', result: 'pass' },
    { domain: 'other.test', selector: 's2', result: 'temperror' },
  ],
  spfResult: { domain: 'bounce.example.com', scope: 'mfrom', result: 'pass' },
}
const subject: DmarcSubject = {
  policy,
  leftOut: 0,
  rows: [
    { row: genuine, mails: 12 },
    { row: forged, mails: 1 },
  ],
}

const at = (element: XmlElement, path: string): string =>
  path.split('/').reduce((one, name) => one.children.find((child) => child.name === name)!, element).text

test('a report is as the schema wants it, with everything that was counted', () => {
  const root = readXml(aggregateReport(subject, facts))
  assertFeedback(root)
  assert.deepEqual(
    ['org_name', 'email', 'report_id', 'date_range/begin', 'date_range/end'].map((path) =>
      at(root, `report_metadata/${path}`),
    ),
    ['example.test', 'postmaster@example.test', facts.reportId, '1772323200', '1772409599'],
  )
  const names = ['domain', 'p', 'sp', 'adkim', 'aspf', 'testing', 'discovery_method']
  assert.deepEqual(
    names.map((name) => at(root, `policy_published/${name}`)),
    ['example.com', 'reject', 'none', 'r', 's', 'n', 'treewalk'],
  )
  const [first, second] = root.children.filter(({ name }) => name === 'record')
  assert.deepEqual([at(first!, 'row/count'), at(first!, 'row/policy_evaluated/disposition')], ['12', 'pass'])
  assert.equal(first!.children.at(-1)!.children.filter(({ name }) => name === 'dkim').length, 2)
  assert.deepEqual(
    [at(second!, 'row/policy_evaluated/reason/type'), at(second!, 'identifiers/envelope_from')],
    ['local_policy', ''],
  )
})

test('what was left out is said, and no name breaks the document', () => {
  const evil = { ...genuine, headerFrom: '</header_from><x a="1">&\u0001\ud800' }
  const root = readXml(aggregateReport({ ...subject, leftOut: 7, rows: [{ row: evil, mails: 1 }] }, facts))
  assert.match(at(root, 'report_metadata/error'), /^7 more messages/)
  assert.equal(at(root, 'record/identifiers/header_from'), '</header_from><x a="1">&')
})
