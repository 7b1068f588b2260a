// Many questions at once: sockets are few and change, what is under way is bounded, and idleness lets a process end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { serveDns } from '@sekimori/testing/dns-server-socket'
import { decode, encode } from 'dns-packet'
import { createResolver } from './resolver.ts'
import { Slots } from './slots.ts'

test('3,000 questions over a few sockets are all answered', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], timeoutMs: 1000, attempts: 5 })
  const hosts = Array.from({ length: 3000 }, (_, host) => `h${host}.test`)
  const addresses = hosts.map((_, index) => `192.0.${index >> 8}.${index & 255}`)
  for (const [index, host] of hosts.entries()) server.set(host, 'A', [addresses[index]!])
  const answers = await Promise.all(hosts.map((host) => resolver.resolve(host, 'A')))
  assert.deepEqual(answers.flat(), addresses)
})

test('so many pieces of work start at once, and more as those end or take long', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const slots = new Slots(2, 50)
  let started = 0
  const finish: (() => void)[] = []
  const runs = Array.from({ length: 6 }, () =>
    slots.run(() => {
      started += 1
      return new Promise<void>((resolve) => finish.push(resolve))
    }),
  )
  assert.equal(started, 2)
  finish.shift()!()
  await runs[0]
  assert.equal(started, 3)
  for (const expected of [5, 6]) {
    context.mock.timers.tick(50)
    await new Promise(setImmediate)
    assert.equal(started, expected)
  }
  for (const end of finish) end()
  await Promise.all(runs)
  await assert.rejects(
    slots.run(() => Promise.reject(new Error('failed'))),
    /failed/,
  )
})

test('a flood of silent names is turned away at a bound, and delays others only a little', async () => {
  await using server = await serveDns((query) => {
    const { id, questions = [] } = decode(query)
    const { name } = questions[0]!
    if (name.startsWith('slow')) return []
    return [encode({ type: 'response', id, questions, answers: [{ type: 'A', name, ttl: 9, data: '192.0.2.1' }] })]
  })
  await using resolver = createResolver({ servers: [server.address], timeoutMs: 2000, attempts: 1 })
  const refused: number[] = []
  const flood = Array.from({ length: 10_050 }, (_, index) =>
    resolver.resolve(`slow${index}.test`, 'A').catch(() => refused.push(index)),
  )
  await Promise.all(flood.slice(10_000))
  assert.equal(refused.length, 50)
  await resolver[Symbol.asyncDispose]()
  await Promise.all(flood)
  await using patient = createResolver({ servers: [server.address], timeoutMs: 20_000, attempts: 1 })
  const slow = Array.from({ length: 300 }, (_, index) => patient.resolve(`slow${index}.test`, 'A'))
  let givenUp = 0
  for (const question of slow) question.catch(() => givenUp++)
  assert.deepEqual(await patient.resolve('quick.test', 'A'), ['192.0.2.1'])
  assert.equal(givenUp, 0, 'it waits for none of the slow ones to end')
})

test('an idle resolver does not keep its process alive, a waiting one does', async () => {
  await using server = await startDnsServer()
  server.set('example.test', 'A', ['192.0.2.1'])
  const module = new URL('./resolver.ts', import.meta.url).href
  const code = `
    import { createResolver } from '${module}'
    const resolver = createResolver({ servers: ['${server.address}'] })
    console.log(await resolver.resolve('example.test', 'A'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  const [status] = await once(child, 'close')
  assert.equal(Buffer.concat(output).toString(), "[ '192.0.2.1' ]\n")
  assert.equal(status, 0)
})
