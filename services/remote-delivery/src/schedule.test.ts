import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, readConfig } from '@sekimori/config/config'
import { schema } from './config.ts'
import { parseDurations, readSchedule, retryDelayMs } from './schedule.ts'
import { parseSmarthost } from './smarthost.ts'

const MINUTE = 60_000
const required = { DATABASE_URL: 'postgres://x', AMQP_URL: 'amqp://x' }

test('a schedule is durations with commas between', () => {
  assert.deepEqual(parseDurations('1m, 5m,4h'), [MINUTE, 5 * MINUTE, 240 * MINUTE])
  for (const text of ['', '1m,', '1m;5m']) assert.equal(parseDurations(text), undefined, text)
})

test('waits follow the schedule, the last one repeats, and chance moves them by a tenth', () => {
  const schedule = readSchedule(readConfig(schema, required))
  const waits = (chance: number) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 30].map((attempts) => retryDelayMs(schedule, attempts, chance) / MINUTE)
  assert.deepEqual(waits(0.5), [1, 5, 15, 30, 60, 120, 240, 240, 240])
  assert.deepEqual([waits(0)[0], waits(1)[0]], [0.9, 1.1])
  assert.deepEqual([schedule.lifetimeMs / MINUTE, schedule.delayNoticeAfterMs / MINUTE], [7200, 240])
})

test('settings that can not be read are named at the start', () => {
  const faulty = { RETRY_SCHEDULE: '1m,soon', RETRY_LIFETIME: '5', SMARTHOST: 'relay.test:port', DNS_SERVERS: 'a:b:c' }
  assert.throws(
    () => readConfig(schema, { ...required, ...faulty }),
    (error) => error instanceof ConfigError && Object.keys(faulty).every((name) => error.message.includes(`${name}:`)),
  )
})

test('a fault in the smarthost does not show its password', () => {
  const SMARTHOST = 'user:hunter2@relay.test:port'
  assert.throws(
    () => readConfig(schema, { ...required, SMARTHOST }),
    (error) => error instanceof ConfigError && !error.message.includes('hunter2'),
  )
})

test('a smarthost is read with its port, its encryption and its login', () => {
  assert.deepEqual(parseSmarthost('relay.test'), { host: 'relay.test', port: 25, tls: 'opportunistic' })
  assert.deepEqual(parseSmarthost('[::1]:2525'), { host: '::1', port: 2525, tls: 'opportunistic' })
  const login = { user: 'us@er', password: 'p:w/d' }
  const encoded = 'us%40er:p%3Aw%2Fd'
  assert.deepEqual(parseSmarthost(`${encoded}@relay.test:587`), {
    host: 'relay.test',
    port: 587,
    tls: 'required',
    login,
  })
  assert.deepEqual(parseSmarthost(`smtps://${encoded}@relay.test`), {
    host: 'relay.test',
    port: 465,
    tls: 'implicit',
    login,
  })
  assert.deepEqual(parseSmarthost('relay.test:465')?.tls, 'implicit')
})

test('what is no smarthost is not taken for one', () => {
  for (const text of [
    '',
    ':25',
    'relay.test:99999',
    'user@relay.test',
    'http://relay.test',
    'relay.test/x',
    'a%zz:b@relay.test',
    'relay.test?x',
  ])
    assert.equal(parseSmarthost(text), undefined, text)
})
