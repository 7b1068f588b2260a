// A session with a test listener, whose replies are compared line by line.
import assert from 'node:assert/strict'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { type TestListenerOptions, testListener } from './test-listener.ts'

/** A session after EHLO, and the replies to each line as "code enhanced". */
export async function session(options: TestListenerOptions = {}) {
  const listener = await testListener(options)
  const client = await dialSmtp(listener.endpoint)
  const greeting = await client.say('EHLO client.test', 250)
  return {
    listener,
    client,
    greeting,
    async check(lines: readonly (readonly [line: string, reply: string])[]) {
      for (const [line, expected] of lines) {
        const { code, enhanced } = await client.say(line)
        assert.equal(enhanced === undefined ? `${code}` : `${code} ${enhanced}`, expected, line)
      }
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await listener[Symbol.asyncDispose]()
    },
  }
}
