// The lookups of one mail are counted and timed; past the limit they fail as if the name server did not answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolve } from '@sekimori/dns/resolver'
import { parseHeader } from '@sekimori/mail/header'
import { surplusSignatures, withinBudget } from './budget.ts'

const answers = (async () => [['x']]) as unknown as Resolve

test('a mail gets no more than its number of lookups', async () => {
  const { resolver: resolve } = withinBudget(answers)
  for (let n = 0; n < 200; n++) await resolve('x.test', 'TXT')
  await assert.rejects(resolve('x.test', 'TXT'), { code: 'ETIMEOUT' })
})

test('a mail gets no more than its time', async () => {
  let time = 0
  const { resolver: resolve } = withinBudget(answers, () => time)
  time = 29_000
  await resolve('x.test', 'TXT')
  time = 31_000
  await assert.rejects(resolve('x.test', 'TXT'), { code: 'ETIMEOUT' })
})

test('the first twenty signatures are looked at, the others left out', () => {
  const field = 'DKIM-Signature: x\r\n'
  const text = `Subject: x\r\n${field.repeat(22)}To: y\r\n\r\n`
  const start = 'Subject: x\r\n'.length + 20 * field.length
  assert.deepEqual(surplusSignatures(parseHeader(Buffer.from(text))), [start, start + 19, start + 19, start + 38])
})

test('silence is told apart from an answer that helps nobody', async () => {
  const failing = (code: string) =>
    (() => Promise.reject(Object.assign(new Error(code), { code }))) as unknown as Resolve
  for (const [code, isSilence] of [
    ['ETIMEOUT', true],
    ['ECONNREFUSED', true],
    ['ESERVFAIL', false],
    ['ENOTFOUND', false],
  ] as const) {
    const { resolver, hasMetSilence } = withinBudget(failing(code))
    await assert.rejects(resolver('x.test', 'TXT'), { code })
    assert.equal(hasMetSilence(), isSilence, code)
  }
})
