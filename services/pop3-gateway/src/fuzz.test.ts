// Whatever is said to it, in whatever pieces, and whatever fails behind it, the server answers each line once and in time,
// shows nothing of the inside, and stays well. Seeded (FUZZ_SEED); the nightly form is `npm run fuzz`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  endedInTime,
  heldMemoryBytes,
  isInjected,
  maybeFail,
  type Numbers,
  numbersFrom,
  sendEndlessLine,
  settledGrowthBytes,
  watchCrashes,
} from '@sekimori/testing/fuzz'
import type { Maildrop, Ports } from './ports.ts'
import { fuzzPop3 } from './testing/pop3-fuzzer.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 1939)
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 50_000)
const WARM_UP = 5_000
/** A leak of 400 octets a command would show in every run. */
const MEMORY_GROWTH_MAX_BYTES = 20_000_000
const FAIL_ONE_IN = 40
const TEXTS = ['Subject: 1\r\n\r\n.\r\n', 'Subject: 2\r\n\r\nthe end\r\n', '', `a: b\r\n\r\n${'.line\r\n'.repeat(100)}`]

/** A world with one maildrop, in which everything fails now and then. */
function unreliable(below: Numbers): Ports {
  const sound = portsWith(maildropOf(TEXTS))
  const drop: Maildrop = maildropOf(TEXTS)
  const maildrop: Maildrop = {
    ...drop,
    async *read(uid) {
      maybeFail(below, FAIL_ONE_IN)
      yield* drop.read(uid)
      maybeFail(below, FAIL_ONE_IN * 4)
    },
    remove: async () => {
      maybeFail(below, 4)
      return { kind: below(4) === 0 ? 'lost' : 'removed' }
    },
  }
  return {
    ...sound,
    login: (...given) => {
      maybeFail(below, FAIL_ONE_IN)
      return sound.login(...given)
    },
    openMaildrop: async () => {
      maybeFail(below, FAIL_ONE_IN)
      return below(FAIL_ONE_IN) === 0 ? { kind: 'in-use' } : { kind: 'open', maildrop }
    },
  }
}

test(`${COMMANDS} commands from seed ${SEED}, before and after login`, { timeout: 3_600_000 }, async (t) => {
  using watch = watchCrashes()
  const server = await startServer(unreliable(numbersFrom(SEED)), { allowsPlaintextAuth: true })
  await using _server = endedInTime(server)
  const { pop3Port, pop3sPort, logged } = server
  const fuzz = (seed: number, commands: number) => fuzzPop3({ pop3Port, pop3sPort, seed, commands })
  await fuzz(SEED + 1, WARM_UP)
  const before = heldMemoryBytes()
  const { answered, counts, sessions } = await fuzz(SEED, COMMANDS)
  const outcomes = new Set(logged.map(({ facts }) => (facts as { outcome?: string }).outcome))
  const errors = logged.filter(({ level }) => level === 'error').map(({ facts }) => (facts as { err: unknown }).err)
  const ours = errors.filter((error) => !isInjected(error))
  const said = JSON.stringify(Object.fromEntries(counts))
  t.diagnostic(
    `seed ${SEED}: ${answered} lines answered ${said} in ${sessions} sessions, beside ${errors.length} faults`,
  )
  errors.length = logged.length = 0
  using _endless = await sendEndlessLine(pop3Port)
  const growth = await settledGrowthBytes(before, MEMORY_GROWTH_MAX_BYTES)
  t.diagnostic(`memory grew by ${growth} octets`)
  assert.ok(answered >= COMMANDS)
  assert.deepEqual([...watch.crashes, ...ours], [])
  for (const status of ['+OK', '-ERR', '+']) assert.ok(counts.get(status)! > COMMANDS / 250, status)
  for (const outcome of ['quit', 'gone', 'not logged in', 'failed']) assert.ok(outcomes.has(outcome), outcome)
  assert.ok(growth < MEMORY_GROWTH_MAX_BYTES, `memory grows by ${growth} octets`)
  await using client = await WireClient.dial(pop3Port)
  assert.match(await client.say('NOOP'), /^-ERR Log in first/)
})
