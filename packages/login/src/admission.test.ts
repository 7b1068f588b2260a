// Sessions and connections of one address and one network, over two replicas.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { Admission } from './admission.ts'
import { widerNetworkOf } from './network.ts'

const SETTINGS = {
  MAX_SESSIONS_PER_ADDRESS: 3,
  MAX_SESSIONS_PER_NETWORK: 5,
  CONNECTIONS_PER_MINUTE_PER_ADDRESS: 1_000,
  CONNECTIONS_PER_MINUTE_PER_NETWORK: 1_000,
}
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

test('an address and its network hold so many sessions and no more; one that ends makes room', async () => {
  await using admission = new Admission(stack.database, 'a', SETTINGS)
  for (const id of ['1', '2', '3']) assert.equal(admission.admit(id, '192.0.2.1'), undefined)
  assert.match(admission.admit('4', '192.0.2.1')!, /your address .* limit is 3$/)
  admission.leave('4')
  assert.match(admission.admit('5', '::ffff:192.0.2.1')!, /limit is 3$/)
  for (const id of ['6', '7']) assert.equal(admission.admit(id, '192.0.2.200'), undefined)
  assert.match(admission.admit('8', '192.0.2.201')!, /your network .* limit is 5$/)
  assert.equal(admission.admit('9', '192.0.3.1'), undefined)
  admission.leave('1')
  assert.equal(admission.admit('10', '192.0.2.1'), undefined)
})

test('sessions at another replica count', async () => {
  await using one = new Admission(stack.database, 'b', SETTINGS, 20)
  await using other = new Admission(stack.database, 'b', SETTINGS, 20)
  for (const id of ['1', '2']) assert.equal(one.admit(id, '2001:db8:0:1::1'), undefined)
  assert.equal(other.admit('3', '2001:db8:0:1::2'), undefined)
  for (const admission of [one, other])
    await eventually(() => {
      const refusal = admission.admit('next', '2001:db8:0:1:ffff::')
      admission.leave('next')
      return refusal?.includes('your address')
    })
  assert.equal(other.admit('4', '2001:db8:0:2::1'), undefined)
})

test('connections of a minute are counted over replicas', async () => {
  const settings = { ...SETTINGS, CONNECTIONS_PER_MINUTE_PER_ADDRESS: 20 }
  await using one = new Admission(stack.database, 'c', settings, 20)
  await using other = new Admission(stack.database, 'c', settings, 20)
  const visit = (admission: Admission) => {
    const refusal = admission.admit('1', '198.51.100.1')
    admission.leave('1')
    return refusal
  }
  for (let i = 0; i < 15; i++) assert.equal(visit(one), undefined)
  await eventually(
    () => /^Too many connections from your address, the limit is 20 a minute$/.test(visit(other) ?? ''),
    {
      withinMs: 60_000,
    },
  )
})

test('far beyond the rate, connections are a flood, of the address or of its network', async () => {
  const settings = {
    ...SETTINGS,
    ...{ MAX_SESSIONS_PER_ADDRESS: 1_000, MAX_SESSIONS_PER_NETWORK: 1_000 },
    ...{ CONNECTIONS_PER_MINUTE_PER_ADDRESS: 2, CONNECTIONS_PER_MINUTE_PER_NETWORK: 5 },
  }
  // A window that ends in the middle begins the count anew.
  await eventually(async () => {
    const minute = Math.floor(Date.now() / 60_000)
    await using admission = new Admission(stack.database, `flood ${minute} ${Math.random()}`, settings)
    const come = (address: string, times: number) => {
      for (let i = 0; i < times; i++) admission.admit(`${address} ${i}`, address)
      return admission.isFlood(address)
    }
    const seen = [come('192.0.2.1', 4), come('192.0.2.1', 1), admission.isFlood('192.0.2.200')]
    for (const last of [2, 3, 4, 5]) come(`192.0.2.${last}`, 2)
    seen.push(admission.isFlood('192.0.2.200'), come('192.0.2.6', 1), admission.isFlood('192.0.3.1'))
    if (Math.floor(Date.now() / 60_000) !== minute) return false
    assert.deepEqual(seen, [false, true, false, false, true, false])
    return true
  })
})

test('the wider network of an address', () => {
  assert.equal(widerNetworkOf('192.0.2.77'), '192.0.2.0/24')
  assert.equal(widerNetworkOf('2001:db8:1:2:3::4'), '2001:db8:1::/48')
})
