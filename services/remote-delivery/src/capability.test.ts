// Mail that a server may not be able to take as it is: octets beyond ASCII without 8BITMIME (RFC 6152 section 3).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const ASCII = 'Subject: x\r\n\r\nplain\r\n'
const EIGHT_BIT = 'Subject: x\r\n\r\nにほん\r\n'

const scenes: [string, string, string | undefined, string[], string][] = [
  ['octets beyond ASCII, not offered', EIGHT_BIT, '8bitmime', [], 'rejected 5.6.3'],
  ['octets beyond ASCII, offered', EIGHT_BIT, '8bitmime', ['8BITMIME'], 'sent BODY=8BITMIME'],
  ['declared so, but all ASCII, not offered', ASCII, '8BITMIME', [], 'sent'],
  ['octets beyond ASCII that nobody declared, not offered', EIGHT_BIT, undefined, [], 'sent'],
]
for (const [name, text, bodyType, offered, expected] of scenes)
  test(`8BITMIME: ${name}: ${expected}`, async () => {
    await using outside = await openOutside()
    const reply = ['250-remote.test', ...offered.map((word) => `250-${word}`), '250 HELP'].join('\r\n')
    const server = await outside.startMx('remote.test', { replies: [{ at: 'EHLO', reply }] })
    const envelope = bodyType === undefined ? {} : { bodyType }
    const outcome = (await outside.deliver(outboundJob([BOB], { envelope: envelope as never }, text))).get(BOB)!
    const declared = /\bBODY=\w+/.exec(server.mails[0]?.parameters ?? '')?.[0] ?? ''
    assert.equal(`${outcome.kind} ${outcome.kind === 'sent' ? declared : outcome.status}`.trim(), expected)
    assert.equal(server.mails[0]?.data.toString() ?? '', outcome.kind === 'sent' ? text : '')
    if (outcome.kind !== 'sent') assert.ok(!server.commands.some((command) => command.startsWith('MAIL')))
  })
