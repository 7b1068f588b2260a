import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { ConfigError, readConfig } from './config.ts'
import { duration, parseDuration } from './duration.ts'

const MINUTE = 60_000

test('durations carry their unit', () => {
  assert.deepEqual(['30s', '5m', '1.5h', '5d', '200ms', '2 days'].map(parseDuration), [
    30_000,
    5 * MINUTE,
    90 * MINUTE,
    7200 * MINUTE,
    200,
    2880 * MINUTE,
  ])
  for (const text of ['', '5', '-5m', 'm', '0s', '5 parsecs', '5m5m', '1m,5m'])
    assert.equal(parseDuration(text), undefined, text)
})

test('a setting that is no duration is named', () => {
  const schema = Type.Object({ KEPT: duration('30d', 'how long') })
  assert.deepEqual(readConfig(schema, {}), { KEPT: '30d' })
  assert.throws(
    () => readConfig(schema, { KEPT: '30' }),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /KEPT: must be a duration/)
      return true
    },
  )
})
