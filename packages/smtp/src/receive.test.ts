import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { SMTPServerDataStream } from 'smtp-server'
import { type ReceiveOptions, receiveMail } from './receive.ts'

const limits = { maxMessageBytes: 1_000, inlineMaxBytes: 100 }

function streamOf(text: string, cut: number): SMTPServerDataStream {
  const stream = new PassThrough()
  for (let at = 0; at < text.length; at += cut) stream.write(text.slice(at, at + cut))
  stream.end()
  return stream as unknown as SMTPServerDataStream
}

async function take(text: string, cut: number, repair: ReceiveOptions['repair']) {
  let stored = ''
  const store = async (input: AsyncIterable<Buffer>) => {
    for await (const chunk of input) stored += chunk.toString('latin1')
    return { id: 'x', sizeBytes: stored.length }
  }
  const content = await receiveMail(streamOf(text, cut), { ...limits, repair, store })
  return { kind: content.kind, text: content.kind === 'inline' ? content.bytes.toString('latin1') : stored }
}

test('a mail is taken octet for octet, with its header section repaired, however it is cut', async () => {
  for (const body of ['hello\r\n\r\nworld\r\n', 'x'.repeat(500)]) {
    const text = `A: 1\r\nB: 2\r\n\r\n${body}`
    for (let cut = 1; cut < 20; cut++) {
      const taken = await take(text, cut, (head, fields) =>
        Buffer.from(`${fields.map((field) => field.name).join()}|${head.length}\n`),
      )
      assert.equal(taken.text, `a,b|14\n${body}`)
      assert.equal(taken.kind, body.length > 100 ? 'stored' : 'inline')
      assert.equal((await take(text, cut, (head) => head)).text, text)
    }
  }
  assert.equal((await take('\r\nbody', 1, (head) => Buffer.from(`[${head.length}]`))).text, '[2]body')
  assert.equal((await take('A: 1\r\n', 2, (head) => head)).text, 'A: 1\r\n')
  assert.equal((await take('', 2, (head) => head)).text, '')
})

test('a mail over the limit is refused with 552 after all of it was read', async () => {
  for (const size of [1_001, 90_000]) {
    const stream = streamOf(`A: 1\r\n\r\n${'x'.repeat(size)}`, 300)
    const store = async (input: AsyncIterable<Buffer>) => {
      for await (const _ of input);
      return { id: 'x', sizeBytes: 0 }
    }
    await assert.rejects(receiveMail(stream, { ...limits, repair: (head) => head, store }), {
      responseCode: 552,
      enhancedCode: '5.3.4',
    })
    await new Promise((resolve) => stream.once('end', resolve))
  }
})

test('a mail that is cut off or can not be stored is not taken', async () => {
  const broken = new PassThrough() as unknown as SMTPServerDataStream
  broken.write('A: 1\r\n\r\nbody')
  const repair = (head: Buffer) => head
  const taking = receiveMail(broken, { ...limits, repair, store: () => assert.fail('must not be stored') })
  broken.destroy()
  await assert.rejects(taking)
  const full = streamOf(`A: 1\r\n\r\n${'x'.repeat(900)}`, 50)
  await assert.rejects(
    receiveMail(full, { ...limits, repair, store: () => Promise.reject(new Error('disk full')) }),
    /disk full/,
  )
  await new Promise((resolve) => full.once('end', resolve))
})

test('a header section without end is refused, in bounded time', async () => {
  const stream = streamOf('A: 1\r\n'.repeat(60_000), 6)
  await assert.rejects(
    receiveMail(stream, {
      maxMessageBytes: 1e9,
      inlineMaxBytes: 100,
      repair: (head) => head,
      store: () => assert.fail(),
    }),
    { responseCode: 552 },
  )
})
