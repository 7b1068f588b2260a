// The published test suite for RFC 7208, every case of it, against our check of a session.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSpf } from './spf.ts'
import { type Deviation, readSuite } from './testing/published-suite.ts'
import { type Zone, type ZoneAnswer, zoneResolver } from './testing/zone.ts'

type SuiteRecord = 'TIMEOUT' | Record<string, unknown>

interface SuiteCase {
  helo: string
  host: string
  mailfrom: string
  result: string | string[]
  /** DEFAULT: the domain gives none. */
  explanation?: string
}

interface Scenario {
  tests: Record<string, SuiteCase>
  zonedata: Record<string, SuiteRecord[]>
}

const CASES = 203

test('every case of the published suite for RFC 7208 has the result that it asks for', async (context) => {
  const scenarios = readSuite<Scenario>(context, 'spf/rfc7208-tests.json')
  if (scenarios === undefined) return
  const deviations: Deviation[] = []
  let cases = 0
  for (const { tests, zonedata } of scenarios) {
    const resolver = zoneResolver(toZone(zonedata))
    for (const [name, { helo, host, mailfrom, result, explanation }] of Object.entries(tests)) {
      cases++
      const session = { clientAddress: host, ehloName: helo, mailFrom: mailfrom }
      const { finding, explanation: given = 'DEFAULT' } = await checkSpf(session, 'receiver.test', resolver)
      const isRight = [result].flat().includes(finding.result) && (explanation ?? given) === given
      if (!isRight)
        deviations.push({ name, wanted: `${result} ${explanation ?? ''}`, found: `${finding.result} ${given}` })
    }
  }
  assert.deepEqual(deviations, [])
  assert.equal(cases, CASES)
})

function toZone(data: Scenario['zonedata']): Zone {
  return Object.fromEntries(Object.entries(data).map(([name, records]) => [name, toNode(records)]))
}

/** SPF records stand for TXT records at names that have no TXT record; "NONE" is a TXT record that stands for nothing. */
function toNode(records: SuiteRecord[]): Zone[string] {
  const node: Record<string, ZoneAnswer> = {}
  const hasTxt = records.some((record) => record !== 'TIMEOUT' && 'TXT' in record)
  for (const record of records) {
    if (record === 'TIMEOUT') node.ANY = 'TIMEOUT'
    else {
      const [[type, value]] = Object.entries(record) as [[string, unknown]]
      const asked = type === 'SPF' && !hasTxt ? 'TXT' : type
      if (value === 'TIMEOUT') node[asked] = 'TIMEOUT'
      else if (value !== 'NONE') node[asked] = [...((node[asked] ?? []) as unknown[]), toValue(type, value)]
    }
  }
  return node
}

function toValue(type: string, value: unknown): unknown {
  if (type !== 'MX') return value
  const [priority, exchange] = value as [number, string]
  return { priority, exchange }
}
