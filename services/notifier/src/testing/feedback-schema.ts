// What RFC 9990 appendix A says of each element of an aggregate report, in our words: its children with their numbers and,
// where the schema has a sequence, in their order; or what its text may be.
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import type { XmlElement } from './xml-reader.ts'

type Rule = ((text: string) => boolean) | { isOrdered: boolean; children: Record<string, [number, number, Rule]> }

const MANY = Number.POSITIVE_INFINITY
const text: Rule = () => true
const whole: Rule = (value) => /^\d+$/.test(value)
const one =
  (...values: string[]): Rule =>
  (value) =>
    values.includes(value)
const name: Rule = (value) => /^[\w.-]+$/.test(value)
const all = (children: Record<string, [number, number, Rule]>): Rule => ({ isOrdered: false, children })
const sequence = (children: Record<string, [number, number, Rule]>): Rule => ({ isOrdered: true, children })

const policies = one('none', 'quarantine', 'reject')
const alignment = one('r', 's')
const authResult = (...values: string[]) => one('none', 'pass', 'fail', 'neutral', 'temperror', 'permerror', ...values)
const overrides = one('local_policy', 'mailing_list', 'other', 'policy_test_mode', 'trusted_forwarder')

const metadata = all({
  org_name: [1, 1, text],
  email: [1, 1, text],
  extra_contact_info: [0, 1, text],
  report_id: [1, 1, (value) => /^[\w.!#-]+(@[\w.-]+)?$/.test(value)],
  date_range: [1, 1, all({ begin: [1, 1, whole], end: [1, 1, whole] })],
  error: [0, MANY, text],
  generator: [0, 1, text],
})
const published = all({
  domain: [1, 1, name],
  p: [1, 1, policies],
  sp: [0, 1, policies],
  np: [0, 1, policies],
  fo: [0, 1, text],
  adkim: [0, 1, alignment],
  aspf: [0, 1, alignment],
  testing: [0, 1, one('n', 'y')],
  discovery_method: [0, 1, one('psl', 'treewalk')],
})
const evaluated = sequence({
  disposition: [1, 1, one('none', 'pass', 'quarantine', 'reject')],
  dkim: [1, 1, one('pass', 'fail')],
  spf: [1, 1, one('pass', 'fail')],
  reason: [0, MANY, all({ type: [1, 1, overrides], comment: [0, 1, text] })],
})
const record = sequence({
  row: [
    1,
    1,
    sequence({
      source_ip: [1, 1, (value) => isIP(value) !== 0],
      count: [1, 1, whole],
      policy_evaluated: [1, 1, evaluated],
    }),
  ],
  identifiers: [
    1,
    1,
    all({
      envelope_to: [0, 1, name],
      envelope_from: [0, 1, (value) => /^[\w.-]*$/.test(value)],
      header_from: [1, 1, name],
    }),
  ],
  auth_results: [
    1,
    1,
    sequence({
      dkim: [
        0,
        MANY,
        all({
          domain: [1, 1, name],
          selector: [1, 1, name],
          result: [1, 1, authResult('policy')],
          human_result: [0, 1, text],
        }),
      ],
      spf: [
        0,
        1,
        all({
          domain: [1, 1, name],
          scope: [0, 1, one('mfrom', 'helo')],
          result: [1, 1, authResult('softfail')],
          human_result: [0, 1, text],
        }),
      ],
    }),
  ],
})
const feedback = sequence({
  version: [0, 1, one('1.0')],
  report_metadata: [1, 1, metadata],
  policy_published: [1, 1, published],
  record: [1, MANY, record],
})

/** Fails where the report is not as the schema wants it. */
export function assertFeedback(root: XmlElement): void {
  assert.equal(root.name, 'feedback')
  assert.equal(root.attributes, 'xmlns="urn:ietf:params:xml:ns:dmarc-2.0"')
  check(root, feedback, 'feedback')
}

function check(element: XmlElement, rule: Rule, path: string): void {
  if (typeof rule === 'function') {
    assert.deepEqual(element.children, [], path)
    assert.ok(rule(element.text), `${path}: ${element.text}`)
    return
  }
  assert.equal(element.text.trim(), '', path)
  const names = element.children.map((child) => child.name)
  for (const [child, [least, most]] of Object.entries(rule.children)) {
    const count = names.filter((found) => found === child).length
    assert.ok(count >= least && count <= most, `${path}/${child} occurs ${count} times`)
  }
  for (const child of element.children) {
    assert.ok(child.name in rule.children, `${path}/${child.name}`)
    check(child, rule.children[child.name]![2], `${path}/${child.name}`)
  }
  const places = names.map((found) => Object.keys(rule.children).indexOf(found))
  if (rule.isOrdered)
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      `${path}: order`,
    )
}
