// Commands that an attacker on the way puts behind STARTTLS must not count as said inside TLS (RFC 3207 section 5).
import assert from 'node:assert/strict'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import tls from 'node:tls'
import { eventually } from '@sekimori/testing/eventually'
import { sharedStack } from '@sekimori/testing/shared-stack'

for (const listener of ['submission', 'mx'] as const) {
  test(`S1-06 on ${listener} what came in clear text behind STARTTLS is never answered inside TLS`, async () => {
    const stack = await sharedStack()
    const plain = net.connect(stack.endpoints[listener])
    let heard = ''
    const hear = (chunk: Buffer) => {
      heard += chunk.toString()
    }
    plain.on('data', hear)
    await eventually(() => heard.startsWith('220 '))
    plain.write('EHLO client.example\r\n')
    await eventually(() => /^250 /m.test(heard))
    plain.write('STARTTLS\r\nEHLO injected.example\r\nMAIL FROM:<injected@sender.example>\r\n')
    await eventually(() => heard.split(/^220 /m).length === 3)
    plain.off('data', hear)
    const encrypted = tls.connect({ socket: plain, ca: stack.ca, servername: 'localhost' })
    encrypted.write('QUIT\r\n')
    const replies = await text(encrypted)
    assert.match(replies, /^221 [^\r\n]*\r\n$/)
  })
}
