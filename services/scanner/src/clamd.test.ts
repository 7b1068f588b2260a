// Whatever a clamd does instead of answering: there is no verdict, and it is said within the time limit.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { askClamd, ClamdFault, clamdAddress } from './clamd.ts'
import { type Script, startFakeClamd } from './testing/fake-clamd.ts'

/** For what ends by the time limit. */
const TIMEOUT_MS = 300
/** For all else. */
const LONG_MS = 60_000

async function* chunks(...parts: (string | Buffer)[]): AsyncIterable<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

/** Scans, by default two chunks, with a clamd that follows the script. */
async function scan(script: Script, content = chunks('one', 'two'), timeoutMs = LONG_MS): Promise<string> {
  await using clamd = await startFakeClamd(script)
  return await askClamd({ address: clamdAddress(clamd.address), command: 'INSTREAM', timeoutMs, content })
}

test('content goes to clamd octet for octet, and its reply comes back, however it is split', async () => {
  const content = randomBytes(2_500_000)
  await using clamd = await startFakeClamd((event, _text, socket) => {
    const reply = 'stream: OK\0'
    const next = (at: number) => {
      if (at < reply.length) socket.write(reply[at]!, () => setImmediate(() => next(at + 1)))
    }
    if (event === 'end') next(0)
    return event === 'end'
  })
  const cut = chunks(content.subarray(0, 7), Buffer.alloc(0), content.subarray(7, 8), content.subarray(8))
  const question = { address: clamdAddress(clamd.address), command: 'INSTREAM', timeoutMs: LONG_MS, content: cut }
  assert.equal(await askClamd(question), 'stream: OK')
  assert.ok(Buffer.from(clamd.scanned[0]!, 'latin1').equals(content))
})

test('an early refusal is an answer, and ends the reading of the content, wherever that stands', async () => {
  for (const sizeBytes of [100, 10_000_000]) {
    const gate = Promise.withResolvers<void>()
    const reading = { isOver: false }
    async function* endless(): AsyncIterable<Buffer> {
      try {
        for (;;) {
          yield Buffer.alloc(sizeBytes)
          await gate.promise
        }
      } finally {
        reading.isOver = true
      }
    }
    // It takes no more of a large content, whose sending therefore waits.
    const refuse: Script = (event, _text, socket) => {
      if (event === 'begin') socket.pause().write('INSTREAM size limit exceeded. ERROR\0')
      return true
    }
    assert.equal(await scan(refuse, endless()), 'INSTREAM size limit exceeded. ERROR')
    gate.resolve()
    await eventually(() => reading.isOver)
  }
})

const misbehaviours: Record<string, { script: Script; says: RegExp }> = {
  'nothing at all': { script: () => true, says: /no answer within 300 ms/ },
  'one octet now and then': {
    script: (event, _text, socket) => {
      if (event === 'begin') setInterval(() => socket.write('s'), 50).unref()
      return true
    },
    says: /no answer within 300 ms/,
  },
  'a huge reply without an end': {
    script: (event, _text, socket) => (event === 'end' ? socket.write('x'.repeat(1_000_000)) : true),
    says: /not one of clamd: x{200}$/,
  },
  'a huge reply with an end': {
    script: (event, _text, socket) => {
      if (event === 'end') socket.end(`stream: ${'x'.repeat(8_000)} FOUND\0`)
      return true
    },
    says: /not one of clamd/,
  },
  'two replies': {
    script: (event, _text, socket) => {
      if (event === 'end') socket.end('stream: OK\0stream: OK\0')
      return true
    },
    says: /not one of clamd/,
  },
  'a reply without its end': {
    script: (event, _text, socket) => {
      if (event === 'end') socket.end('stream: OK')
      return true
    },
    says: /closed the connection without an answer/,
  },
  'a closed connection': {
    script: (_event, _text, socket) => Boolean(socket.end()),
    says: /closed|ECONNRESET|EPIPE/,
  },
  'a reset connection': {
    script: (_event, _text, socket) => Boolean(socket.resetAndDestroy()),
    says: /closed|ECONNRESET|EPIPE/,
  },
}
for (const [what, { script, says }] of Object.entries(misbehaviours))
  test(`a clamd that answers with ${what} gave no answer`, async () => {
    const timeoutMs = says.source.startsWith('no answer') ? TIMEOUT_MS : LONG_MS
    const since = performance.now()
    const scanning = scan(script, undefined, timeoutMs)
    await assert.rejects(scanning, (error) => error instanceof ClamdFault && says.test(error.message))
    assert.ok(performance.now() - since < LONG_MS / 2)
  })

test('a verdict before the mail was sent whole is no verdict, and the rest of the mail is not read', async () => {
  const gate = Promise.withResolvers<void>()
  const reading = { isOver: false, parts: 0 }
  async function* content(): AsyncIterable<Buffer> {
    try {
      for (; reading.parts < 1_000; reading.parts++) {
        yield Buffer.alloc(100_000)
        if (reading.parts === 0) await gate.promise
      }
    } finally {
      reading.isOver = true
    }
  }
  const early: Script = (event, _text, socket) => event === 'begin' && socket.write('stream: OK\0')
  await assert.rejects(scan(early, content()), /an answer before the whole question was sent: stream: OK/)
  gate.resolve()
  await eventually(() => reading.isOver)
  assert.ok(reading.parts < 10)
})

test('a clamd that takes no more of the mail holds it for the time limit only, and the mail is let go', async () => {
  let isOver = false
  async function* endless(): AsyncIterable<Buffer> {
    try {
      for (;;) yield Buffer.alloc(1_000_000)
    } finally {
      isOver = true
    }
  }
  const stuck: Script = (event, _text, socket) => event === 'begin' && Boolean(socket.pause())
  await assert.rejects(scan(stuck, endless(), TIMEOUT_MS), /no answer within/)
  await eventually(() => isOver)
})

test('what reading the content throws is thrown as it is: it is no fault of clamd', async () => {
  for (const failure of [new DependencyAway('postgres'), new RangeError('content is gone')]) {
    async function* broken(): AsyncIterable<Buffer> {
      yield Buffer.from('one')
      throw failure
    }
    await assert.rejects(
      scan(() => true, broken()),
      (error) => error === failure,
    )
  }
})

test('content that does not come in time is not held against clamd', async () => {
  async function* late(): AsyncIterable<Buffer> {
    yield Buffer.from('one')
    await new Promise(() => {})
  }
  const isContentAway = (error: unknown) => error instanceof DependencyAway && error.dependency === 'content'
  await assert.rejects(
    scan(() => true, late(), TIMEOUT_MS),
    isContentAway,
  )
})

test('a clamd that does not listen gave no answer', async () => {
  await using clamd = await startFakeClamd()
  const address = clamdAddress(clamd.address)
  await clamd.kill()
  for (const nowhere of [address, { path: '/nonexistent/clamd' }])
    await assert.rejects(askClamd({ address: nowhere, command: 'VERSION', timeoutMs: LONG_MS }), ClamdFault)
})

test('an address is a path or host:port', () => {
  assert.deepEqual(clamdAddress('/run/clamd.sock'), { path: '/run/clamd.sock' })
  assert.deepEqual(clamdAddress('[::1]:3310'), { host: '::1', port: 3310, noDelay: true })
  for (const wrong of ['', 'clamd', ':3310', 'clamd:', 'clamd:0', 'clamd:70000', 'clamd:x'])
    assert.throws(() => clamdAddress(wrong), /neither the path/)
})
