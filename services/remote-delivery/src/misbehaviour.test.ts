// Servers that break the protocol at any step (RFC 5321): no mail counts as sent that the server does not have, none comes
// back for it, and nothing hangs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Step } from '@sekimori/testing/remote-server-script'
import { openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const STEPS: Step[] = ['connect', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'message']
const REFUSAL = '554 5.3.2 no'
const SILENCE = 'silence'
const PATIENCE_MS = 500
const nonsense = [
  'what do you want?',
  '999 9.9.9 a code of no class',
  '150 hold the line',
  '250',
  '354 go on',
  '250 2.0.0 fine',
  '220 hello again',
  '\x00\x01\xff\xfe\x7f',
  '250-one\r\n550 and another code',
  '250-one\r\nand none',
  '250 one reply\r\n250 and another',
  'x'.repeat(200_000),
  Array.from({ length: 5_000 }, (_, line) => `250-line ${line} of very many`).join('\r\n'),
  '421 4.3.2 bye',
  REFUSAL,
  SILENCE,
  'close',
]

async function play(at: Step, reply: string): Promise<void> {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', { replies: [{ at, reply }] })
  const limits = { greetingTimeoutMs: PATIENCE_MS, commandTimeoutMs: PATIENCE_MS, dataEndTimeoutMs: PATIENCE_MS }
  const ports = outside.ports(reply === SILENCE ? limits : {})
  const outcome = (await outside.deliver(outboundJob([BOB]), ports)).get(BOB)!
  const told = `${at} answered by ${JSON.stringify(reply.slice(0, 60))}: ${JSON.stringify(outcome)}`
  if (outcome.kind === 'sent') assert.equal(server.mails.length, 1, told)
  // What is said of the whole mail may say too little: then it is offered again.
  else if (at !== 'message') assert.equal(server.mails.length, 0, told)
  if (outcome.kind === 'sent' && at === 'message') assert.match(reply, /^2\d\d(?!-)/, told)
  assert.equal(outcome.kind === 'rejected', reply === REFUSAL, told)
  assert.ok(JSON.stringify(outcome).length < 2_000, told)
}

for (const at of STEPS)
  test(`a server that talks nonsense at ${at} loses no mail and is sent none twice`, async () => {
    const wrong = nonsense.filter((reply) => at !== 'DATA' || !reply.startsWith('354'))
    for (const reply of wrong) await play(at, reply)
  })
