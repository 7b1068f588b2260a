// SMTP TLS reports as RFC 8460 has them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsCount } from '@sekimori/store/tls-result'
import { factsOf } from './report-facts.ts'
import { tlsReport } from './tls-report.ts'

const facts = factsOf({ day: '2026-03-01', kind: 'tls', policyDomain: 'example.com' }, 'example.test')
const sts = { policyDomain: 'example.com', policyType: 'sts' as const, host: 'mx.example.com', address: '192.0.2.1' }
const policy = ['version: STSv1', 'mode: testing', 'mx: mx.example.com', 'mx: *.example.net', 'max_age: 60'].join('\n')

test('sessions are told by policy, with what failed in detail', () => {
  const counted: { item: TlsCount; count: number }[] = [
    { item: { ...sts, policy, result: 'successful' }, count: 5326 },
    { item: { ...sts, policy, result: 'certificate-expired' }, count: 100 },
    { item: { ...sts, policy: '', host: '', address: '', result: 'sts-policy-fetch-error' }, count: 3 },
    { item: { ...sts, policyType: 'tlsa', policy: '3 1 1 ABCD', result: 'successful' }, count: 2 },
  ]
  assert.deepEqual(tlsReport(counted, facts), {
    'organization-name': 'example.test',
    'date-range': { 'start-datetime': '2026-03-01T00:00:00Z', 'end-datetime': '2026-03-01T23:59:59Z' },
    'contact-info': 'postmaster@example.test',
    'report-id': facts.reportId,
    policies: [
      {
        policy: {
          'policy-type': 'sts',
          'policy-string': policy.split('\n'),
          'policy-domain': 'example.com',
          'mx-host': ['mx.example.com', '*.example.net'],
        },
        summary: { 'total-successful-session-count': 5326, 'total-failure-session-count': 100 },
        'failure-details': [
          {
            'result-type': 'certificate-expired',
            'receiving-mx-hostname': 'mx.example.com',
            'receiving-ip': '192.0.2.1',
            'failed-session-count': 100,
          },
        ],
      },
      {
        policy: { 'policy-type': 'sts', 'policy-domain': 'example.com' },
        summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 3 },
        'failure-details': [{ 'result-type': 'sts-policy-fetch-error', 'failed-session-count': 3 }],
      },
      {
        policy: { 'policy-type': 'tlsa', 'policy-string': ['3 1 1 ABCD'], 'policy-domain': 'example.com' },
        summary: { 'total-successful-session-count': 2, 'total-failure-session-count': 0 },
      },
    ],
  })
})
