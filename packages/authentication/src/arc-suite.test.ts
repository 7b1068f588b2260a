// The published ARC test suite against our verification of a mail: every validation case, and
// seals made for its signing cases.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSeal } from 'mailauth/lib/arc/index.js'
import { checkSignatures } from './signatures.ts'
import { type Deviation, readSuite } from './testing/published-suite.ts'
import { zoneResolver } from './testing/zone.ts'

interface Scenario<T> {
  tests: Record<string, T>
  'txt-records': Record<string, string>
}

/** `cv` is empty where the suite wants no status at all: RFC 8617 section 5.2 calls it `fail`. */
interface ValidationCase {
  message: string
  cv: string
}

/** The values of the set that a sealer has to add; empty where it must add none. */
interface SigningCase {
  message: string
  t: number
  'sig-headers': string
  AS: string
  AMS: string
}

interface SigningScenario extends Scenario<SigningCase> {
  domain: string
  sel: string
  privatekey: string
}

const VALIDATION_CASES = 171
const SIGNING_CASES = 17

/**
 * Cases that ask for what the RFC forbids. An ARC-Message-Signature with an empty h= covers no header field, From
 * neither: anybody could put it below another author. The suite is older than RFC 8617, which takes the rules of
 * RFC 6376 section 3.5 ("This list MUST NOT be empty") and section 6.1.1 (From must be signed).
 */
const AGAINST_THE_RFC = ['ams_fields_h_empty']

const crlf = (text: string) => Buffer.from(text.replace(/\r?\n/g, '\r\n'))

async function statusOf(message: Buffer, records: Record<string, string>): Promise<string> {
  const zone = Object.fromEntries(Object.entries(records).map(([name, text]) => [name, { TXT: [text] }]))
  const { arc } = await checkSignatures(message, { receivedAt: new Date() }, zoneResolver(zone))
  return arc.result
}

test('every validation case of the published ARC suite has the status that it asks for', async (context) => {
  const scenarios = readSuite<Scenario<ValidationCase>>(context, 'arc/arc-draft-validation-tests.json')
  if (scenarios === undefined) return
  const deviations: Deviation[] = []
  let cases = 0
  for (const { tests, 'txt-records': records } of scenarios) {
    for (const [name, { message, cv }] of Object.entries(tests)) {
      cases++
      const found = await statusOf(crlf(message), records)
      const wanted = cv.toLowerCase() || 'fail'
      if (found !== wanted) deviations.push({ name, wanted, found })
    }
  }
  const against = AGAINST_THE_RFC.map((name) => ({ name, wanted: 'pass', found: 'fail' }))
  assert.deepEqual(deviations, against)
  assert.equal(cases, VALIDATION_CASES)
})

test('a seal for each signing case has the values that the suite asks for, and verifies', async (context) => {
  const scenarios = readSuite<SigningScenario>(context, 'arc/arc-draft-sign-tests.json')
  if (scenarios === undefined) return
  let cases = 0
  for (const scenario of scenarios) {
    for (const [name, wanted] of Object.entries(scenario.tests)) {
      cases++
      const message = crlf(wanted.message)
      const status = await statusOf(message, scenario['txt-records'])
      const set = await seal(message, status, scenario, wanted)
      if (wanted.AS === '') {
        assert.deepEqual(set, [], name)
        continue
      }
      const [arcSeal, messageSignature] = set as [string, string]
      assert.deepEqual(tagsOf(arcSeal), tagsOf(`:${wanted.AS}`), name)
      assert.deepEqual(tagsOf(messageSignature), tagsOf(`:${wanted.AMS}`), name)
      const sealed = Buffer.concat([Buffer.from(`${set.join('\r\n')}\r\n`), message])
      assert.equal(await statusOf(sealed, scenario['txt-records']), status === 'fail' ? 'fail' : 'pass', name)
    }
  }
  assert.equal(cases, SIGNING_CASES)
})

async function seal(message: Buffer, status: string, scenario: SigningScenario, wanted: SigningCase) {
  const results = wanted.message.matchAll(/^Authentication-Results:(.*\n(?:[ \t].*\n)*)/gim)
  const options = {
    signingDomain: scenario.domain,
    selector: scenario.sel,
    privateKey: scenario.privatekey,
    signTime: new Date(wanted.t * 1000),
    headerList: wanted['sig-headers'].split(':'),
    cv: status,
    authResults: [...results].map((match) => match[1]!.trim()).join('; '),
  }
  return (await createSeal(message, { strict: true, seal: options } as never)).headers
}

/**
 * The tags of a field, without white space. b= is left out, which depends on the order of the tags and on their folds,
 * and so is q=, written out or not; the fields of h= may stand in any order.
 */
function tagsOf(field: string): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const tag of field.slice(field.indexOf(':') + 1).split(';')) {
    const [, name = '', value = ''] = /^(\w*)=?(.*)$/s.exec(tag.replace(/\s+/g, ''))!
    if (name === 'h') tags.h = value.toLowerCase().split(':').sort().join(':')
    else if (!['', 'b', 'q'].includes(name)) tags[name] = value
  }
  return tags
}
