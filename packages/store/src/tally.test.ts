// Sums of many counts in few rows, and what happens to them while they can't be written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { type Counted, Tally } from './tally.ts'

const { log } = serviceStandIn()

test('things of the same kind are one row, and what is left is written at the end', async () => {
  const written: Counted<{ host: string; result: string }>[] = []
  {
    await using tally = new Tally<{ host: string; result: string }>(
      async (rows) => void written.push(...rows),
      log,
      60_000,
    )
    for (const result of ['successful', 'validation-failure', 'successful']) tally.add({ host: 'mx', result })
    assert.equal(written.length, 0)
  }
  assert.deepEqual(
    written.map(({ item, count }) => `${item.result} ${count}`),
    ['successful 2', 'validation-failure 1'],
  )
})

test('many different things are written at once, and more than can wait are let go', async () => {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>()
  let rows = 0
  {
    const write = async (counted: unknown[]) => {
      rows += counted.length
      await isOver
    }
    await using tally = new Tally<{ name: number }>(write, log, 60_000)
    for (let name = 0; name < 50_000; name++) tally.add({ name })
    end()
  }
  assert.equal(rows, 20_000)
})

test('what could not be written is lost, and what comes after it is not', async () => {
  const written: unknown[] = []
  {
    let isAway = true
    const write = async (counted: Counted<{ name: number }>[]) => {
      if (isAway) {
        isAway = false
        throw new Error('away')
      }
      written.push(...counted)
    }
    await using tally = new Tally<{ name: number }>(write, log, 60_000)
    for (let name = 0; name < 2_001; name++) tally.add({ name })
  }
  assert.deepEqual(written, [{ item: { name: 2_000 }, count: 1 }])
})
