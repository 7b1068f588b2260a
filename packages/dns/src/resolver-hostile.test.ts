// What the resolver makes of answers that are forged, misdirected or endless.
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { serveDns } from '@sekimori/testing/dns-server-socket'
import { decode } from 'dns-packet'
import { createResolver } from './resolver.ts'
import { answerWith } from './test-answer.ts'

test('an endless chain over many messages ends', async () => {
  let count = 0
  await using server = await serveDns((query) => {
    const { name } = decode(query).questions![0]!
    count += 1
    return [answerWith(query, '', { answers: [{ type: 'CNAME', name, ttl: 60, data: `n${count}.test` }] })]
  })
  await using resolver = createResolver({ servers: [server.address] })
  await assert.rejects(resolver.resolve('n0.test', 'A'), { code: 'ESERVFAIL' })
  assert.equal(count, 9)
})

test('messages with another id or question, or that are no responses, are no answers', async () => {
  await using server = await serveDns((query) => {
    const { id = 0, questions = [] } = decode(query)
    return [
      answerWith(query, '192.0.2.66', { id: id ^ 1 }),
      answerWith(query, '192.0.2.66', { questions: [{ name: 'other.test', type: 'A' }] }),
      answerWith(query, '192.0.2.66', { questions: [{ ...questions[0]!, type: 'AAAA' }] }),
      answerWith(query, '192.0.2.66', { questions: [] }),
      answerWith(query, '192.0.2.66', { type: 'query' }),
      answerWith(query, '192.0.2.1', { questions: [{ name: 'EXAMPLE.test', type: 'A' }] }),
    ]
  })
  await using resolver = createResolver({ servers: [server.address] })
  assert.deepEqual(await resolver.resolve('example.test', 'A'), ['192.0.2.1'])
})

test('over TCP, too, a message with another id is no answer', async () => {
  await using server = await serveDns((query, via) => {
    const { id = 0 } = decode(query)
    return [via === 'udp' ? answerWith(query, '', { flags: 0x200 }) : answerWith(query, '192.0.2.66', { id: id ^ 1 })]
  })
  await using resolver = createResolver({ servers: [server.address], attempts: 1 })
  await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'EBADRESP' })
})

test('a datagram from another address is no answer', async () => {
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  const stranger = dgram.createSocket('udp4')
  await once(server, 'listening')
  server.on('message', (query, { port }) => {
    stranger.send(answerWith(query, '192.0.2.66'), port, '127.0.0.1', () =>
      server.send(answerWith(query, '192.0.2.1'), port, '127.0.0.1'),
    )
  })
  await using resolver = createResolver({ servers: [`127.0.0.1:${server.address().port}`] })
  assert.deepEqual(await resolver.resolve('example.test', 'A'), ['192.0.2.1'])
  server.close()
  stranger.close()
})

test('ids and ports of questions vary', async () => {
  const ids = new Set<number>()
  const ports = new Set<number>()
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('message', (query, { port }) => {
    ids.add(query.readUInt16BE(0))
    ports.add(port)
    server.send(answerWith(query, '192.0.2.1'), port, '127.0.0.1')
  })
  await using resolver = createResolver({ servers: [`127.0.0.1:${server.address().port}`] })
  const ask = (host: number) => resolver.resolve(`h${host}.test`, 'A')
  for (let host = 0; host < 2500; host += 50)
    await Promise.all(Array.from({ length: 50 }, (_, next) => ask(host + next)))
  server.close()
  assert.ok(ids.size > 2000)
  assert.ok(ports.size > 4 && ports.size < 20, String(ports.size))
})
